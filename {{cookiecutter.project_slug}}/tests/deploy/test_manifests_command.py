"""`make manifests`: what it prints, when it fails, and how it takes what it cannot read."""

import subprocess
import sys

from tools.manifests.__main__ import made
from tools.manifests.checks import CHECKS, posture, schemas
from tools.manifests.model import Finding, Rendered, Skipped
from tools.package import ROOT

from ..support.server import program
from .changed import project


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    program("kubectl", "REQUIRE_KUBECTL")
    return subprocess.run(
        [sys.executable, "-m", "tools.manifests", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_what_it_did() -> None:
    done = run("--only", "posture", "--only", "schemas")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "posture: ok" in done.stdout
    assert "schemas: ok" in done.stdout
    assert done.stdout.endswith("no findings\n")


def test_what_was_not_checked_fails_only_where_all_is_asked_for() -> None:
    # Without definitions, the kinds of the Prometheus operator are not checked.
    done = run("--only", "schemas", "--strict")
    assert "not checked: schemas of" in done.stdout
    assert done.returncode == 1


def test_a_check_that_does_not_exist_is_refused() -> None:
    done = run("--only", "schema")
    assert done.returncode == 2
    assert "no check schema: " in done.stderr


def test_an_object_that_a_check_cannot_read_is_a_finding() -> None:
    odd = project(Rendered("x", [{"apiVersion": "apps/v1", "kind": "Deployment"}]))
    for name, check in (("posture", posture.check), ("schemas", schemas.check)):
        assert any(isinstance(one, Finding) for one in made(name, check, odd))


def test_no_objects_are_no_findings() -> None:
    for name, check in CHECKS.items():
        if name not in {"linters", "monitoring"}:  # these read files as well
            assert all(isinstance(one, Skipped) for one in made(name, check, project())), name
