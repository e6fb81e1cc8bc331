"""A server program of somebody else, as a process of one test."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def program(name: str, required_by: str) -> str:
    """Where it is; without it the test skips, or fails where the variable says that it must run."""
    found = shutil.which(name)
    if found is not None:
        return found
    if os.environ.get(required_by) == "1":
        pytest.fail(f"{required_by}=1, and no {name} is installed")
    pytest.skip(f"no {name} is installed")


class ServerProcess:
    """It may be started, stopped and started again; what it says ends up in `log`."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def run(self, line: Sequence[str]) -> None:
        """Start the program with these words."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(line, stdout=log, stderr=log)

    def stop(self) -> None:
        """At once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """It accepts connections and never answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
