"""The manifests of this service, rendered, and with a mistake in them."""

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

from tools.manifests.model import Finding, Manifest, Project, Rendered
from tools.manifests.rendering import render_all
from tools.package import ROOT

from ..support.server import program

GONE: Any = object()
Change = Callable[[list[Any]], None]


@functools.cache
def _rendered() -> Sequence[Rendered]:
    return render_all(ROOT)


def rendered() -> Sequence[Rendered]:
    """Every folder as Kustomize renders it."""
    program("kubectl", "REQUIRE_KUBECTL")
    return _rendered()


def production() -> Rendered:
    """What runs in production."""
    return next(one for one in rendered() if one.name.endswith("/production"))


def project(*folders: Rendered, crds: Sequence[Manifest] = ()) -> Project:
    """A project of these folders."""
    return Project(ROOT, folders, crds, ("1.35", "1.36", "1.37"))


def changed(*changes: Change) -> Project:
    """Production alone, after these."""
    found = production()
    objects = copy.deepcopy(list(found.objects))
    for change in changes:
        change(objects)
    return project(Rendered(found.name, objects))


def put(kind: str, path: str, value: Any) -> Change:
    """Set a field of the first object of a kind, or take it out (`GONE`).

    Args:
        path: steps joined by dots; a number is a place in a list, `+` its end.
    """

    def change(objects: list[Any]) -> None:
        at = next(one for one in objects if one["kind"] == kind)
        *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        for step in steps:
            at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
        if value is GONE:
            del at[last]
        elif last == "+":
            at.append(value)
        else:
            at[last] = value

    return change


def rules(findings: Sequence[object]) -> set[str]:
    """The names of the rules that were broken."""
    return {one.rule for one in findings if isinstance(one, Finding)}
