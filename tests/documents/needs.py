"""What some blocks need that not every machine has; docs/conf.py has the words for the reader."""

import functools
import os
import runpy
import shutil
import subprocess
from collections.abc import Callable, Mapping

from tests.rendering import ROOT


def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def _has_containers() -> bool:
    """Docker's daemon, which is what the pages use; it can fetch images if they are public."""
    return _succeeds("docker", "info") and _succeeds("docker", "compose", "version")


CHECKS: Mapping[str, Callable[[], bool]] = {
    "kubectl": lambda: shutil.which("kubectl") is not None,
    "containers": _has_containers,
    "cluster": lambda: _has_containers() and all(map(shutil.which, ("kind", "kubectl"))),
    "gateway": lambda: False,  # the names in such a block are the reader's
}


@functools.cache
def is_here(name: str) -> bool:
    """Whether this machine has it.

    Raises:
        AssertionError: it has not, and `REQUIRE_<NAME>` says that it must.
    """
    here = CHECKS[name]()
    required = {"containers": "REQUIRE_DOCKER"}.get(name, f"REQUIRE_{name.upper()}")
    assert here or not os.environ.get(required), f"{required} is set, and there is no {name}"
    return here


def told() -> dict[str, str]:
    """What the pages say of each."""
    notes: dict[str, str] = runpy.run_path(str(ROOT / "docs" / "conf.py"))["NEEDS"]
    return notes
