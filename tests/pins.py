"""Resolves every pinned version again: the service's for each option, and the template's own.

`make pins` runs it. What is pinned already stays as it is unless that no longer fits; with
`--upgrade` everything moves to the newest version that resolves.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.rendering import ROOT, TEMPLATE, render

# The options that bring dependencies, with one that does and the answer that brings none.
OPTIONS = {"database": ("sql", "none"), "auth": ("jwt", "none"), "policy": ("kyverno", "none")}
END = "# jinja: endif"
FILES = ("requirements-dev.txt", "requirements.txt")


def guard(option: str) -> str:
    """The line before what only this option needs."""
    return f'# jinja: if cookiecutter.{option} != "{OPTIONS[option][1]}"'


def _unguarded(pinned: Path) -> str:
    lines = pinned.read_text(encoding="utf-8").splitlines(keepends=True) if pinned.exists() else []
    return "".join(line for line in lines if not line.startswith("# jinja:"))


def guarded(everything: str, without: Mapping[str, str]) -> str:
    """Merge lists of pins: a line that is gone without an option stands inside its guard.

    Args:
        everything: the list with all options.
        without: the list without each of them.

    Raises:
        ValueError: a list has a line that the whole one lacks, so that the options would not
            run on the same versions; or a line is gone without either of two options.
    """
    lines = everything.splitlines()
    kept = {option: set(text.splitlines()) for option, text in without.items()}
    for option, some in kept.items():
        if different := sorted(some - set(lines)):
            raise ValueError(f"resolved otherwise without {option}: {', '.join(different)}")
    merged: list[str] = []
    inside: str | None = None
    for line in lines:
        needed_by = [option for option, some in kept.items() if line not in some]
        if len(needed_by) > 1:
            raise ValueError(f"gone without any of {', '.join(needed_by)}: {line}")
        wanted = next(iter(needed_by), None)
        if inside != wanted:
            merged += [END] if inside else []
            merged += [guard(wanted)] if wanted else []
            inside = wanted
        merged.append(line)
    return "\n".join([*merged, *([END] if inside else [])]) + "\n"


def _resolve(folder: Path, *arguments: str) -> None:
    # No header, no annotations and no index: the output names packages and versions only.
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"]
    subprocess.run([*command, "--python-version", "3.11", *arguments], cwd=folder, check=True)


def _resolve_service(folder: Path, *arguments: str) -> None:
    group = ("--group", "dev", "pyproject.toml", "-o", "requirements-dev.txt")
    _resolve(folder, *group, *arguments)
    # What the image holds comes with hashes: a registry cannot slip in other bytes.
    runtime = ("--generate-hashes", "-c", "requirements-dev.txt", "pyproject.toml")
    _resolve(folder, *runtime, "-o", "requirements.txt")


def _resolved(
    into: Path, answers: Mapping[str, str], prefer: Mapping[str, str], arguments: list[str]
) -> dict[str, str]:
    """The pins of the service with these answers; what is pinned now, or preferred, stays."""
    print(f"Resolving the service with {answers}", flush=True)
    service = render(into, **answers)
    for name in FILES:
        before = prefer.get(name) or _unguarded(TEMPLATE / name)
        service.joinpath(name).write_text(before, encoding="utf-8")
    _resolve_service(service, *arguments)
    return {name: service.joinpath(name).read_text(encoding="utf-8") for name in FILES}


def main(arguments: list[str]) -> None:
    """Write the pinned files of the service and of the template."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = {option: answers[0] for option, answers in OPTIONS.items()}
        everything = _resolved(Path(scratch, "all"), whole, {}, arguments)
        without = {
            option: _resolved(Path(scratch, option), whole | {option: answer}, everything, [])
            for option, (_, answer) in OPTIONS.items()
        }
        for name in FILES:
            lists = {option: found[name] for option, found in without.items()}
            merged = guarded(everything[name], lists)
            TEMPLATE.joinpath(name).write_text(merged, encoding="utf-8")
    print("Resolving the template's own tools", flush=True)
    _resolve(ROOT, "--group", "dev", "-o", "requirements-dev.txt", *arguments)
    _resolve(ROOT, "--group", "docs", "-o", "docs/requirements.txt", *arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
