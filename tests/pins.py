"""Resolves every pinned version again: the service's for each option, and the template's own.

`make pins` runs it. What is pinned already stays as it is unless that no longer fits; with
`--upgrade` everything moves to the newest version that resolves.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.rendering import CHOICES, ROOT, TEMPLATE, render

GUARD = '# jinja: if cookiecutter.database == "sql"'
END = "# jinja: endif"
FILES = ("requirements-dev.txt", "requirements.txt")


def _unguarded(pinned: Path) -> str:
    lines = pinned.read_text(encoding="utf-8").splitlines(keepends=True) if pinned.exists() else []
    return "".join(line for line in lines if not line.startswith("# jinja:"))


def guarded(everything: str, without_sql: str) -> str:
    """Merge two lists of pins: a line that only the first one has stands inside a guard.

    Raises:
        ValueError: the second list has a line that the first one lacks, so that the two options
            would not run on the same versions.
    """
    kept = set(without_sql.splitlines())
    lines = everything.splitlines()
    if different := sorted(kept - set(lines)):
        raise ValueError(f"resolved otherwise without a database: {', '.join(different)}")
    merged: list[str] = []
    inside = False
    for line in lines:
        if inside is not (line not in kept):
            merged.append(END if inside else GUARD)
            inside = not inside
        merged.append(line)
    if inside:
        merged.append(END)
    return "\n".join(merged) + "\n"


def _resolve(folder: Path, *arguments: str) -> None:
    # No header, no annotations and no index: the output names packages and versions only.
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"]
    subprocess.run([*command, "--python-version", "3.11", *arguments], cwd=folder, check=True)


def _resolve_service(folder: Path, *arguments: str) -> None:
    group = ("--group", "dev", "pyproject.toml", "-o", "requirements-dev.txt")
    _resolve(folder, *group, *arguments)
    _resolve(folder, "-c", "requirements-dev.txt", "pyproject.toml", "-o", "requirements.txt")


def main(arguments: list[str]) -> None:
    """Write the pinned files of the service and of the template."""
    with tempfile.TemporaryDirectory() as scratch:
        resolved: dict[tuple[str, str], str] = {}
        for database in CHOICES["database"]:
            print(f"Resolving the service with database={database}", flush=True)
            service = render(Path(scratch, database), database=database)
            for name in FILES:
                # What is pinned now, or was just resolved with everything, is what to prefer.
                before = resolved.get(("sql", name)) or _unguarded(TEMPLATE / name)
                service.joinpath(name).write_text(before, encoding="utf-8")
            _resolve_service(service, *(arguments if database == "sql" else ()))
            for name in FILES:
                resolved[database, name] = service.joinpath(name).read_text(encoding="utf-8")
        for name in FILES:
            merged = guarded(resolved["sql", name], resolved["none", name])
            TEMPLATE.joinpath(name).write_text(merged, encoding="utf-8")
    print("Resolving the template's own tools", flush=True)
    _resolve(ROOT, "--group", "dev", "-o", "requirements-dev.txt", *arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
