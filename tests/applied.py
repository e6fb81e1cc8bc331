"""What a rendered service would send to a cluster, for tests that only read it."""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

Manifest = dict[str, Any]


def needed(tool: str) -> str:
    """The path of a tool; the test is skipped where there is none, unless it has to be there."""
    path = shutil.which(tool)
    if path is None:
        if os.environ.get(f"REQUIRE_{tool.upper()}"):
            pytest.fail(f"there is no {tool}, and REQUIRE_{tool.upper()} is set")
        pytest.skip(f"there is no {tool}")
    return path


@functools.cache
def applied(folder: Path) -> list[Manifest]:
    """The objects of one folder, as they would be sent."""
    command = [needed("kubectl"), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(objects: Sequence[Manifest], kind: str) -> list[Manifest]:
    """Those of one kind, in order."""
    return [one for one in objects if one["kind"] == kind]


def group(manifest: Manifest) -> str:
    """The group of an object's API; empty for the core's."""
    return str(manifest["apiVersion"]).rpartition("/")[0]
