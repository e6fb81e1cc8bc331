"""The pods that manifests lead to, and what points at them: labels, ports, containers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .model import Manifest, Rendered

# Where the template of its pods is in each kind that has one.
TEMPLATES: Mapping[str, Sequence[str]] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Pod": (),
}
# What controllers add to the pods that they make.
ADDED = frozenset({"controller-revision-hash", "pod-template-hash", "rollouts-pod-template-hash"})


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods.

    Attributes:
        manifest: the object itself.
        pod: the template of its pods, with `metadata` and `spec`.
    """

    manifest: Manifest
    pod: Manifest

    @property
    def labels(self) -> Mapping[str, str]:
        """Of each of its pods."""
        return self.pod.get("metadata", {}).get("labels") or {}

    @property
    def spec(self) -> Mapping[str, Any]:
        """Of each of its pods."""
        spec: Mapping[str, Any] = self.pod.get("spec", {})
        return spec

    @property
    def containers(self) -> Sequence[Manifest]:
        """All of them, in the order in which they start."""
        return [*(self.spec.get("initContainers") or ()), *self.spec.get("containers", ())]

    def ports(self) -> Iterator[Manifest]:
        """Of the containers that run together."""
        for container in self.spec.get("containers", ()):
            yield from container.get("ports") or ()

    def port(self, asked: int | str) -> int | None:
        """The number of a container's port, by number or name."""
        for port in self.ports():
            if asked in (port.get("name"), port["containerPort"]):
                return int(port["containerPort"])
        return None


def namespace(manifest: Manifest) -> str:
    """Where it goes; empty where it does not say."""
    return str(manifest["metadata"].get("namespace") or "")


def embedded(manifest: Manifest) -> Sequence[Manifest]:
    """The objects inside an EdgeApplication, which KubeEdge makes of it."""
    if manifest.get("kind") != "EdgeApplication":
        return ()
    own = manifest["spec"].get("workloadTemplate", {}).get("manifests") or ()
    home = {"namespace": namespace(manifest)}
    return [{**one, "metadata": {**home, **one.get("metadata", {})}} for one in own]


def unfolded(rendered: Rendered) -> Rendered:
    """With the objects that others hold."""
    inner = [one for manifest in rendered.objects for one in embedded(manifest)]
    return Rendered(rendered.name, [*rendered.objects, *inner])


def workloads(rendered: Rendered) -> Iterator[Workload]:
    """Everything that makes pods. A Rollout may borrow another's template."""
    for manifest in rendered.of_kind(*TEMPLATES):
        template: Any = manifest
        for step in TEMPLATES[manifest["kind"]]:
            template = template.get(step) or {}
        if manifest["kind"] == "Rollout" and not template:
            lender = lent(rendered, manifest)
            template = lender["spec"]["template"] if lender else {}
        yield Workload(manifest, template)


def lent(rendered: Rendered, manifest: Manifest) -> Manifest | None:
    """The workload whose template a Rollout borrows."""
    reference = manifest["spec"].get("workloadRef") or {}
    return rendered.find(reference.get("kind", ""), reference.get("name", ""))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) takes these labels."""
    exact: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in exact.items()):
        return False
    return all(_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def selected(
    rendered: Rendered, selector: Mapping[str, Any], home: str, *, exact: bool = False
) -> list[Workload]:
    """What it hits in a namespace.

    Args:
        exact: it is a Service's, which is a plain map of labels.
    """
    wanted = {"matchLabels": selector} if exact else selector
    return [
        one
        for one in workloads(rendered)
        if namespace(one.manifest) == home and matches(wanted, one.labels)
    ]


def replicas(rendered: Rendered, workload: Manifest) -> int:
    """The fewest pods that it has while nothing goes wrong."""
    for scaler in rendered.of_kind("HorizontalPodAutoscaler", "FederatedHPA"):
        target = scaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == (workload["kind"], workload["metadata"]["name"]):
            return int(scaler["spec"].get("minReplicas", 1))
    return int(workload.get("spec", {}).get("replicas", 1))
