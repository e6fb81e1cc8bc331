"""git and cruft, with nothing of this machine's user in what they do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.services import environment

CONFIG = Path(__file__).with_name("gitconfig")


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` and return what it printed.

    Raises:
        AssertionError: it failed.
    """
    return run(folder, "git", *arguments)


def cruft(folder: Path, *arguments: str) -> str:
    """Run cruft in `folder` and return what it printed, colours left out.

    Raises:
        AssertionError: it failed.
    """
    return run(folder, sys.executable, "-m", "cruft", *arguments)


def run(folder: Path, *command: str) -> str:
    """Run a program in `folder` and return what it printed.

    Raises:
        AssertionError: it failed; the message has its whole output.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def _environment() -> Mapping[str, str]:
    own = {name: value for name, value in environment().items() if not name.startswith("GIT_")}
    # Neither git's nor Cookiecutter's settings of whoever runs the tests.
    config = {"GIT_CONFIG_GLOBAL": str(CONFIG), "GIT_CONFIG_NOSYSTEM": "1"}
    return {**own, **config, "HOME": os.devnull}
