"""A place where one service after the other stands, with what the next one can use again."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rendering import ROOT
from tests.services import KEPT, environment, locked, make

CACHE = ROOT / ".cache" / "matrix"
ENVIRONMENT = ".venv"
CACHES = tuple(name for name in KEPT if name != ENVIRONMENT)


class Slot:
    """One folder. All services in it have one path, so that the tools' caches stay right.

    Each list of pins has an environment of its own: what one service lacks, no other brings.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._python = ""
        self._made: Path | None = None
        self.folder = home / "orders"

    def put(self, made: Path, python: str) -> Path:
        """Make a copy of this service the one that stands here, ready to work in."""
        if (self._made, self._python) == (made, python):
            return self.folder
        new = self._home / "new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(made, new)
        self._keep()
        for name in CACHES:
            if self.folder.joinpath(name).exists():
                shutil.move(self.folder / name, new / name)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.move(new, self.folder)
        self._made, self._python = made, python
        kept = self._environment("dev", "requirements-dev.txt")
        if kept.exists():
            shutil.move(kept, self.folder / ENVIRONMENT)
        make(self.folder, "setup", f"PYTHON={python}")
        return self.folder

    def production(self) -> Path:
        """The interpreter of an environment that has the service as an image has it.

        It is its wheel and the pinned versions that it needs: no tools, no sources.
        """
        kept = self._environment("production", "requirements.txt")
        interpreter = kept / "bin" / "python"
        if not interpreter.exists():
            _uv(self.folder, "venv", "--python", self._python, str(kept))
            pins = ("--require-hashes", "-r", "requirements.txt")
            _uv(self.folder, "pip", "install", "--python", str(interpreter), *pins)
        dist = self._home / "dist"
        shutil.rmtree(dist, ignore_errors=True)
        built = ("--no-build-isolation", "--python", f"{ENVIRONMENT}/bin/python")
        _uv(self.folder, "build", "--wheel", *built, "--out-dir", str(dist))
        (wheel,) = dist.glob("*.whl")
        again = ("--no-deps", "--reinstall", "--python", str(interpreter))
        _uv(self.folder, "pip", "install", *again, str(wheel))
        return interpreter

    def _keep(self) -> None:
        environment = self.folder / ENVIRONMENT
        if self._made and environment.exists():
            kept = self._environment("dev", "requirements-dev.txt")
            shutil.rmtree(kept, ignore_errors=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(environment, kept)

    def _environment(self, kind: str, pins: str) -> Path:
        whole = self._python.encode() + self.folder.joinpath(pins).read_bytes()
        return self._home / "environments" / f"{kind}-{hashlib.sha256(whole).hexdigest()[:12]}"


@contextmanager
def slot() -> Iterator[Slot]:
    """The one of this process of a test run."""
    home = CACHE / os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    with locked(home):
        yield Slot(home)


def _uv(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("uv"), "--quiet", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"uv {' '.join(arguments)}\n{done.stderr}"
