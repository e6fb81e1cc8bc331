"""The pod of the edge overlay on this machine: its own environment, its folders below a temporary
one, and nothing of what it may lose its link to."""

import functools
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tools.manifests.pods import Workload, workloads
from tools.manifests.rendering import RenderError, kustomize, render
from tools.package import ROOT

from ...support.process import Process, command, free_port, starting

TOKEN = "sixteen-characters-at-least"


@functools.cache
def _rendered() -> tuple[Workload, Mapping[str, str]]:
    try:
        kustomize()
    except RenderError as exc:
        pytest.skip(str(exc))
    folder = render(ROOT, ROOT / "deploy" / "kustomize" / "overlays" / "edge")
    (pods,) = workloads(folder)
    (settings,) = folder.of_kind("ConfigMap")
    return pods, settings["data"]


class Site:
    """One site, with a disk that outlives its pods.

    Args:
        folder: where the disk and the mounted files are.
    """

    def __init__(self, folder: Path) -> None:
        self.pods, hot = _rendered()
        self._folder = folder
        mounted = {one["name"]: one["mountPath"] for one in self.container["volumeMounts"]}
        for path in mounted.values():
            self.path(path).mkdir(parents=True, exist_ok=True)
        for name, value in hot.items():
            self.path(mounted["config"]).joinpath(name).write_text(value)
        self.path(mounted["secret"]).joinpath("management.token").write_text(TOKEN)

    @property
    def container(self) -> Mapping[str, Any]:
        """The service's, as Kubernetes gets it."""
        return next(one for one in self.pods.containers if one["name"] == "service")

    def path(self, inside: str) -> Path:
        """Where a path of the container's is here."""
        return self._folder / inside.lstrip("/")

    def _moved(self, inside: re.Match[str]) -> str:
        return str(self.path(inside[1]))

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """What the manifest says, with this machine's paths and free ports."""
        mounts = "|".join(re.escape(one["mountPath"]) for one in container["volumeMounts"])
        here = functools.partial(re.sub, rf"({mounts})(?=/|\"|$)", self._moved)
        said = {one["name"]: str(one["value"]) for one in container["env"] if "value" in one}
        return {name: here(value) for name, value in said.items()} | {
            "APP_HTTP__HOST": "127.0.0.1",
            "APP_HTTP__PORT": str(free_port()),
            "APP_HTTP__DRAIN_DELAY": "0.5",
            "APP_MANAGEMENT__HOST": "127.0.0.1",
            "APP_MANAGEMENT__PORT": str(free_port()),
        }

    def migrate(self) -> None:
        """What runs before the service."""
        for container in self.pods.spec.get("initContainers") or ():
            done = command(*container["args"], env=self.environment(container))
            assert done.returncode == 0, done.stdout + done.stderr

    def starting(self) -> AbstractContextManager[Process]:
        """The service itself."""
        assert self.container["args"] == ["serve"]
        env = self.environment(self.container)
        # What `starting` would make for a test of its own.
        ours = {"DATABASE__URL": env["APP_DATABASE__URL"]} if "APP_DATABASE__URL" in env else {}
        return starting(self._folder, ours, env=env)
