"""A real PostgreSQL server: the one that is named, or a temporary cluster of our own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from steadfast_service.runtime.database.urls import parse_url
from tools.drill.postgres import program

from ...support.process import free_port


class Cluster:
    """A temporary cluster that a test may stop and start; it keeps no promise about its data."""

    def __init__(self, folder: Path, initdb: str, pg_ctl: str) -> None:
        self._folder = folder
        self._pg_ctl = pg_ctl
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._run(initdb, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions")

    def _run(self, program: str, *words: str) -> None:
        line = [program, "-D", str(self._folder / "data"), *words]
        if os.geteuid() == 0:  # the server refuses to run as root
            line = ["runuser", "-u", "postgres", "--", *line]
        # Not a pipe: the server would keep it open.
        with (self._folder / "output").open("w+") as output:
            done = subprocess.run(line, check=False, stdout=output, stderr=output, cwd="/")
            output.seek(0)
            assert done.returncode == 0, output.read()

    def start(self) -> None:
        options = f"-F -p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        log = str(self._folder / "log")
        self._run(self._pg_ctl, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """As a crash does: what is connected is cut off."""
        self._run(self._pg_ctl, "-w", "-m", "immediate", "stop")

    def kill(self) -> None:
        """Stop it if it runs."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.stop()


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """A running cluster; without a server the test skips, or fails where it must run."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        if "TEST_POSTGRES_URL" in os.environ:
            pytest.skip(
                "the server of TEST_POSTGRES_URL is not ours to stop, and none is installed"
            )
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail("REQUIRE_POSTGRES=1, and no PostgreSQL server is installed")
        pytest.skip("no PostgreSQL server is installed, and TEST_POSTGRES_URL names none")
    # Not below pytest's own folder: the server's user may not enter that.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        cluster = Cluster(Path(name), initdb, pg_ctl)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kill()


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server: that of `TEST_POSTGRES_URL`, or of a temporary cluster."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
    else:
        with temporary_cluster() as cluster:
            yield cluster.url


@asynccontextmanager
async def postgres_database(server: str) -> AsyncIterator[str]:
    """The URL of an empty database on `server`, dropped at the end."""
    name = f"test_{uuid4().hex}"
    url = parse_url(server)
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            async with engine.connect() as connection:
                await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await engine.dispose()
