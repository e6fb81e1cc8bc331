"""Objects go where they belong: namespaces, Argo CD's paths, the groups of edge nodes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..kubernetes import CLUSTER_SCOPED
from ..model import Finding, Manifest, Project, Rendered, kind_and_name
from ..pods import embedded, namespace, unfolded, workloads

# Kinds of Kubernetes itself that belong to no namespace; those that begin with "Cluster" as well.
CLUSTER = CLUSTER_SCOPED | {"GatewayClass", "NodeGroup", "ValidatingPolicy"}
# What stands between two braces in the templates of an ApplicationSet.
TEMPLATED = re.compile(r"[{]{2}-?\s*\.?([A-Za-z0-9_.]+)[^}]*[}]{2}")


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every folder."""
    cluster = CLUSTER | {
        crd["spec"]["names"]["kind"] for crd in project.crds if crd["spec"]["scope"] == "Cluster"
    }
    ours = {crd["spec"]["group"] for crd in project.crds}
    for folder in project.rendered:
        rendered = unfolded(folder)
        yield from _homes(rendered, cluster, ours)
        for application in rendered.of_kind("EdgeApplication"):
            yield from _edge(rendered, application)
        for one in rendered.of_kind("Application", "ApplicationSet"):
            if str(one["apiVersion"]).startswith("argoproj.io/"):
                yield from _argo(project, rendered, one)


def _homes(rendered: Rendered, cluster: frozenset[str], ours: set[str]) -> Iterator[Finding]:
    homes = {one["metadata"]["name"] for one in rendered.of_kind("Namespace")}
    if not homes:
        used = Counter(namespace(one) for one in rendered.objects if namespace(one))
        homes = {name for name, _ in used.most_common(1)}
    for one in rendered.objects:
        kind, home = one["kind"], namespace(one)
        if kind in cluster or kind.startswith("Cluster"):
            continue
        group = str(one["apiVersion"]).rpartition("/")[0]
        if home and homes and home not in homes:
            text = f"goes to namespace {home!r}, the folder is that of {', '.join(sorted(homes))}"
            yield rendered.finding(one, "references/namespace", text)
        elif not home and ("." not in group or group.endswith(".k8s.io") or group in ours):
            text = "has no namespace: it would go where the context of kubectl points"
            yield rendered.finding(one, "references/namespace", text)


def _edge(rendered: Rendered, application: Manifest) -> Iterator[Finding]:
    inner = Rendered(rendered.name, embedded(application))
    if not inner.objects:
        yield rendered.finding(application, "references/edge", "holds no object")
    containers = {one["name"] for pods in workloads(inner) for one in pods.containers}
    groups = {one["metadata"]["name"] for one in rendered.of_kind("NodeGroup")}
    scope = application["spec"].get("workloadScope") or {}
    for target in scope.get("targetNodeGroups") or ():
        if groups and target["name"] not in groups:
            text = f"NodeGroup {target['name']!r} is not in this folder; it has {sorted(groups)}"
            yield rendered.finding(application, "references/edge", text)
        for overriders in (target.get("overriders") or {}).values():
            for one in overriders if isinstance(overriders, list) else ():
                if "containerName" in one and one["containerName"] not in containers:
                    text = f"overrides container {one['containerName']!r}, which no pod has"
                    yield rendered.finding(application, "references/edge", text)


def _argo(project: Project, rendered: Rendered, one: Manifest) -> Iterator[Finding]:
    template = one["spec"]["template"]["spec"] if one["kind"] == "ApplicationSet" else one["spec"]
    sources = template.get("sources") or [template.get("source") or {}]
    values = list(_parameters(project.root, one))
    for source in sources:
        if "path" in source:
            yield from _paths(project, rendered, one, source["path"], values)
    yield from _destinations(project, rendered, one, template, values)
    name = template.get("project", "default")
    if name != "default" and rendered.find("AppProject", name) is None:
        text = f"AppProject {name!r} is not in this folder"
        yield rendered.finding(one, "references/argocd", text)


def _parameters(root: Path, one: Manifest) -> Iterator[Mapping[str, str]]:
    """What the generators of an ApplicationSet give its template, one map for each application."""
    if one["kind"] == "Application":
        yield {}
    for generator in one["spec"].get("generators") or ():
        for element in (generator.get("list") or {}).get("elements") or ():
            yield dict(element)
        for directory in (generator.get("git") or {}).get("directories") or ():
            for path in sorted(root.glob(directory["path"])):
                place = path.relative_to(root).as_posix()
                yield {"path.path": place, "path.basename": path.name}


class _Unfilled(Exception):
    """A template wants what no generator gives; the message says which."""


def _filled(what: str, text: str, values: Mapping[str, str]) -> str:
    """The text of one application. Raises `_Unfilled`."""
    try:
        return TEMPLATED.sub(lambda found: str(values[found[1]]), text)
    except KeyError as exc:
        said = f"{what} {text!r} wants {exc}, which its generator does not give"
        raise _Unfilled(said) from None


def _paths(
    project: Project,
    rendered: Rendered,
    one: Manifest,
    path: str,
    values: Sequence[Mapping[str, str]],
) -> Iterator[Finding]:
    if not values:
        yield rendered.finding(one, "references/argocd", "its generators give nothing")
    for given in values:
        try:
            place = _filled("path", path, given)
        except _Unfilled as exc:
            yield rendered.finding(one, "references/argocd", str(exc))
            continue
        if not (project.root / place / "kustomization.yaml").exists():
            text = f"path {place!r} is no folder with a kustomization.yaml in this repository"
            yield rendered.finding(one, "references/argocd", text)


def _allowed(project: Manifest | None, folder: Rendered | None) -> Iterator[str]:
    """Kinds that the project does not let its applications have."""
    spec = (project or {}).get("spec", {})
    lists = [spec.get(f"{scope}ResourceWhitelist") for scope in ("namespace", "cluster")]
    if None in lists or folder is None:
        return
    known = {(entry["group"], entry["kind"]) for entries in lists for entry in entries or ()}
    for manifest in folder.objects:
        group, kind = str(manifest["apiVersion"]).rpartition("/")[0], manifest["kind"]
        if not known & {(group, kind), (group, "*"), ("*", "*")}:
            yield f"the AppProject lets it have no {kind} ({group or 'core'})"


def _destinations(
    project: Project,
    rendered: Rendered,
    one: Manifest,
    template: Mapping[str, Any],
    values: Sequence[Mapping[str, str]],
) -> Iterator[Finding]:
    """The namespace that it names is that of the folder which it applies."""
    wanted = (template.get("destination") or {}).get("namespace")
    path = (template.get("source") or {}).get("path")
    if not wanted or not path:
        return
    project_of = rendered.find("AppProject", template.get("project", ""))
    allowed = (project_of or {}).get("spec", {}).get("destinations")
    for given in values:
        try:
            place = _filled("path", path, given)
        except _Unfilled:
            continue  # said above
        try:
            home = _filled("namespace", wanted, given)
        except _Unfilled as exc:
            yield rendered.finding(one, "references/argocd", str(exc))
            continue
        folder = next((other for other in project.rendered if other.name == place), None)
        spaces = folder.of_kind("Namespace") if folder else ()
        homes = {found["metadata"]["name"] for found in spaces}
        for text in _allowed(project_of, folder):
            yield rendered.finding(one, "references/argocd", f"{place}: {text}")
        if homes and home not in homes:
            text = f"destination {home!r}: {place} is for namespace {', '.join(sorted(homes))}"
            yield rendered.finding(one, "references/argocd", text)
        if allowed is not None and not any(
            re.fullmatch(str(entry.get("namespace", "")).replace("*", ".*"), home)
            for entry in allowed
        ):
            text = f"{kind_and_name(project_of or {})} does not allow namespace {home!r}"
            yield rendered.finding(one, "references/argocd", text)
