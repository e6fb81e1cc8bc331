"""The states of the template: earlier ones from its history, the newest as it is checked out."""

import os
from pathlib import Path

import pytest

from tests.rendering import ROOT, TEMPLATE

from .tools import git

# Names rather than tags: a clone in a pipeline has no tags.
STATES = Path(__file__).with_name("states.txt")


def last_states(count: int = 3) -> dict[str, str]:
    """The commits of the last versions, the oldest first."""
    lines = STATES.read_text(encoding="utf-8").splitlines()
    states = dict(line.split() for line in lines if not line.startswith("#"))
    return dict(list(states.items())[-count:])


def repository(folder: Path) -> Path:
    """A repository with the history of this one; its last commit is what is checked out here.

    Skips the test where that history is not here, unless REQUIRE_HISTORY is set.
    """
    folder.mkdir()
    if not ROOT.joinpath(".git").exists():
        _without("this is no git repository")
    git(folder, "init")
    git(folder, "fetch", "--update-head-ok", "--update-shallow", str(ROOT), "HEAD:refs/heads/main")
    commits = git(folder, "rev-list", "main").split()
    if missing := sorted(set(last_states().values()).difference(commits)):
        _without(f"no {', '.join(missing)} in its history: git fetch --unshallow brings all of it")
    # What is not committed yet is to be tested, too.
    work = ("--literal-pathspecs", "--work-tree", str(ROOT))
    git(folder, "read-tree", "main")
    git(folder, *work, "add", "--all", "--", "cookiecutter.json", "hooks", TEMPLATE.name)
    if git(folder, "diff", "--cached", "--name-only", "main"):
        git(folder, "commit", "--message", "As it is checked out")
    git(folder, "reset", "--hard")
    return folder


def _without(reason: str) -> None:
    if os.environ.get("REQUIRE_HISTORY"):
        pytest.fail(f"{reason}, and REQUIRE_HISTORY is set")
    pytest.skip(reason)
