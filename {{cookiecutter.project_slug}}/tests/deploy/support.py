"""The manifests of this service, as they are and with something wrong in them."""

import os
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tools.manifests.__main__ import VERSIONS, made
from tools.manifests.checks import CHECKS
from tools.manifests.model import Finding, Project, Rendered, Skipped
from tools.manifests.rendering import RenderError, kustomize, render
from tools.package import ROOT

# What needs programs of others has tests of its own.
QUICK = [name for name in CHECKS if name not in {"cluster", "linters", "monitoring", "policies"}]


def overlay(name: str) -> str:
    """The folder of an environment."""
    return f"deploy/kustomize/overlays/{name}"


def needs_kustomize() -> None:
    """Skip where nothing renders, unless REQUIRE_KUSTOMIZE=1 says that it must be there."""
    try:
        kustomize()
    except RenderError as exc:
        if os.environ.get("REQUIRE_KUSTOMIZE") == "1":
            raise
        pytest.skip(str(exc))


@cache
def rendered(place: str) -> Rendered:
    """A folder as it is."""
    needs_kustomize()
    return render(ROOT, ROOT / place)


def project(*folders: Rendered, root: Path = ROOT) -> Project:
    """What the checks look at."""
    return Project(root, folders, (), VERSIONS)


def findings(project: Project, checks: Iterable[str] = QUICK) -> list[Finding | Skipped]:
    """Of these checks, in the process of the test."""
    return [one for name in checks for one in made(name, CHECKS[name], project)]


def rules(project: Project, checks: Iterable[str] = QUICK) -> set[str]:
    """The names of the rules that are broken."""
    return {one.rule for one in findings(project, checks) if isinstance(one, Finding)}


@cache
def rules_as_it_is(place: str) -> frozenset[str]:
    """What is found in a folder by itself; there may be what only the others make right."""
    return frozenset(rules(project(rendered(place))))


def copied(into: Path) -> Path:
    """The parts of the service that are deployed, to be changed."""
    for part in ("deploy", "observability"):
        shutil.copytree(ROOT / part, into / part)
    return into
