"""The formulas between the settings in force and the numbers of pods."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from ..model import Finding, Manifest, Project, Rendered
from ..pods import lent
from ..quantities import quantity
from ..settings import Running, module, running

# Seconds until whoever sends requests knows that a pod is going: it leaves the endpoints at once,
# and proxies and gateways hear of it within one or two. A balancer that goes by probes of its own
# takes their period times their failures: raise APP_HTTP__DRAIN_DELAY to that.
PROPAGATION = 5.0
SPARE = 5.0  # between the last bound of the service and SIGKILL
BALANCER_IDLE = 60.0  # of the balancers of the large clouds
SMALL = 2  # pods that no database notices
START = 10.0  # the interpreter, imports, a busy node

Sums = Iterator[tuple[str, str]]


def check(project: Project) -> Iterator[Finding]:
    """Every formula on every container that serves."""
    for rendered, one in running(project):
        if one.settings is None or one.words[:1] != ["serve"]:
            continue
        for rule, text in chain(
            _ports(one),
            _drain(one),
            _probes(one),
            _disk(one),
            _connections(rendered, one),
            _progress(rendered, one),
        ):
            yield rendered.finding(one.workload.manifest, f"numbers/{rule}", text)


def _ports(one: Running) -> Sums:
    settings = one.settings
    has = {port["containerPort"] for port in one.container.get("ports") or ()}
    for name, port in (("http", settings.http.port), ("management", settings.management.port)):
        if port not in has:
            yield "port", f"{name} listens on {port}; the container has {sorted(has)}"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = (one.container.get(probe, {}).get("httpGet") or {}).get("port")
        if asked is not None and one.workload.port(asked) != settings.management.port:
            text = f"{probe} asks {asked!r}, management listens on {settings.management.port}"
            yield "probe-port", text


def _hook(container: Mapping[str, Any]) -> float:
    """Seconds that a preStop hook sleeps before SIGTERM."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    return float((hook.get("sleep") or {}).get("seconds", 0))


def _drain(one: Running) -> Sums:
    http, before = one.settings.http, _hook(one.container)
    grace = one.workload.spec.get("terminationGracePeriodSeconds", 30)
    need = before + http.drain_delay + http.grace + http.close_timeout + SPARE
    if grace < need:
        parts = f"drain_delay {http.drain_delay:g} + grace {http.grace:g}"
        parts += f" + close_timeout {http.close_timeout:g} + {SPARE:g} = {need:g}"
        if before:
            parts = f"preStop {before:g} + {parts}"
        yield "termination-grace", f"terminationGracePeriodSeconds is {grace}: {parts}"
    if before + http.drain_delay < PROPAGATION:
        text = f"preStop {before:g} + drain_delay {http.drain_delay:g}"
        text += f" = {before + http.drain_delay:g}: requests come for {PROPAGATION:g} s"
        yield "drain-delay", text
    if http.keep_alive <= BALANCER_IDLE:
        text = f"keep_alive is {http.keep_alive}: above the {BALANCER_IDLE:g} s after which a"
        yield "keep-alive", f"{text} balancer closes, or it sends into a connection that is gone"


def _budget(probe: Mapping[str, Any]) -> float:
    """Seconds until a probe that only fails has an effect."""
    return float(
        probe.get("initialDelaySeconds", 0)
        + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    )


def _startup(one: Running) -> tuple[float, str]:
    """The longest that a start may take, and its sum."""
    settings = one.settings
    parts = [(START, "")]
    if one.environ.get("APP_CONFIG__SOURCE"):
        parts.append((settings.config.start_timeout, "config.start_timeout "))
    if hasattr(settings, "database"):
        parts.append((settings.database.pool_wait, "database.pool_wait "))
    need = sum(seconds for seconds, _ in parts)
    return need, " + ".join(f"{name}{seconds:g}" for seconds, name in reversed(parts))


def _probes(one: Running) -> Sums:
    checks = module("runtime.health").CHECK_TIMEOUT
    probes = [one.container.get(f"{name}Probe") for name in ("startup", "readiness", "liveness")]
    startup, readiness, liveness = probes
    need, total = _startup(one)
    if startup and _budget(startup) < need:
        yield "startup", f"startupProbe gives up after {_budget(startup):g} s: {total} = {need:g}"
    for name, probe in (("startupProbe", startup), ("readinessProbe", readiness)):
        if probe and probe.get("timeoutSeconds", 1) <= checks:
            text = f"{name} waits {probe.get('timeoutSeconds', 1)} s: above the {checks:g} s"
            text += " that one check may take, or the probe never says which failed"
            yield "probe-timeout", text
    if readiness and liveness and _budget(liveness) <= _budget(readiness):
        text = f"livenessProbe kills after {_budget(liveness):g} s, readinessProbe takes it out"
        yield "liveness", f"{text} after {_budget(readiness):g} s: first out, then killed"


def _disk(one: Running) -> Sums:
    limits = [
        (container.get("resources") or {}).get("limits", {}).get("ephemeral-storage")
        for container in one.workload.spec.get("containers", ())
    ]
    volumes = {
        volume["name"]: volume["emptyDir"] or {}
        for volume in one.workload.spec.get("volumes") or ()
        if "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory"
    }
    unlimited = [name for name, volume in volumes.items() if "sizeLimit" not in volume]
    if unlimited:
        yield "disk", f"emptyDir {', '.join(unlimited)} has no sizeLimit: it can fill the node"
        return
    if volumes and all(limits):
        limit = sum(quantity(one) for one in limits)
        need = sum(quantity(volume["sizeLimit"]) for volume in volumes.values())
        if need >= limit:
            parts = " + ".join(f"{name} {volume['sizeLimit']}" for name, volume in volumes.items())
            text = f"the limit of ephemeral-storage is {limits[0]}: {parts} leaves no room for logs"
            yield "disk", text


def _connections(rendered: Rendered, one: Running) -> Sums:
    said = one.workload.manifest["metadata"].get("annotations", {}).get("database-connections")
    if not hasattr(one.settings, "database"):
        if said is not None:
            yield "connections", "database-connections is said, and there is no database"
        return
    if not one.settings.database.url.get_secret_value().startswith("postgresql"):
        return
    each = one.settings.database.pool_size + 2
    pods, words = _most(rendered, one)
    if said is None:
        if pods > SMALL:
            text = f"up to {pods} pods take {pods * each} connections"
            yield "connections", f"{text}: the annotation database-connections says how many it has"
    elif int(said) < pods * each:
        text = f"({words}) x (pool_size {each - 2} + 2) = {pods * each}"
        yield "connections", f"the database has {said} connections: {text}"


def _most(rendered: Rendered, one: Running) -> tuple[int, str]:
    """The most pods that there are at once, and their sum."""
    own = _owners(rendered, one)
    names = {(each["kind"], each["metadata"]["name"]) for each in own}
    most, word = int(own[-1]["spec"].get("replicas", 1)), "replicas"
    for scaler in rendered.of_kind("HorizontalPodAutoscaler", "FederatedHPA"):
        target = scaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) in names:
            most, word = int(scaler["spec"]["maxReplicas"]), "maxReplicas"
    strategy = own[-1]["spec"].get("strategy") or {}
    canary = strategy.get("canary") or {}
    if canary.get("trafficRouting") and not canary.get("dynamicStableScale"):
        return 2 * most, f"2 x {word} {most}"  # the stable keeps its pods to the end
    rolling = strategy.get("rollingUpdate") or canary
    surge = rolling.get("maxSurge", 0)
    more = surge if isinstance(surge, int) else most * int(surge.removesuffix("%")) // 100
    return most + more, f"{word} {most} + maxSurge {more}"


def _owners(rendered: Rendered, one: Running) -> list[Manifest]:
    """The workload, and the Rollout that borrows its pods."""
    own = one.workload.manifest
    return [own, *(each for each in rendered.of_kind("Rollout") if lent(rendered, each) is own)]


def _progress(rendered: Rendered, one: Running) -> Sums:
    """A roll-out has the time that one pod may take to start, a gateway that to hear of it."""
    start = _budget(one.container.get("startupProbe") or {})
    for owner in _owners(rendered, one):
        spec, kind = owner["spec"], owner["kind"]
        if kind not in ("Deployment", "Rollout"):
            continue
        deadline, ready = spec.get("progressDeadlineSeconds", 600), spec.get("minReadySeconds", 0)
        if deadline <= start + ready:
            text = f"start-up {start:g} + minReadySeconds {ready} = {start + ready:g}"
            yield "progress", f"progressDeadlineSeconds of the {kind} is {deadline}: {text}"
        canary = (spec.get("strategy") or {}).get("canary") or {}
        for name in ("scaleDownDelaySeconds", "abortScaleDownDelaySeconds"):
            if canary.get(name, PROPAGATION) < PROPAGATION:
                text = f"gateways send for {PROPAGATION:g} s more"
                yield "scale-down", f"{name} is {canary[name]}: {text}"
