"""The Pythons of this machine."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PYENV = "~/.pyenv"
SHOWN = "import ssl, sqlite3, sys; print('%d.%d' % sys.version_info[:2])"


@functools.cache
def interpreter(version: str) -> str | None:
    """One of exactly this version, such as `3.12`, or nothing."""
    for path in _candidates(version):
        done = subprocess.run([path, "-c", SHOWN], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return path
    return None


def _candidates(version: str) -> Iterator[str]:
    names = (f"python{version}", "python3", sys.executable)
    yield from filter(None, map(shutil.which, names))
    # Its commands on the path fail for all versions but the one that is chosen.
    root = Path(os.environ.get("PYENV_ROOT", PYENV)).expanduser()
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))
