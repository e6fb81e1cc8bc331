"""Every object strictly against the schema of its kind, as the API server would take it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from jsonschema.protocols import Validator

from .. import custom, kubernetes
from ..keywords import described, without_nulls
from ..model import Finding, Manifest, Project, Rendered, Skipped
from ..pods import unfolded
from ..sources import yaml_files

Problem = tuple[str, str]


def check(project: Project) -> Iterator[Finding | Skipped]:
    """Schemas of all supported versions, definitions of custom resources, duplicates."""
    known = custom.definitions(project.crds)
    schemas = {version: kubernetes.schemas(version) for version in project.versions}
    there = {version: found for version, found in schemas.items() if found}
    if missing := sorted(schemas.keys() - there.keys()):
        gap = "kubernetes-validate has no schemas of it; a newer release may"
        yield Skipped(f"schemas of Kubernetes {', '.join(missing)}", gap)
    undefined: set[str] = set()
    for rendered in project.rendered:
        yield from _duplicates(rendered)
        for manifest in unfolded(rendered).objects:
            problems: Iterable[Problem]
            group, _, kind = of = kubernetes.kind_of(manifest)
            if any(group in one.groups() for one in there.values()):
                problems = _own(manifest, there)
            elif any((group, kind) == (other, name) for other, _, name in known):
                problems = _custom(manifest, known, of)
            else:
                undefined.add(f"{kind}.{group}")
                problems = ()
            for rule, message in [*problems, *_metadata(manifest, there)]:
                yield rendered.finding(manifest, f"schemas/{rule}", message)
    if undefined:
        yield Skipped(f"schemas of {', '.join(sorted(undefined))}", "no definition (CRDS=folder)")
    yield from _sources(project)


def _own(manifest: Manifest, there: Mapping[str, kubernetes.Schemas]) -> Iterator[Problem]:
    """One of Kubernetes' own kinds; what is wrong in several versions is said once."""
    found: dict[Problem, list[str]] = {}
    kind = kubernetes.kind_of(manifest)
    for version, schemas in there.items():
        validator = schemas.of(kind)
        if validator:
            problems = _errors(validator, without_nulls(manifest))
        else:
            others = ", ".join(schemas.versions(kind[0], kind[2]))
            hint = f"it is served as {others}" if others else "none of that group is"
            said = f"{manifest.get('apiVersion')} has no {kind[2]}; {hint}"
            problems = [("removed-api", said)]
        for problem in problems:
            found.setdefault(problem, []).append(version)
    for (rule, message), versions in found.items():
        where = "" if len(versions) == len(there) else f" (Kubernetes {', '.join(versions)})"
        yield rule, f"{message}{where}"
    namespaced = kind[2] not in kubernetes.CLUSTER_SCOPED
    yield from _scope(manifest, namespaced=namespaced)


def _custom(
    manifest: Manifest, known: Mapping[kubernetes.Kind, custom.Custom], kind: kubernetes.Kind
) -> Iterator[Problem]:
    served = [
        f"{group}/{version}"
        for (group, version, name), one in known.items()
        if (group, name) == (kind[0], kind[2]) and one.served and not one.deprecated
    ]
    found = known.get(kind)
    if found is None or not found.served:
        said = f"{manifest.get('apiVersion')} has no {kind[2]}; it is served as {', '.join(served)}"
        yield "removed-api", said
        return
    if found.deprecated:
        said = f"{manifest.get('apiVersion')} is deprecated; {', '.join(served)} is served as well"
        yield "deprecated-api", said
    yield from _errors(found.validator, manifest)
    yield from _scope(manifest, namespaced=found.namespaced)


def _errors(validator: Validator, value: Any) -> list[Problem]:
    """In the order of the object, each once."""
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    return list(dict.fromkeys(one for error in errors for one in described(error)))


def _scope(manifest: Manifest, *, namespaced: bool) -> Iterator[Problem]:
    namespace = (manifest.get("metadata") or {}).get("namespace")
    if not namespaced and namespace:
        yield "namespace", f"the kind has no namespaces, and this one has {namespace}"


def _metadata(manifest: Manifest, there: Mapping[str, kubernetes.Schemas]) -> Iterator[Problem]:
    """The metadata of custom resources, whose definitions leave it out."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not metadata.get("name"):
        yield "wrong-value", "metadata.name is missing"
        return
    schemas = list(there.values())
    if schemas and kubernetes.kind_of(manifest)[0] not in schemas[-1].groups():
        validator = schemas[-1].named(f"{kubernetes.META}.ObjectMeta")
        for rule, message in _errors(validator, without_nulls(metadata)):
            yield rule, f"metadata: {message}"


def _duplicates(rendered: Rendered) -> Iterator[Finding]:
    seen = set()
    for manifest in rendered.objects:
        group, _, kind = kubernetes.kind_of(manifest)
        metadata = manifest.get("metadata") or {}
        identity = (group, kind, metadata.get("namespace"), metadata.get("name"))
        if identity in seen:
            said = "there is a second one of this kind and name; only one can exist"
            yield rendered.finding(manifest, "schemas/duplicate-object", said)
        seen.add(identity)


def _sources(project: Project) -> Iterator[Finding]:
    """The files as they were written: Kustomize takes the last of two equal keys, silently."""
    for path in yaml_files(project.root):
        name = path.relative_to(project.root).as_posix()
        try:
            for document in yaml.compose_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
                for key in _repeated(document):
                    line = key.start_mark.line + 1
                    said = f"a second {key.value} in one mapping; the first is lost"
                    yield Finding(f"{name}:{line}", "schemas/duplicate-key", said)
        except yaml.YAMLError as exc:
            yield Finding(name, "schemas/yaml", " ".join(str(exc).split()))


def _repeated(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _repeated(value)
