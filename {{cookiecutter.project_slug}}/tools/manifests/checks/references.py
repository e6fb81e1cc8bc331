"""What pods name exists: settings, secrets, accounts, volumes, their own labels and ports."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Finding, Manifest, Project, Rendered
from ..pods import ADDED, Workload, matches, namespace, unfolded, workloads
from ..stand_ins import EXAMPLE, Stand, stand_ins

DATA = ("data", "stringData", "binaryData")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
Items = Iterator[tuple[str, str, list[str], bool]]


def check(project: Project) -> Iterator[Finding]:
    """Every rule on every folder."""
    outside = stand_ins(project.root)
    for folder in project.rendered:
        rendered = unfolded(folder)
        for workload in workloads(rendered):
            yield from _sources(rendered, workload, outside)
            yield from _account(rendered, workload)
            yield from _volumes(rendered, workload)
            yield from _own_labels(rendered, workload)
            yield from _ports(rendered, workload)
            yield from _images(rendered, workload)


def named(workload: Workload) -> Items:
    """ConfigMaps and Secrets: the kind, the name, the keys, whether it may be missing."""
    for volume in workload.spec.get("volumes") or ():
        for source in [volume, *(volume.get("projected", {}).get("sources") or ())]:
            if "configMap" in source:
                yield _from_volume("ConfigMap", source["configMap"], "name")
            if "secret" in source:
                key = "secretName" if source is volume else "name"
                yield _from_volume("Secret", source["secret"], key)
    for container in workload.containers:
        yield from _from_environment(container)
    for secret in workload.spec.get("imagePullSecrets") or ():
        yield "Secret", secret["name"], [], False


def _from_environment(container: Manifest) -> Items:
    for source in container.get("envFrom") or ():
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if found := source.get(key):
                yield kind, found["name"], [], bool(found.get("optional"))
    for variable in container.get("env") or ():
        for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if found := (variable.get("valueFrom") or {}).get(key):
                yield kind, found["name"], [found["key"]], bool(found.get("optional"))


def _from_volume(
    kind: str, source: Mapping[str, Any], key: str
) -> tuple[str, str, list[str], bool]:
    keys = [item["key"] for item in source.get("items") or ()]
    return kind, source.get(key, ""), keys, bool(source.get("optional"))


def _sources(
    rendered: Rendered, workload: Workload, outside: Mapping[str, Stand]
) -> Iterator[Finding]:
    for kind, name, keys, optional in named(workload):
        if optional:
            continue
        found = _local(rendered, kind, name, workload)
        if found is not None:
            has = {key for part in DATA for key in found.get(part) or ()}
        elif kind == "Secret" and name in outside:
            has = set(outside[name])
        else:
            text = f"{kind} {name!r} is not in this folder"
            if kind == "Secret":
                text += f", {EXAMPLE} does not name it, and it is not optional"
            yield rendered.finding(workload.manifest, "references/source", text)
            continue
        for key in keys:
            if key not in has:
                text = f"{kind} {name!r} has no key {key!r}; it has {_listed(has)}"
                yield rendered.finding(workload.manifest, "references/source-key", text)


def _local(rendered: Rendered, kind: str, name: str, workload: Workload) -> Manifest | None:
    found = rendered.find(kind, name)
    here = found is not None and namespace(found) == namespace(workload.manifest)
    return found if here else None


def _account(rendered: Rendered, workload: Workload) -> Iterator[Finding]:
    name = workload.spec.get("serviceAccountName", "default")
    if name != "default" and _local(rendered, "ServiceAccount", name, workload) is None:
        text = f"ServiceAccount {name!r} is not in this folder: no pod would be made"
        yield rendered.finding(workload.manifest, "references/account", text)


def _volumes(rendered: Rendered, workload: Workload) -> Iterator[Finding]:
    volumes = workload.spec.get("volumes") or ()
    names = {one["name"] for one in volumes}
    claims = workload.manifest.get("spec", {}).get("volumeClaimTemplates") or ()
    names |= {one["metadata"]["name"] for one in claims}
    used = set()
    for container in workload.containers:
        paths = set()
        for mount in container.get("volumeMounts") or ():
            used.add(mount["name"])
            if mount["name"] not in names:
                text = f"container {container['name']!r} mounts {mount['name']!r}"
                text += f", which is no volume; there are {_listed(names)}"
                yield rendered.finding(workload.manifest, "references/volume", text)
            if mount["mountPath"] in paths:
                text = f"container {container['name']!r} mounts two volumes at {mount['mountPath']}"
                yield rendered.finding(workload.manifest, "references/volume", text)
            paths.add(mount["mountPath"])
    for name in sorted(names - used):
        text = f"volume {name!r} is mounted nowhere"
        yield rendered.finding(workload.manifest, "references/volume", text)
    for volume in volumes:
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and _local(rendered, "PersistentVolumeClaim", claim, workload) is None:
            text = f"PersistentVolumeClaim {claim!r} is not in this folder"
            yield rendered.finding(workload.manifest, "references/source", text)


def _own_labels(rendered: Rendered, workload: Workload) -> Iterator[Finding]:
    own = workload.manifest.get("spec", {}).get("selector")
    if isinstance(own, Mapping) and not matches(own, workload.labels):
        text = "its selector does not take the labels of its own pods"
        yield rendered.finding(workload.manifest, "references/own-labels", text)
    for spread in workload.spec.get("topologySpreadConstraints") or ():
        missing = [
            key
            for key in spread.get("matchLabelKeys") or ()
            if key not in ADDED and key not in workload.labels
        ]
        if missing or not matches(spread.get("labelSelector") or {}, workload.labels):
            text = f"the spread over {spread['topologyKey']} does not count its own pods"
            yield rendered.finding(workload.manifest, "references/own-labels", text)
    affinity = (workload.spec.get("affinity") or {}).get("podAntiAffinity") or {}
    for term in [
        *(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()),
        *(
            one["podAffinityTerm"]
            for one in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ),
    ]:
        if not matches(term.get("labelSelector") or {}, workload.labels):
            text = f"the anti-affinity over {term['topologyKey']} does not keep its own pods apart"
            yield rendered.finding(workload.manifest, "references/own-labels", text)


def _ports(rendered: Rendered, workload: Workload) -> Iterator[Finding]:
    for container in workload.containers:
        has = {port.get("name") for port in container.get("ports") or ()} - {None}
        asked = [(probe, container.get(probe) or {}) for probe in PROBES]
        for moment, hook in (container.get("lifecycle") or {}).items():
            asked.append((moment, hook))
        for what, action in asked:
            for kind in ("httpGet", "tcpSocket"):
                port = (action.get(kind) or {}).get("port")
                if isinstance(port, str) and port not in has:
                    text = f"{what} of {container['name']!r} asks port {port!r}"
                    text += f", which is none of {_listed(has)}"
                    yield rendered.finding(workload.manifest, "references/port", text)


def _images(rendered: Rendered, workload: Workload) -> Iterator[Finding]:
    for container in workload.containers:
        image = str(container.get("image", ""))
        if ":" not in image.rpartition("/")[2]:
            text = f"image {image!r} of {container['name']!r} is a placeholder"
            text += ": no entry of `images:` in the kustomization.yaml names it"
            yield rendered.finding(workload.manifest, "references/image", text)


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(str, names))) or "nothing"
