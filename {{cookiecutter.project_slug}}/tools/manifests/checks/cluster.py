"""What a real API server says, where KUBECONFIG leads to one: server-side dry run of each folder.

Nothing is kept. A dry run needs the namespace to be there: where it is not, the folder's objects
are tried in `default`, which asks everything but what the namespace itself would refuse.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import kubernetes
from ..model import Finding, Manifest, Project, Rendered, Skipped

CHECK = "server-side dry run"
LIMIT = 60.0  # seconds
# What a server says of kinds whose definitions it has not.
UNKNOWN = re.compile(r'no matches for kind "(\w+)"|could not find the requested resource')
Problem = tuple[Manifest, str]


def check(project: Project) -> Iterator[Finding | Skipped]:
    """Every folder; a problem names its object."""
    if not os.environ.get("KUBECONFIG"):
        yield Skipped(CHECK, "KUBECONFIG is not set")
        return
    if shutil.which("kubectl") is None:
        yield Skipped(CHECK, "kubectl is not installed here")
        return
    if (asked := _kubectl("version", "--output=json")).returncode:
        yield Skipped(CHECK, f"no server answers: {_last(asked.stderr)}")
        return
    active = ("--field-selector=status.phase=Active", "--output=name")
    there = set(_kubectl("get", "namespaces", *active).stdout.split())
    newest = kubernetes.schemas(project.versions[-1]) if project.versions else None
    own = newest.groups() if newest else frozenset()
    missing: set[str] = set()
    for rendered in project.rendered:
        for manifest, said in _refused(rendered, there):
            if UNKNOWN.search(said) and kubernetes.kind_of(manifest)[0] not in own:
                missing.add(str(manifest["kind"]))
            else:
                yield rendered.finding(manifest, "cluster/dry-run", said)
    if missing:
        yield Skipped(f"{CHECK} of {', '.join(sorted(missing))}", "the server has no such kinds")


def _refused(rendered: Rendered, there: set[str]) -> Iterator[Problem]:
    """All in one call; where that fails, one by one, to know which."""
    objects = [_placed(manifest, there) for manifest in rendered.objects]
    done = _apply(objects)
    if done.returncode or "Warning" in done.stderr:
        for original, manifest in zip(rendered.objects, objects, strict=True):
            one = _apply([manifest])
            warnings = [line for line in one.stderr.splitlines() if line.startswith("Warning")]
            if one.returncode:
                yield original, _last(one.stderr)
            for warning in warnings:
                yield original, warning


def _placed(manifest: Manifest, there: set[str]) -> Manifest:
    """Where it can be tried."""
    metadata: Mapping[str, Any] = manifest.get("metadata") or {}
    home = metadata.get("namespace")
    if not home or f"namespace/{home}" in there:
        return manifest
    return {**manifest, "metadata": {**metadata, "namespace": "default"}}


def _apply(objects: Sequence[Manifest]) -> "subprocess.CompletedProcess[str]":
    return _kubectl(
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server"),
        *("--validate=strict", "--field-manager=manifests", "--filename=-"),
        given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}),
    )


def _kubectl(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603
        ["kubectl", *arguments],  # noqa: S607
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


def _last(text: str) -> str:
    lines = text.strip().splitlines() or ["no word why"]
    return lines[-1]
