"""What is to be written: rehearsed in a copy of the service, then put in place, all or nothing."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .refusal import Refusal

# What the contract's generator and ruff need to see.
NEEDED = ("contract", "src", "tools", "pyproject.toml")
Files = dict[str, str]  # by path below the service's folder


def rehearsed(root: Path, files: Files) -> Files:
    """The files as they will be: formatted, and with the code that the contract gives.

    A file that `make lint` had nothing against is formatted again, any other stays as it is.

    Raises:
        Refusal: the contract would not be accepted, or a module would not be Python.
    """
    python = [name for name in files if name.endswith(".py")]
    new = [name for name in python if not (root / name).exists()]
    tidy = [name for name in python if name in new or _is_tidy(root, name)]
    with tempfile.TemporaryDirectory(prefix="grow-") as scratch:
        copy = Path(scratch)
        for name in NEEDED:
            _copy(root / name, copy / name)
        for name, text in files.items():
            path = copy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            foreign = "\r\n" in (_before(root / name) or "")
            _write(path, text.replace("\n", "\r\n") if foreign else text)
        fix = ("check", "--quiet", "--fix", "--exit-zero", "--select")
        # Their texts import what only some answers need; what else is unused is its owner's.
        _ruff(copy, *fix, "F401", *new)
        _ruff(copy, *fix, "I", *tidy)
        _ruff(copy, "format", "--quiet", *tidy)
        generated = _generated(copy) if "contract/openapi.yaml" in files else []
        return {name: _read(copy / name) for name in (*files, *generated)}


def install(root: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files that differ; returns their names. What fails leaves all as it was.

    Raises:
        Refusal: they cannot be written, for the reason that the system gives.
    """
    changed = {name: text for name, text in files.items() if _before(root / name) != text}
    moved: list[Path] = []
    placed: list[Path] = []
    try:
        # All bytes are on the disk before the first name points at them.
        for name, text in changed.items():
            _write(_beside(root / name, "new"), text)
            if (root / name).exists():
                shutil.copymode(root / name, _beside(root / name, "new"))
        for path in (root / name for name in changed):
            if path.exists():
                path.rename(_beside(path, "old"))
                moved.append(path)
            _beside(path, "new").rename(path)
            placed.append(path)
    except BaseException as exc:  # Ctrl-C too
        # Removals and renames only: they need no space on the disk.
        for path in placed:
            path.unlink()
        for path in moved:
            _beside(path, "old").rename(path)
        for name in changed:
            with suppress(OSError):
                _beside(root / name, "new").unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise Refusal(f"nothing was changed: {exc.filename}: {exc.strerror}") from None
        raise
    for path in moved:
        _beside(path, "old").unlink()
    return sorted(changed)


def _beside(path: Path, state: str) -> Path:
    return path.with_name(f".{path.name}.{state}")


def _is_tidy(root: Path, name: str) -> bool:
    checks = (("check", "--quiet", "--select", "I"), ("format", "--quiet", "--check"))
    return all(_run_ruff(root, *one, name).returncode == 0 for one in checks)


def _ruff(root: Path, *words: str) -> None:
    done = _run_ruff(root, *words)
    if done.returncode:
        raise Refusal(f"the new code would not be Python: {done.stderr.strip().splitlines()[0]}")


def _run_ruff(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ruff", *words, "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603


def _generated(copy: Path) -> list[str]:
    """Runs the contract's own command there; the names of what it keeps."""
    command = [sys.executable, "-m", "tools.contract", "generate"]
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Refusal(f"contract/openapi.yaml: {reason.removeprefix('error: ')}")
    [package] = copy.glob("src/*/contract")
    return [str(path.relative_to(copy)) for path in package.glob("*.py")]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _before(path: Path) -> str | None:
    return _read(path) if path.exists() else None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _read(path: Path) -> str:
    """With the ends of its lines as they are."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
