"""What scales, limits and moves workloads names them: autoscalers, budgets, roll-outs."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model import Finding, Manifest, Project, Rendered
from ..pods import lent, namespace, replicas, selected, unfolded
from .references_traffic import references

TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")
# `args.name` inside two braces.
ARGUMENT = re.compile(r"[{]{2}\s*args\.([A-Za-z0-9_.-]+)\s*[}]{2}")
# Kinds that the routers of Argo Rollouts name, by the key they stand under.
ROUTES = {"httpRoute": "HTTPRoute", "grpcRoute": "GRPCRoute", "tcpRoute": "TCPRoute"}


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every folder."""
    for folder in project.rendered:
        rendered = unfolded(folder)
        for scaler in rendered.of_kind("HorizontalPodAutoscaler", "FederatedHPA"):
            yield from _scaler(rendered, scaler)
        for budget in rendered.of_kind("PodDisruptionBudget"):
            yield from _budget(rendered, budget)
        for rollout in rendered.of_kind("Rollout"):
            yield from _rollout(rendered, rollout)
        for template in rendered.of_kind(*TEMPLATES):
            yield from _template(rendered, template)


def _scaler(rendered: Rendered, scaler: Manifest) -> Iterator[Finding]:
    target = scaler["spec"]["scaleTargetRef"]
    found = rendered.find(target["kind"], target["name"])
    if (
        found is None
        or namespace(found) != namespace(scaler)
        or found.get("apiVersion") != target.get("apiVersion", found.get("apiVersion"))
    ):
        text = f"scales {target['kind']} {target['name']!r}, which is not in this folder"
        yield rendered.finding(scaler, "references/scale-target", text)
        return
    borrowed = [one for one in rendered.of_kind("Rollout") if lent(rendered, one) is found]
    if borrowed:
        text = f"scales the {target['kind']}, but its pods belong to the Rollout that borrows it"
        yield rendered.finding(scaler, "references/scale-target", text)
    least, most = scaler["spec"].get("minReplicas", 1), scaler["spec"]["maxReplicas"]
    if most < least:
        text = f"maxReplicas {most} is less than minReplicas {least}"
        yield rendered.finding(scaler, "references/scale-range", text)


def _budget(rendered: Rendered, budget: Manifest) -> Iterator[Finding]:
    spec = budget["spec"]
    pods = selected(rendered, spec.get("selector") or {}, namespace(budget))
    if not pods:
        text = "selects no pod, so that it protects nothing"
        yield rendered.finding(budget, "references/budget-selector", text)
        return
    borrowed = [lent(rendered, one) for one in rendered.of_kind("Rollout")]
    owners = [one.manifest for one in pods if all(one.manifest is not two for two in borrowed)]
    few = sum(replicas(rendered, one) for one in owners)
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and few and _of(least, few) >= few:
        text = f"minAvailable {least} of {few} pods: no node could ever be drained"
        yield rendered.finding(budget, "references/budget-deadlock", text)
    if most is not None and _of(most, few) < 1:
        text = f"maxUnavailable {most} of {few} pods: no node could ever be drained"
        yield rendered.finding(budget, "references/budget-deadlock", text)
    if most is not None and few > 1 and _of(most, few) >= few:
        text = f"maxUnavailable {most} of {few} pods leaves none: it protects nothing"
        yield rendered.finding(budget, "references/budget-empty", text)


def _of(number: int | str, whole: int) -> int:
    """A number or a percentage of pods; Kubernetes rounds both up."""
    if isinstance(number, str):
        return math.ceil(int(number.removesuffix("%")) * whole / 100)
    return number


def _rollout(rendered: Rendered, rollout: Manifest) -> Iterator[Finding]:
    spec = rollout["spec"]
    if "workloadRef" in spec and lent(rendered, rollout) is None:
        reference = spec["workloadRef"]
        what = f"{reference.get('kind')} {reference.get('name')!r}"
        text = f"workloadRef {what} is not in this folder"
        yield rendered.finding(rollout, "references/workload", text)
    strategy = spec.get("strategy") or {}
    canary = strategy.get("canary") or {}
    blue = strategy.get("blueGreen") or {}
    names = [
        *(canary.get(key) for key in ("canaryService", "stableService")),
        *(blue.get(key) for key in ("activeService", "previewService")),
    ]
    services = [name for name in names if name]
    for name in services:
        found = rendered.find("Service", name)
        if found is None or namespace(found) != namespace(rollout):
            text = f"names Service {name!r}, which is not in this folder"
            yield rendered.finding(rollout, "references/rollout-service", text)
    if len(set(services)) < len(services):
        text = "stable and canary are the same Service: no request would be told apart"
        yield rendered.finding(rollout, "references/rollout-service", text)
    yield from _routing(rendered, rollout, canary, services)
    yield from _analyses(rendered, rollout, canary, blue)


def _routing(
    rendered: Rendered, rollout: Manifest, canary: Mapping[str, Any], services: Sequence[str]
) -> Iterator[Finding]:
    routing = canary.get("trafficRouting") or {}
    for plugin in (routing.get("plugins") or {}).values():
        home = plugin.get("namespace", namespace(rollout))
        if home != namespace(rollout):
            text = f"looks for its routes in namespace {home!r}, they are in {namespace(rollout)!r}"
            yield rendered.finding(rollout, "references/rollout-route", text)
    for kind, name in _routes(routing.get("plugins") or {}):
        route = rendered.find(kind, name)
        if route is None:
            text = f"routes by {kind} {name!r}, which is not in this folder"
            yield rendered.finding(rollout, "references/rollout-route", text)
            continue
        missing = set(services) - {one["name"] for one in references(route)}
        for service in sorted(missing):
            text = f"{kind} {name!r} has no backend {service!r}: it could not be given a weight"
            yield rendered.finding(rollout, "references/rollout-route", text)
    managed = {one["name"] for one in routing.get("managedRoutes") or ()}
    for step in canary.get("steps") or ():
        for action in ("setHeaderRoute", "setMirrorRoute"):
            name = step.get(action, {}).get("name")
            if name is not None and name not in managed:
                text = f"{action} {name!r} is none of managedRoutes: {sorted(managed)}"
                yield rendered.finding(rollout, "references/rollout-route", text)
        if ("setWeight" in step or "setHeaderRoute" in step) and not services:
            text = "sets weights without canaryService and stableService"
            yield rendered.finding(rollout, "references/rollout-service", text)
            break


def _routes(plugins: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for plugin in plugins.values():
        for key, kind in ROUTES.items():
            if plugin.get(key):
                yield kind, plugin[key]
            for one in plugin.get(f"{key}s") or ():
                yield kind, one["name"]


def _analyses(
    rendered: Rendered, rollout: Manifest, canary: Mapping[str, Any], blue: Mapping[str, Any]
) -> Iterator[Finding]:
    found = [
        canary.get("analysis"),
        *(step.get("analysis") for step in canary.get("steps") or ()),
        blue.get("prePromotionAnalysis"),
        blue.get("postPromotionAnalysis"),
    ]
    for analysis in filter(None, found):
        given = {one["name"] for one in analysis.get("args") or ()}
        known: set[str] = set()
        for one in analysis.get("templates") or ():
            kind = TEMPLATES[bool(one.get("clusterScope"))]
            template = rendered.find(kind, one["templateName"])
            if template is None:
                text = f"asks {kind} {one['templateName']!r}, which is not in this folder"
                yield rendered.finding(rollout, "references/analysis", text)
                known |= given
                continue
            arguments = template["spec"].get("args") or ()
            known |= {argument["name"] for argument in arguments}
            for argument in arguments:
                if not {"value", "valueFrom"} & set(argument) and argument["name"] not in given:
                    text = f"{kind} {one['templateName']!r} is not given {argument['name']!r}"
                    yield rendered.finding(rollout, "references/analysis-argument", text)
        for name in sorted(given - known):
            text = f"gives an analysis {name!r}, which none of its templates takes"
            yield rendered.finding(rollout, "references/analysis-argument", text)


def _template(rendered: Rendered, template: Manifest) -> Iterator[Finding]:
    known = {one["name"] for one in template["spec"].get("args") or ()}
    used = set(ARGUMENT.findall(str(template["spec"].get("metrics"))))
    for name in sorted(used - known):
        text = f"uses args.{name}, which it does not declare"
        yield rendered.finding(template, "references/analysis-argument", text)
    for name in sorted(known - used):
        text = f"declares the argument {name!r} and does not use it"
        yield rendered.finding(template, "references/analysis-argument", text)
