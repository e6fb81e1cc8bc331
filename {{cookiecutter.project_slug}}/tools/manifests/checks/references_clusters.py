"""What Karmada brings to other clusters is selected, and every override finds its place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model import Finding, Manifest, Project, Rendered
from ..pods import matches, namespace, workloads

PROPAGATION = ("PropagationPolicy", "ClusterPropagationPolicy")
OVERRIDES = ("OverridePolicy", "ClusterOverridePolicy")
# `propagateDeps` takes what pods name along.
DEPENDENCIES = frozenset({"ConfigMap", "PersistentVolumeClaim", "Secret", "ServiceAccount"})
# Karmada makes the namespaces that are needed by itself.
STAYS = frozenset({"Namespace"})


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every folder that has a policy of Karmada's."""
    for rendered in project.rendered:
        policies = list(rendered.of_kind(*PROPAGATION))
        for policy in [*policies, *rendered.of_kind(*OVERRIDES)]:
            yield from _selectors(rendered, policy)
        if policies:
            yield from _left(rendered, policies)
        clusters = {name for policy in policies for name in _clusters(policy)}
        for policy in rendered.of_kind(*OVERRIDES):
            yield from _overrides(rendered, policy, clusters)
        for service in rendered.of_kind("MultiClusterService"):
            if rendered.find("Service", service["metadata"]["name"]) is None:
                text = "there is no Service of this name"
                yield rendered.finding(service, "references/karmada", text)


def taken(rendered: Rendered, policy: Manifest) -> Iterator[tuple[Any, list[Manifest]]]:
    """Each selector of a policy and the objects that it takes."""
    for selector in policy["spec"].get("resourceSelectors") or ():
        home = selector.get("namespace") or namespace(policy)
        yield (
            selector,
            [
                one
                for one in rendered.objects
                if one["kind"] == selector["kind"]
                and one["apiVersion"] == selector["apiVersion"]
                and selector.get("name") in (None, "", one["metadata"]["name"])
                and (not home or namespace(one) in ("", home))
                and matches(
                    selector.get("labelSelector") or {}, one["metadata"].get("labels") or {}
                )
            ],
        )


def _selectors(rendered: Rendered, policy: Manifest) -> Iterator[Finding]:
    for selector, found in taken(rendered, policy):
        if not found:
            what = f"{selector['apiVersion']} {selector['kind']} {selector.get('name') or ''}"
            text = f"selects {what.strip()}, which is not in this folder"
            yield rendered.finding(policy, "references/karmada-selector", text)


def _left(rendered: Rendered, policies: Sequence[Manifest]) -> Iterator[Finding]:
    """Objects that no policy takes anywhere."""
    gone = {id(one) for policy in policies for _, found in taken(rendered, policy) for one in found}
    along = DEPENDENCIES if any(one["spec"].get("propagateDeps") for one in policies) else STAYS
    for one in rendered.objects:
        own = ".karmada.io/" in str(one["apiVersion"])
        if id(one) not in gone and not own and one["kind"] not in STAYS | along:
            text = "no propagation policy selects it: it would stay in Karmada and run nowhere"
            yield rendered.finding(one, "references/karmada-left", text)


def _clusters(policy: Manifest) -> Iterator[str]:
    placement = policy["spec"].get("placement") or {}
    for affinity in [
        placement.get("clusterAffinity") or {},
        *(placement.get("clusterAffinities") or ()),
    ]:
        yield from affinity.get("clusterNames") or ()


def _overrides(rendered: Rendered, policy: Manifest, clusters: set[str]) -> Iterator[Finding]:
    found = [one for _, objects in taken(rendered, policy) for one in objects]
    for rule in policy["spec"].get("overrideRules") or ():
        for name in (rule.get("targetCluster") or {}).get("clusterNames") or ():
            if clusters and name not in clusters:
                text = f"overrides for cluster {name!r}; the placements name {sorted(clusters)}"
                yield rendered.finding(policy, "references/karmada-cluster", text)
        overriders = rule.get("overriders") or {}
        for entry in overriders.get("plaintext") or ():
            if entry["operator"] != "add":
                yield from _place(rendered, policy, entry["path"], found)
        for entry in overriders.get("fieldOverrider") or ():
            yield from _place(rendered, policy, entry["fieldPath"], found)
        for entry in overriders.get("imageOverrider") or ():
            if path := (entry.get("predicate") or {}).get("path"):
                yield from _place(rendered, policy, path, found)
        names = {
            container["name"]
            for pods in workloads(Rendered(rendered.name, found))
            for container in pods.containers
        }
        for key in ("argsOverrider", "commandOverrider"):
            for entry in overriders.get(key) or ():
                if entry["containerName"] not in names:
                    text = f"{key}: no container {entry['containerName']!r} in what it selects"
                    yield rendered.finding(policy, "references/karmada-override", text)


def _place(
    rendered: Rendered, policy: Manifest, path: str, objects: Sequence[Manifest]
) -> Iterator[Finding]:
    if not all(there(one, path) for one in objects):
        text = f"overrides {path}, which is not in every object that it selects"
        yield rendered.finding(policy, "references/karmada-override", text)


def there(one: Any, pointer: str) -> bool:
    """Whether a JSON pointer leads to something."""
    for part in pointer.strip("/").split("/"):
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(one, Mapping):
            if step not in one:
                return False
            one = one[step]
        elif isinstance(one, list) and step.isdecimal() and int(step) < len(one):
            one = one[int(step)]
        else:
            return False
    return True
