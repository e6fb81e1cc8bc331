"""The level `restricted` of Kubernetes' Pod Security Standards: every published control.

Each function is one control, takes a pod or a container of it, and yields what is wrong.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]
VOLUMES = frozenset(
    (
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
        *("persistentVolumeClaim", "projected", "secret"),
    )
)
# Those that 1.37 added are left out: 1.35 refuses them.
SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        *(f"net.ipv4.ip_{name}" for name in ("local_port_range", "local_reserved_ports")),
        *(f"net.ipv4.{name}" for name in ("ip_unprivileged_port_start", "ping_group_range")),
        *(f"net.ipv4.tcp_keepalive_{name}" for name in ("intvl", "probes", "time")),
        *(f"net.ipv4.tcp_{name}" for name in ("fin_timeout", "rmem", "syncookies", "wmem")),
    )
)
SELINUX = frozenset(
    ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
)
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def security(thing: Fields) -> Fields:
    """The security context of a pod or a container."""
    return thing.get("securityContext") or {}


def host_namespaces(pod: Fields) -> Iterator[str]:
    """No network, process or IPC namespace of the node."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"{name} gives the pod the node's own; leave it out"


def volume_types(pod: Fields) -> Iterator[str]:
    """No directories or disks of the node."""
    for volume in pod.get("volumes") or ():
        for kind in sorted(volume.keys() - {"name"} - VOLUMES):
            yield f"volume {volume.get('name')} is a {kind}; a claim or an emptyDir may be mounted"


def sysctls(pod: Fields) -> Iterator[str]:
    """Only those that reach no further than the pod."""
    for one in security(pod).get("sysctls") or ():
        if one.get("name") not in SYSCTLS:
            yield f"sysctl {one.get('name')} is not among the safe ones; leave it out"


def windows(thing: Fields) -> Iterator[str]:
    """No host process on Windows."""
    if (security(thing).get("windowsOptions") or {}).get("hostProcess"):
        yield "windowsOptions.hostProcess has all rights on the node; leave it out"


def selinux(thing: Fields) -> Iterator[str]:
    """No other user, role or type than a container's."""
    options = security(thing).get("seLinuxOptions") or {}
    if options.get("user") or options.get("role") or options.get("type", "") not in SELINUX:
        yield "seLinuxOptions may only name a type of containers; leave them out"


def apparmor(thing: Fields) -> Iterator[str]:
    """The profile is not switched off."""
    profile = security(thing).get("appArmorProfile") or {}
    if profile.get("type", "RuntimeDefault") not in {"RuntimeDefault", "Localhost"}:
        yield "appArmorProfile.type has to be RuntimeDefault or Localhost"


def privileged(container: Fields) -> Iterator[str]:
    """Not the rights of the node's root."""
    if security(container).get("privileged"):
        yield "is privileged, which is root on the node; leave it out"


def escalation(container: Fields) -> Iterator[str]:
    """No process gets more rights than its parent."""
    if security(container).get("allowPrivilegeEscalation") is not False:
        yield "securityContext.allowPrivilegeEscalation has to be false"


def capabilities(container: Fields) -> Iterator[str]:
    """All dropped; the one for low ports may be added."""
    found = security(container).get("capabilities") or {}
    if "ALL" not in (found.get("drop") or ()):
        yield "securityContext.capabilities.drop has to be [ALL]"
    if more := set(found.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield f"adds the capabilities {', '.join(sorted(more))}; leave them out"


def host_ports(container: Fields) -> Iterator[str]:
    """No port of the node."""
    for port in container.get("ports") or ():
        if port.get("hostPort"):
            yield f"takes port {port['hostPort']} of the node; a Service is the way in"


def proc_mount(container: Fields) -> Iterator[str]:
    """The kernel's files stay masked."""
    if security(container).get("procMount", "Default") != "Default":
        yield "securityContext.procMount has to be Default"


def handler_hosts(container: Fields) -> Iterator[str]:
    """Probes and hooks reach this pod and no other address."""
    hooks = container.get("lifecycle") or {}
    handlers = {
        **{name: container.get(name) or {} for name in PROBES},
        **{f"lifecycle.{name}": hooks.get(name) or {} for name in ("postStart", "preStop")},
    }
    for name, handler in handlers.items():
        for kind in ("httpGet", "tcpSocket"):
            if (handler.get(kind) or {}).get("host"):
                yield f"{name}.{kind}.host lets the node call anything; leave it out"


# What a container may say, or leave to its pod.
def non_root(pod: Fields, container: Fields) -> Iterator[str]:
    """Kubernetes refuses to start it as root."""
    own, shared = security(container).get("runAsNonRoot"), security(pod).get("runAsNonRoot")
    if not (shared if own is None else own):
        yield "securityContext.runAsNonRoot has to be true"


def user(pod: Fields, container: Fields) -> Iterator[str]:
    """A numeric user that is not root, whatever the image says."""
    own, shared = security(container).get("runAsUser"), security(pod).get("runAsUser")
    if not (shared if own is None else own):
        yield "securityContext.runAsUser has to be a number above 0"


def seccomp(pod: Fields, container: Fields) -> Iterator[str]:
    """Only the system calls that the runtime allows."""
    own, shared = (security(thing).get("seccompProfile") for thing in (container, pod))
    if (own or shared or {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "securityContext.seccompProfile.type has to be RuntimeDefault or Localhost"


Of = Callable[[Fields], Iterator[str]]
Both = Callable[[Fields, Fields], Iterator[str]]

POD: Sequence[Of] = (host_namespaces, volume_types, sysctls)
EITHER: Sequence[Of] = (windows, selinux, apparmor)
CONTAINER: Sequence[Of] = (
    privileged,
    escalation,
    capabilities,
    host_ports,
    proc_mount,
    handler_hosts,
)
INHERITED: Sequence[Both] = (non_root, user, seccomp)


def restricted(pod: Fields) -> Iterator[tuple[str, str]]:
    """Yield the control, as a rule's name, and what is wrong in this pod."""
    for check in (*POD, *EITHER):
        for said in check(pod):
            yield _rule(check), said
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind) or ():
            name = container.get("name")
            for own in (*EITHER, *CONTAINER):
                for said in own(container):
                    yield _rule(own), f"{name}: {said}"
            for both in INHERITED:
                for said in both(pod, container):
                    yield _rule(both), f"{name}: {said}"


def _rule(check: Callable[..., object]) -> str:
    return check.__name__.replace("_", "-")
