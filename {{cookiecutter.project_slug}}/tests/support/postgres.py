"""A real PostgreSQL server: the one that is named, or a temporary cluster of our own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .process import free_port


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def _as_postgres(*line: str) -> list[str]:
    # The server refuses to run as root.
    return ["runuser", "-u", "postgres", "--", *line] if os.geteuid() == 0 else list(line)


class Cluster:
    """A temporary cluster that a test may stop and start."""

    def __init__(self, folder: Path, pg_ctl: str) -> None:
        self._folder = folder
        self._pg_ctl = pg_ctl
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, *words: str) -> None:
        line = _as_postgres(self._pg_ctl, "-D", str(self._folder / "data"), "-w", *words)
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -F"
        self._run("-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("-m", "immediate", "stop")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in `folder`; without a server the test skips, or fails where it must run."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail("REQUIRE_POSTGRES=1, and no PostgreSQL server is installed")
        pytest.skip("no PostgreSQL server is installed")
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        for above in folder.parents:
            if above.stat().st_uid == 0 and above.name.startswith("p"):
                above.chmod(0o755)
    line = [initdb, "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(_as_postgres(*line), check=True, stdout=subprocess.DEVNULL, cwd="/")
    it = Cluster(folder, pg_ctl)
    it.start()
    try:
        yield it
    finally:
        subprocess.run(
            _as_postgres(pg_ctl, "-D", str(folder / "data"), "-m", "immediate", "stop"),
            check=False,
            capture_output=True,
            cwd="/",
        )
