"""Generated services with an environment of their own, kept between runs under `.cache/`."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.rendering import ROOT, render

CACHE = ROOT / ".cache" / "services"
# What a service's own commands leave in its folder and the next run can use again.
KEPT = (".mypy_cache", ".ruff_cache", ".venv")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder`: two runs may test the same service at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.joinpath("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def service(label: str, **answers: str) -> Iterator[Path]:
    """Yield a freshly generated service whose environment may be there from an earlier run.

    The cache is keyed by the pinned versions, so that no run meets an environment of others.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = render(Path(scratch), **answers)
        pins = hashlib.sha256(made.joinpath("requirements-dev.txt").read_bytes()).hexdigest()[:12]
        home = CACHE / f"{label}-{sys.version_info[0]}.{sys.version_info[1]}-{pins}"
        with locked(home):
            target = home / made.name
            for name in KEPT:
                if target.joinpath(name).exists():
                    shutil.move(target / name, made / name)
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(made, target)
            yield target


def environment(*, uv: bool = True, **extra: str) -> Mapping[str, str]:
    """Return what a command sees: this process's environment, less what belongs to this run.

    With `uv`, the one among the template's tools is on the path; without it none is.
    """
    own = ("APP_", "ARGS", "COVERAGE_", "COV_", "MAKE", "MFLAGS", "PYTEST_", "VIRTUAL_ENV", "OTEL_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    tools = str(Path(sys.executable).parent)
    folders = [folder for folder in env["PATH"].split(os.pathsep) if folder != tools]
    env["PATH"] = os.pathsep.join([*folders, tools] if uv else folders)
    return env | extra


def make(folder: Path, *arguments: str, uv: bool = True, timeout: float = 2400) -> str:
    """Run make in `folder` and return what it printed.

    Raises:
        AssertionError: it failed; the message has its whole output.
    """
    command = ["make", *([] if uv else ["UV="]), *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(uv=uv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout
