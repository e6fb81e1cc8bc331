"""Rules for the objects of a folder taken together. Each yields an object and what is wrong."""

from collections.abc import Callable, Iterator, Mapping

from .model import Manifest, Rendered
from .pods import lent, matches, namespace
from .posture_pods import fewest, own_pods

Told = Iterator[tuple[Manifest, str]]
FolderRule = Callable[[Rendered], Told]
ENFORCE = "pod-security.kubernetes.io/enforce"
DIRECTIONS = {"Ingress", "Egress"}


def autoscaled(rendered: Rendered) -> Told:
    """An apply does not undo what the autoscaler has decided."""
    for scaler in rendered.of_kind("HorizontalPodAutoscaler", "FederatedHPA"):
        target = scaler["spec"]["scaleTargetRef"]
        found = rendered.find(target["kind"], target["name"])
        if found and "replicas" in found["spec"]:
            yield found, "spec.replicas has to go: each apply would undo the autoscaler"


def lent_template(rendered: Rendered) -> Told:
    """Only the Rollout makes pods of the template that it borrows."""
    for rollout in rendered.of_kind("Rollout"):
        lender = lent(rendered, rollout)
        if lender and lender["spec"].get("replicas") != 0:
            yield lender, "spec.replicas has to be 0: the Rollout makes the pods of this template"


def network(rendered: Rendered) -> Told:
    """Nothing comes or goes but what is named."""
    policies = list(rendered.of_kind("NetworkPolicy"))
    closed = {
        namespace(one)
        for one in policies
        if not one["spec"].get("podSelector")
        and set(one["spec"].get("policyTypes") or ()) == DIRECTIONS
        and not one["spec"].get("ingress")
        and not one["spec"].get("egress")
    }
    for workload in own_pods(rendered):
        home = namespace(workload.manifest)
        chosen = [
            one
            for one in policies
            if namespace(one) == home
            and one["spec"].get("podSelector")
            and matches(one["spec"]["podSelector"], workload.labels)
        ]
        if home not in closed:
            yield workload.manifest, "its namespace needs a NetworkPolicy that denies by default"
        if DIRECTIONS - {kind for one in chosen for kind in one["spec"].get("policyTypes") or ()}:
            yield workload.manifest, "needs a NetworkPolicy of its own, for Ingress and Egress"


def disruption(rendered: Rendered) -> Told:
    """Nodes can be drained, and never all pods at once."""
    budgets = list(rendered.of_kind("PodDisruptionBudget"))
    for budget in budgets:
        spec = budget["spec"]
        if "maxUnavailable" not in spec or "minAvailable" in spec:
            said = "minAvailable does not follow the autoscaler"
            yield budget, f"has to say maxUnavailable, and that alone: {said}"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            said = "a broken pod would keep its node from being drained"
            yield budget, f"spec.unhealthyPodEvictionPolicy has to be AlwaysAllow: {said}"
    for workload in own_pods(rendered):
        if workload.manifest["kind"] not in {"Job", "CronJob", "DaemonSet", "Pod"}:
            covered = [
                one
                for one in budgets
                if namespace(one) == namespace(workload.manifest)
                and matches(one["spec"].get("selector") or {}, workload.labels)
            ]
            if fewest(rendered, workload) > 1 and not covered:
                yield (
                    workload.manifest,
                    "needs a PodDisruptionBudget: a drain may take all its pods",
                )


def spread(rendered: Rendered) -> Told:
    """One node or zone less is not the end of it."""
    for workload in own_pods(rendered):
        if workload.manifest["kind"] == "DaemonSet" or fewest(rendered, workload) < 2:
            continue
        constraints = workload.spec.get("topologySpreadConstraints") or ()
        keys = {one.get("topologyKey") for one in constraints}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname"):
            if key not in keys:
                yield workload.manifest, f"spec.topologySpreadConstraints has to name {key}"


def rolling(rendered: Rendered) -> Told:
    """A release begins with a pod more, not with one less; on a volume, with the old one gone."""
    for deployment in rendered.of_kind("Deployment"):
        strategy = deployment["spec"].get("strategy") or {}
        volumes = deployment["spec"]["template"]["spec"].get("volumes") or ()
        if any("persistentVolumeClaim" in one for one in volumes):
            if strategy.get("type") != "Recreate":
                said = "two pods would write to one volume"
                yield deployment, f"spec.strategy.type has to be Recreate: {said}"
            continue
        most = (strategy.get("rollingUpdate") or {}).get("maxUnavailable")
        if strategy.get("type", "RollingUpdate") != "RollingUpdate" or most not in {0, "0", "0%"}:
            said = "a release would start with fewer pods than are needed"
            yield deployment, f"spec.strategy.rollingUpdate.maxUnavailable has to be 0: {said}"


def inside(rendered: Rendered) -> Told:
    """The way in is a gateway, which has TLS and limits."""
    for service in rendered.of_kind("Service"):
        kind = service["spec"].get("type", "ClusterIP")
        if kind in {"NodePort", "LoadBalancer"} or service["spec"].get("externalIPs"):
            yield (
                service,
                f"type {kind} is open to the outside; ClusterIP behind a gateway is right",
            )


def account(rendered: Rendered) -> Told:
    """No pod gets a token because it did not say otherwise."""
    for one in rendered.of_kind("ServiceAccount"):
        if one.get("automountServiceAccountToken") is not False:
            yield one, "automountServiceAccountToken has to be false"


def restricted_namespace(rendered: Rendered) -> Told:
    """The cluster holds to the strictest level even what is added by hand."""
    homes = {one["metadata"]["name"]: one for one in rendered.of_kind("Namespace")}
    for home in homes.values():
        if (home["metadata"].get("labels") or {}).get(ENFORCE) != "restricted":
            yield home, f"the label {ENFORCE} has to be restricted"
    for workload in own_pods(rendered):
        if namespace(workload.manifest) not in homes:
            yield workload.manifest, "its Namespace has to be here: nothing else sets its level"


FOLDER: Mapping[str, FolderRule] = {
    "autoscaled": autoscaled,
    "lent-template": lent_template,
    "network": network,
    "disruption": disruption,
    "spread": spread,
    "rolling": rolling,
    "inside": inside,
    "account": account,
    "restricted-namespace": restricted_namespace,
}
