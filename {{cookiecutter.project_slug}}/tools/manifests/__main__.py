"""`python -m tools.manifests`: render every overlay and check it. Run in the service's folder."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..package import ROOT
from .checks import CHECKS
from .model import Check, Finding, Project, Skipped
from .rendering import RenderError, read_crds, render_all

# The three newest minor versions, which Kubernetes itself supports.
VERSIONS = ("1.35", "1.36", "1.37")


def main(
    crds: Annotated[
        list[Path] | None,
        typer.Option(help="definitions of custom resources: files or folders", envvar="CRDS"),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="the checks to make")] = None,
    strict: Annotated[bool, typer.Option(help="fail where a check cannot be made")] = False,
) -> None:
    """Render every overlay and check it."""
    if unknown := sorted(set(only or ()) - CHECKS.keys()):
        print(f"error: no check {', '.join(unknown)}: {', '.join(CHECKS)}", file=sys.stderr)
        raise SystemExit(2)
    began = time.monotonic()
    try:
        rendered = render_all(ROOT)
        project = Project(ROOT, rendered, read_crds(crds or [], rendered), VERSIONS)
    except (RenderError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        raise SystemExit(1) from None
    objects = sum(len(one.objects) for one in rendered)
    print(f"{objects} objects in {len(rendered)} folders ({time.monotonic() - began:.1f} s)")
    found = 0
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        print(f"{name}: ", end="", flush=True)
        began = time.monotonic()
        results = made(name, check, project)
        findings = [one for one in results if isinstance(one, Finding)]
        skipped = [one for one in results if isinstance(one, Skipped)]
        said = f"{len(findings)} findings" if findings else "ok"
        print(f"{said} ({time.monotonic() - began:.1f} s)")
        for one in findings:
            print(f"  {one}")
        for gap in skipped:
            print(f"  not checked: {gap.check}: {gap.reason}")
        found += len(findings) + (len(skipped) if strict else 0)
    print(f"{found or 'no'} findings")
    raise SystemExit(1 if found else 0)


def made(name: str, check: Check, project: Project) -> Sequence[Finding | Skipped]:
    """What this check finds; an object too odd for it to read is a finding as well."""
    results: list[Finding | Skipped] = []
    try:
        results.extend(check(project))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
        said = f"stopped at an object that it cannot read: {type(exc).__name__}: {exc}"
        results.append(Finding(name, f"{name}/unreadable", said))
    return results


if __name__ == "__main__":
    os.chdir(ROOT)
    typer.run(main)
