"""The contract as it was at a git revision."""

import shutil
import subprocess
from pathlib import Path


class NothingToCompare(Exception):
    """There is no such revision, or it has no contract."""


def contract_at(revision: str, path: Path) -> str:
    """Its text. Raises `NothingToCompare`."""
    git = shutil.which("git")
    if git is None:
        raise NothingToCompare("git is not installed")
    if not _succeeds(git, "rev-parse", "--git-dir"):
        raise NothingToCompare("this is no git repository yet")
    if not _succeeds(git, "rev-parse", "--verify", "--quiet", revision + "^{commit}"):
        raise NothingToCompare(f"there is no revision {revision}")
    done = _run(git, "show", f"{revision}:./{path.as_posix()}")
    if done.returncode:
        raise NothingToCompare(f"{revision} has no {path}")
    return done.stdout


def _succeeds(*command: str) -> bool:
    return _run(*command).returncode == 0


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
