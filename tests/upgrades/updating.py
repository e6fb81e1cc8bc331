"""A service that was made from an earlier state, with its user's changes, taken to a later one."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.matrix.slot import Slot
from tests.rendering import RECORD
from tests.services import make

from .edits import edit, edits_of
from .tools import cruft, git

# Written by commands; `make contract` and `make pins` have the last word.
PINS = ("requirements-dev.txt", "requirements.txt")
CONTRACT = "src/orders/contract/"


def created(folder: Path, template: Path, commit: str, answers: Mapping[str, str]) -> Path:
    """The service of one state of the template, recorded by cruft, in a repository of its own."""
    folder.mkdir()
    arguments = ("--checkout", commit, "--extra-context", json.dumps(answers))
    cruft(folder, "create", str(template), "--no-input", "--default-config", *arguments)
    service = folder / answers.get("project_slug", "orders")
    git(service, "init")
    commit_all(service, "As the template writes it")
    return service


def edited(slot: Slot, made: Path) -> Path:
    """Put the service where it can run, and have its user change it; return where it is."""
    service = slot.put(made, sys.executable)
    edit(service, edits_of(made))
    derive(service)
    commit_all(service, "Ours")
    return service


def update(service: Path, *arguments: str) -> list[str]:
    """Take it to the newest state as the guide says; return the pins that conflicted.

    They are settled: they follow from pyproject.toml.

    Raises:
        AssertionError: a command failed, or a file that is written by people conflicts.
    """
    cruft(service, "update", "--skip-apply-ask", *arguments)
    found = sorted(conflicts(service))
    assert set(found) <= set(PINS), git(service, "diff", "--", *(set(found) - set(PINS)))
    git(service, "checkout", "--theirs", "--", *PINS)
    derive(service)
    commit_all(service, "The template's newest state")
    return found


def derive(service: Path) -> None:
    """Write what follows from the service's own files."""
    make(service, "pins")
    make(service, "contract")


def conflicts(service: Path) -> set[str]:
    """The files that could not be merged."""
    unmerged = git(service, "diff", "--name-only", "--diff-filter=U").split()
    rejected = git(service, "ls-files", "--others", "--", "*.rej").split()
    return {*unmerged, *rejected}


def commit_all(service: Path, message: str) -> None:
    """Commit whatever is there."""
    git(service, "add", "--all")
    git(service, "commit", "--message", message)


def differences(service: Path, fresh: Path) -> Iterable[str]:
    """The files that are not those of a new service with the same changes, in bytes and mode.

    What commands write is not compared: nobody but they can say what it has to be.
    """
    ours, theirs = tracked(service), tracked(fresh)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield name


def tracked(service: Path) -> dict[str, tuple[bytes, int]]:
    """Content and mode of the files, less those that commands write."""
    listed = git(service, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    written = {*PINS, RECORD, *(name for name in listed if name.startswith(CONTRACT))}
    paths = {name: service / name for name in listed if name not in written}
    return {
        name: (path.read_bytes(), path.stat().st_mode)
        for name, path in paths.items()
        if path.exists()
    }
