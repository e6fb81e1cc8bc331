"""Writes the generated package, and proves it against the contract before it is kept."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from .document import Refusal
from .emit.api import api
from .emit.client import client
from .emit.models import models
from .emit.operations import operations
from .emit.plan import plan
from .emit.text import HEADER
from .reader import read

INIT: Final = HEADER + '"""The contract in Python."""\n'


def render(contract_file: Path, depth: int = 2) -> dict[str, str]:
    """File names and their text, formatted. Raises `Refusal`.

    Args:
        depth: how many names the package has; 2 for `orders.contract`.
    """
    contract = read(contract_file)
    plans = plan(contract)
    files = {
        "__init__.py": INIT,
        "operations.py": operations(contract, plans),
        "api.py": api(plans),
        "client.py": client(contract, plans),
    }
    # Last: the others may have given names to inline schemas.
    files["models.py"] = models(contract)
    runtime = f"from {'.' * depth}runtime."
    files = {name: text.replace("from ..runtime.", runtime) for name, text in files.items()}
    return _formatted(files)


def _formatted(files: dict[str, str]) -> dict[str, str]:
    """As `make fix` would leave them: imports that are not used go, lines are wrapped."""
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        config = ["--config", str(Path.cwd() / "pyproject.toml"), "--no-cache", "--quiet"]
        config += ["--target-version", "py311"]  # the same for every service
        for arguments in (
            ("check", "--fix", "--unsafe-fixes", "--exit-zero", "--select", "F401,I,RUF,UP,PIE"),
            ("format",),
            ("check", "--fix", "--exit-zero", "--select", "I"),
            # The contract's own long words, and its own unions.
            ("check", "--add-noqa", "--select", "E501,PYI051"),
        ):
            command = [sys.executable, "-m", "ruff", *arguments, *config, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                raise Refusal("", f"the emitted code is not Python: {done.stderr.strip()}")
        return {name: Path(folder, name).read_text(encoding="utf-8") for name in files}


def write(files: dict[str, str], package: Path) -> list[str]:
    """Replace the package's files; returns the names of those that changed."""
    package.mkdir(parents=True, exist_ok=True)
    changed = [name for name in stale(files, package) if name in files]
    for name in stale(files, package):
        if name in files:
            (package / name).write_text(files[name], encoding="utf-8")
        else:
            (package / name).unlink()
    shutil.rmtree(package / "__pycache__", ignore_errors=True)
    return changed


def stale(files: dict[str, str], package: Path) -> list[str]:
    """The names of files that differ from what would be written, missing and surplus ones too."""
    there = {path.name: path for path in package.glob("*.py")}
    return sorted(
        name
        for name in files.keys() | there.keys()
        if name not in files
        or name not in there
        or there[name].read_text(encoding="utf-8") != files[name]
    )
