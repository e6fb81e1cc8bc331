"""Rules for pods and their containers. Each yields what is wrong, and what would be right."""

import re
from collections.abc import Callable, Iterator, Mapping

from .model import Manifest, Rendered
from .pod_security import PROBES, security
from .pods import Workload, lent, replicas, workloads
from .quantities import quantity

STARTUP_BUDGET = 15  # seconds: a cold node reads the image's files slowly
LONG_RUNNING = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "Rollout", "StatefulSet"})

PodRule = Callable[[Workload], Iterator[str]]
ContainerRule = Callable[[Manifest], Iterator[str]]
BothRule = Callable[[Workload, Manifest], Iterator[str]]


def own_pods(rendered: Rendered) -> Iterator[Workload]:
    """What has a template of its own; a Rollout that borrows one is left to the lender."""
    return (one for one in workloads(rendered) if not one.manifest["spec"].get("workloadRef"))


def fewest(rendered: Rendered, workload: Workload) -> int:
    """How many pods there are at least; a Rollout counts for the workload that it borrows from."""
    for rollout in rendered.of_kind("Rollout"):
        if lent(rendered, rollout) is workload.manifest:
            return replicas(rendered, rollout)
    return replicas(rendered, workload.manifest)


def token(workload: Workload) -> Iterator[str]:
    """Whoever gets into the pod finds no key to the cluster."""
    if workload.spec.get("automountServiceAccountToken") is not False:
        yield "spec.automountServiceAccountToken has to be false: the service never asks Kubernetes"
    if workload.spec.get("serviceAccountName") in {None, "default"}:
        yield "has to name a ServiceAccount of its own: rights of `default` are everyone's"


def service_links(workload: Workload) -> Iterator[str]:
    """Kubernetes' variables for each Service of the namespace may look like settings."""
    if workload.spec.get("enableServiceLinks") is not False:
        yield "spec.enableServiceLinks has to be false: names of Services would become settings"


def restart(workload: Workload) -> Iterator[str]:
    """What ends is started again."""
    policy = workload.spec.get("restartPolicy", "Always")
    if workload.manifest["kind"] in LONG_RUNNING and policy != "Always":
        yield f"spec.restartPolicy {policy} is for jobs; it has to be Always"


def read_only_root(container: Manifest) -> Iterator[str]:
    """What runs cannot be changed."""
    if security(container).get("readOnlyRootFilesystem") is not True:
        yield "securityContext.readOnlyRootFilesystem has to be true; mount an emptyDir to write to"


def memory(container: Manifest) -> Iterator[str]:
    """The node keeps what the container may use."""
    request, limit = _resource(container, "memory")
    if request is None or limit is None:
        yield "resources: memory needs a request and a limit, and both the same"
    elif quantity(request) != quantity(limit):
        said = "a neighbour may take the rest"
        yield f"resources: memory request {request} is not the limit {limit}; {said}"


def cpu(container: Manifest) -> Iterator[str]:
    """Enough to be scheduled by, and no quota that stops the event loop."""
    request, limit = _resource(container, "cpu")
    if request is None:
        yield "resources: cpu needs a request: the scheduler and the autoscaler count by it"
    if limit is not None and quantity(limit) < 1:
        yield f"resources: cpu limit {limit} stops the event loop in mid-request; none, or one core"


def ephemeral_storage(container: Manifest) -> Iterator[str]:
    """A container that fills the disk is stopped before the node is."""
    if None in _resource(container, "ephemeral-storage"):
        yield "resources: ephemeral-storage needs a request and a limit"


def image(container: Manifest) -> Iterator[str]:
    """Two pods of one release run the same code."""
    name = str(container.get("image", ""))
    tag = re.search(r":([\w.-]+)$", name.rpartition("/")[2])
    if not re.search(r"@sha256:[0-9a-f]{64}$", name) and (not tag or tag[1] == "latest"):
        yield f"image {name or 'is missing and'} needs a release's tag, or a digest"


def probes(workload: Workload, container: Manifest) -> Iterator[str]:
    """All three ask the management port, and a slow start is no death."""
    runs_on = container in workload.spec.get("containers", ())
    if workload.manifest["kind"] not in LONG_RUNNING or not runs_on:
        return
    management = {
        asked
        for port in container.get("ports") or ()
        if port.get("name") == "management"
        for asked in ("management", port.get("containerPort"))
    }
    for name in PROBES:
        port = (container.get(name, {}).get("httpGet") or {}).get("port")
        if name not in container:
            yield f"needs a {name}"
        elif port not in management:
            yield f"{name} has to be an httpGet of the port `management`"
    startup = container.get("startupProbe", {})
    budget = startup.get("periodSeconds", 10) * startup.get("failureThreshold", 3)
    if budget < STARTUP_BUDGET:
        yield f"startupProbe gives {budget} s; at least {STARTUP_BUDGET} s are right"
    ready, alive = (container.get(name, {}).get("httpGet") for name in PROBES[1:])
    if ready and ready == alive:
        said = "a lost dependency would restart all pods"
        yield f"livenessProbe asks what readinessProbe asks: {said}"


def whole_mounts(workload: Workload, container: Manifest) -> Iterator[str]:
    """Changed settings arrive."""
    followed = {
        volume["name"]
        for volume in workload.spec.get("volumes") or ()
        if volume.keys() & {"configMap", "projected", "secret"}
    }
    for mount in container.get("volumeMounts") or ():
        if mount.get("name") in followed and mount.keys() & {"subPath", "subPathExpr"}:
            yield f"{mount['name']} has a subPath and would never change; mount the folder"


def secrets(container: Manifest) -> Iterator[str]:
    """They are files: the environment ends up in crash reports and child processes."""
    for one in container.get("env") or ():
        if "secretKeyRef" in (one.get("valueFrom") or {}):
            yield f"{one['name']} brings a secret into the environment; mount it as files"
    for one in container.get("envFrom") or ():
        if "secretRef" in one:
            yield "envFrom brings a Secret into the environment; mount it as files"


def _resource(container: Manifest, name: str) -> tuple[object, object]:
    resources = container.get("resources") or {}
    request, limit = ((resources.get(kind) or {}).get(name) for kind in ("requests", "limits"))
    return request, limit


POD: Mapping[str, PodRule] = {"token": token, "service-links": service_links, "restart": restart}
CONTAINER: Mapping[str, ContainerRule] = {
    "read-only-root": read_only_root,
    "memory": memory,
    "cpu": cpu,
    "ephemeral-storage": ephemeral_storage,
    "image": image,
    "secrets": secrets,
}
BOTH: Mapping[str, BothRule] = {"probes": probes, "whole-mounts": whole_mounts}
