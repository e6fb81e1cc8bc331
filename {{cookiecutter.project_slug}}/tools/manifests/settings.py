"""The settings that would be in force in a container, by the service's own code."""

import asyncio
import importlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..package import PACKAGE
from .model import Manifest, Project, Rendered
from .pods import Workload, namespace, unfolded, workloads
from .stand_ins import Stand, stand_ins

REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def module(name: str) -> Any:
    """One of the service's own."""
    return importlib.import_module(f"{PACKAGE}.{name}")


@dataclass(slots=True)
class Running:
    """A container that runs the service, and what it would run with.

    Attributes:
        words: what follows the name of the program: `serve`, `migrate`.
        environ: its environment; what only a cluster knows is a stand-in.
        mounts: what ConfigMaps and Secrets bring, by the path of the mount, as files.
        maps: those of `mounts` that are ConfigMaps, which may change while it runs.
        settings: in force; None: refused, and `problems` says why in the service's words.
        layers: what each of the directories says, by its path.
        origins: the layer of each setting.
    """

    workload: Workload
    container: Manifest
    words: Sequence[str]
    environ: Mapping[str, str]
    mounts: Mapping[str, Mapping[str, str]]
    maps: frozenset[str]
    settings: Any = None
    problems: Sequence[str] = ()
    layers: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[Any, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the container."""
        return str(self.container["name"])


class _Last:
    """What was asked for last: three checks ask for the same."""

    def __init__(self) -> None:
        self.project: Project | None = None
        self.found: Sequence[tuple[Rendered, Running]] = ()


_last = _Last()


def running(project: Project) -> Sequence[tuple[Rendered, Running]]:
    """Every container of the service in every folder."""
    if _last.project is not project:
        _last.project, _last.found = project, list(_running(project))
    return _last.found


def _running(project: Project) -> Iterator[tuple[Rendered, Running]]:
    outside = stand_ins(project.root)
    for folder in project.rendered:
        rendered = unfolded(folder)
        found = list(workloads(rendered))
        images = {
            container.get("image")
            for workload in found
            for container in workload.containers
            if any(_ours(one["name"]) for one in container.get("env") or ())
        }
        for workload in found:
            if "workloadRef" in workload.manifest.get("spec", {}):
                continue  # a Rollout, whose pods are those of the workload that it names
            for container in workload.containers:
                if container.get("image") in images:
                    yield rendered, _opened(rendered, workload, container, outside)


def _ours(variable: str) -> bool:
    return variable.startswith("APP_")


def _opened(
    rendered: Rendered, workload: Workload, container: Manifest, outside: Mapping[str, Stand]
) -> Running:
    held = _Held(rendered, namespace(workload.manifest), outside)
    mounts, maps = _mounts(held, workload, container)
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if container.get("command"):  # python -m package serve
        words = words[words.index(PACKAGE) + 1 :] if PACKAGE in words else words[1:]
    one = Running(workload, container, words, _environ(held, container), mounts, frozenset(maps))
    with tempfile.TemporaryDirectory() as folder:
        for mount, files in mounts.items():
            place = Path(folder + mount)
            place.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                place.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                place.joinpath(name).write_text(text, encoding="utf-8")
        _open(one, folder)
    return one


def _open(one: Running, folder: str) -> None:
    """Read the settings as the container would, its paths being below `folder`."""
    environ = dict(one.environ)
    for name in ("APP_CONFIG__DIRECTORIES", "APP_CONFIG__FILE"):
        if name in environ:
            environ[name] = re.sub(r'(^|")(/)', rf"\1{folder}\2", environ[name])
    opening, settings = module("runtime.config.opening"), module("settings")
    centres = module("runtime.config.centres").CENTRES
    # The centre is not asked: what it holds is no part of the manifests.
    explicit = {"config": {"source": ""}} if "APP_CONFIG__SOURCE" in environ else {}

    async def read() -> Any:
        config = await opening.open_configuration(settings.Settings, centres, environ, explicit)
        await config.aclose()
        return config

    try:
        config = asyncio.run(read())
    except module("runtime.config.problems").InvalidSettings as exc:
        one.problems = [problem.replace(folder, "") for problem in exc.problems]
        return
    one.settings = config.settings
    one.origins = config.snapshots.current.origins
    one.layers = {
        name.removeprefix("directory ").removeprefix(folder): state.accepted
        for name, state in config.states.items()
        if state.accepted is not None
    }


@dataclass(frozen=True, slots=True)
class _Held:
    """ConfigMaps and Secrets of a namespace."""

    rendered: Rendered
    home: str
    outside: Mapping[str, Stand]

    def data(self, kind: str, source: Mapping[str, Any]) -> Mapping[str, str]:
        """What it holds; nothing if it may be missing, or is: another check says so."""
        name = source.get("secretName") or source.get("name") or ""
        found = self.rendered.find(kind, name)
        if found is not None and namespace(found) == self.home:
            return {**(found.get("data") or {}), **(found.get("stringData") or {})}
        if kind == "Secret" and not source.get("optional"):
            return self.outside.get(name, {})
        return {}


def _environ(held: _Held, container: Manifest) -> Mapping[str, str]:
    environ: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            for name, value in held.data(kind, source.get(key) or {}).items():
                environ[source.get("prefix", "") + name] = str(value)
    for variable in container.get("env") or ():
        origin = variable.get("valueFrom") or {}
        value = str(variable.get("value", ""))
        for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if key in origin:
                data = held.data(kind, origin[key])
                if origin[key]["key"] not in data:
                    break
                value = data[origin[key]["key"]]
        else:
            value = "stand-in" if {"fieldRef", "resourceFieldRef"} & set(origin) else value
            environ[variable["name"]] = _expanded(value, environ)
    return environ


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """As the kubelet does: what is not known stays as it is."""
    return REFERENCE.sub(lambda found: known.get(found[1], found[0]), value)


def _mounts(
    held: _Held, workload: Workload, container: Manifest
) -> tuple[dict[str, dict[str, str]], set[str]]:
    volumes = {one["name"]: one for one in workload.spec.get("volumes") or ()}
    mounts: dict[str, dict[str, str]] = {}
    maps = set()
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"], {})
        for source in [volume, *(volume.get("projected", {}).get("sources") or ())]:
            for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret")):
                if key not in source:
                    continue
                files = mounts.setdefault(mount["mountPath"], {})
                files.update(_files(held.data(kind, source[key]), source[key]))
                if kind == "ConfigMap":
                    maps.add(mount["mountPath"])
    return mounts, maps


def _files(data: Mapping[str, str], source: Mapping[str, Any]) -> Mapping[str, str]:
    items = source.get("items")
    if not items:
        return data
    return {item["path"]: data[item["key"]] for item in items if item["key"] in data}
