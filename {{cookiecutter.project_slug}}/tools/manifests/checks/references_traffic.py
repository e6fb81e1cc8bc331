"""What requests go through meets: Services and pods, routes, monitors, network policies."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from ..model import Finding, Manifest, Project, Rendered
from ..pods import ADDED, matches, namespace, selected, unfolded

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
MANAGEMENT = "management"


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every folder."""
    for folder in project.rendered:
        rendered = unfolded(folder)
        for service in rendered.of_kind("Service"):
            yield from _service(rendered, service)
        for route in rendered.of_kind(*ROUTES):
            yield from _backends(rendered, route)
            yield from _parents(rendered, route)
        for monitor in rendered.of_kind("ServiceMonitor", "PodMonitor"):
            yield from _monitor(rendered, monitor)
        for policy in rendered.of_kind("NetworkPolicy"):
            yield from _policy(rendered, policy)
        yield from _closed(rendered)


def _service(rendered: Rendered, service: Manifest) -> Iterator[Finding]:
    selector = service["spec"].get("selector")
    if not selector:
        return
    pods = selected(rendered, selector, namespace(service), exact=True)
    if not pods and not _resting(rendered, service):
        text = f"selects no pod: none has {_pairs(selector)}"
        yield rendered.finding(service, "references/service-selector", text)
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        for pod in pods:
            if pod.port(target) is None:
                has = ", ".join(str(one.get("name", one["containerPort"])) for one in pod.ports())
                text = f"targetPort {target!r} is no port of the pods; they have {has or 'none'}"
                yield rendered.finding(service, "references/target-port", text)


def _resting(rendered: Rendered, service: Manifest) -> bool:
    """Whether routes name it and send nothing to it: a canary's, between two canaries."""
    weights = [
        reference.get("weight", 1)
        for route in rendered.of_kind(*ROUTES)
        for reference in references(route)
        if reference["name"] == service["metadata"]["name"]
    ]
    return bool(weights) and not any(weights)


def references(route: Manifest) -> Iterator[Mapping[str, Any]]:
    """The backends of every rule."""
    for rule in route["spec"].get("rules") or ():
        yield from rule.get("backendRefs") or ()
        for one in rule.get("filters") or ():
            if mirror := (one.get("requestMirror") or {}).get("backendRef"):
                yield mirror


def _backends(rendered: Rendered, route: Manifest) -> Iterator[Finding]:
    for reference in references(route):
        name, home = reference["name"], reference.get("namespace") or namespace(route)
        if reference.get("kind", "Service") != "Service" or home != namespace(route):
            continue
        service = rendered.find("Service", name)
        if service is None or namespace(service) != home:
            text = f"backend {name!r} is no Service of this folder"
            yield rendered.finding(route, "references/backend", text)
        elif reference.get("port") not in (ports := _numbers(service)):
            text = f"backend {name}:{reference.get('port')}: the Service's ports are {ports}"
            yield rendered.finding(route, "references/backend", text)
        elif MANAGEMENT in {port.get("targetPort") for port in service["spec"]["ports"]}:
            text = f"backend {name!r} is for operators: it must not be routed to"
            yield rendered.finding(route, "references/backend", text)
    for number, rule in enumerate(route["spec"].get("rules") or ()):
        weights = [one.get("weight", 1) for one in rule.get("backendRefs") or ()]
        if weights and not sum(weights):
            text = f"rule {number}: all weights are 0, so that every request gets a 500"
            yield rendered.finding(route, "references/backend", text)


def _numbers(service: Manifest) -> list[int]:
    return [port["port"] for port in service["spec"].get("ports") or ()]


def _parents(rendered: Rendered, route: Manifest) -> Iterator[Finding]:
    for parent in route["spec"].get("parentRefs") or ():
        if parent.get("kind", "Gateway") != "Gateway":
            continue
        name, home = parent["name"], parent.get("namespace") or namespace(route)
        gateway = rendered.find("Gateway", name)
        if gateway is None or namespace(gateway) != home:
            if home == namespace(route):
                text = f"parent {name!r} is no Gateway of this folder, nor is its namespace named"
                yield rendered.finding(route, "references/parent", text)
            continue
        listeners = {one["name"]: one["port"] for one in gateway["spec"]["listeners"]}
        section, port = parent.get("sectionName"), parent.get("port")
        if section and section not in listeners:
            text = f"Gateway {name!r} has no listener {section!r}; it has {sorted(listeners)}"
            yield rendered.finding(route, "references/parent", text)
        if port and port not in listeners.values():
            text = f"Gateway {name!r} has no listener on port {port}"
            yield rendered.finding(route, "references/parent", text)


def monitored(rendered: Rendered, monitor: Manifest) -> Sequence[Manifest]:
    """The Services that a ServiceMonitor selects."""
    spec = monitor["spec"]
    homes = (spec.get("namespaceSelector") or {}).get("matchNames") or [namespace(monitor)]
    return [
        one
        for one in rendered.of_kind("Service")
        if namespace(one) in homes and matches(spec["selector"], one["metadata"].get("labels", {}))
    ]


def _monitor(rendered: Rendered, monitor: Manifest) -> Iterator[Finding]:
    spec = monitor["spec"]
    if monitor["kind"] == "PodMonitor":
        pods = selected(rendered, spec["selector"], namespace(monitor))
        has = {port.get("name") for pod in pods for port in pod.ports()}
        endpoints = spec.get("podMetricsEndpoints") or ()
    else:
        services = monitored(rendered, monitor)
        has = {port.get("name") for one in services for port in one["spec"]["ports"]}
        pods = [
            pod
            for one in services
            for pod in selected(
                rendered, one["spec"].get("selector") or {}, namespace(one), exact=True
            )
        ]
        endpoints = spec.get("endpoints") or ()
    if not has:
        text = "selects nothing that has a port: no metrics would be read"
        yield rendered.finding(monitor, "references/monitor", text)
        return
    for endpoint in endpoints:
        if endpoint.get("port") and endpoint["port"] not in has:
            listed = ", ".join(sorted(map(str, has)))
            text = f"endpoint port {endpoint['port']!r} is none of what it selects: {listed}"
            yield rendered.finding(monitor, "references/monitor", text)
    labels = {label for pod in pods for label in pod.labels} | ADDED
    for label in spec.get("podTargetLabels") or ():
        if label not in labels:
            text = f"podTargetLabels: no pod has a label {label!r}"
            yield rendered.finding(monitor, "references/monitor", text)


def _policy(rendered: Rendered, policy: Manifest) -> Iterator[Finding]:
    spec = policy["spec"]
    pods = selected(rendered, spec.get("podSelector") or {}, namespace(policy))
    if not pods:
        text = "selects no pod of this folder, so that it protects nothing"
        yield rendered.finding(policy, "references/policy-selector", text)
    for rule in spec.get("ingress") or ():
        for port in rule.get("ports") or ():
            asked = port.get("port")
            if isinstance(asked, str) and any(pod.port(asked) is None for pod in pods):
                text = f"ingress names port {asked!r}, which the pods do not have"
                yield rendered.finding(policy, "references/policy-port", text)
        operators = {pod.port(MANAGEMENT) for pod in pods} - {None}
        if any(admits(rule, MANAGEMENT, number) for number in operators) and not _named(rule):
            text = (
                "lets more than named namespaces reach the management port, where operators"
                " change the service"
            )
            yield rendered.finding(policy, "references/policy-management", text)


def admits(rule: Mapping[str, Any], name: str | None, number: int | None) -> bool:
    """Whether a rule of a policy is for this port, by name or number."""
    ports = rule.get("ports")
    if not ports:
        return True
    for port in ports:
        asked = port.get("port")
        if asked is None or asked in (name, number):
            return True
        last = port.get("endPort")
        if last and number and isinstance(asked, int) and asked <= number <= last:
            return True
    return False


def _named(rule: Mapping[str, Any]) -> bool:
    """Whether all who may come are told by their namespace or their own labels."""
    peers = rule.get("from") or ()
    return bool(peers) and all(
        any(
            selector and (selector.get("matchLabels") or selector.get("matchExpressions"))
            for selector in (peer.get("namespaceSelector"), peer.get("podSelector"))
        )
        and "ipBlock" not in peer
        and peer.get("namespaceSelector") != {}
        for peer in peers
    )


def _closed(rendered: Rendered) -> Iterator[Finding]:
    """A port of a Service that no policy lets anybody reach."""
    policies = [
        one
        for one in rendered.of_kind("NetworkPolicy")
        if "Ingress" in one["spec"].get("policyTypes", ["Ingress"])
    ]
    for service in rendered.of_kind("Service"):
        selector = service["spec"].get("selector")
        if not selector:
            continue
        for pod in selected(rendered, selector, namespace(service), exact=True):
            over = [
                one["spec"]
                for one in policies
                if namespace(one) == namespace(service)
                and matches(one["spec"].get("podSelector") or {}, pod.labels)
            ]
            rules = list(chain.from_iterable(one.get("ingress") or () for one in over))
            for port in service["spec"].get("ports") or ():
                target = port.get("targetPort", port["port"])
                number = pod.port(target)
                named = next(
                    (one.get("name") for one in pod.ports() if one["containerPort"] == number), None
                )
                if over and number and not any(admits(rule, named, number) for rule in rules):
                    text = f"no NetworkPolicy lets anybody reach port {target!r} of its pods"
                    yield rendered.finding(service, "references/policy-closed", text)


def _pairs(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in selector.items())
