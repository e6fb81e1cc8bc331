"""A PostgreSQL server of our own, on a temporary cluster: one that a drill may stop."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from .processes import HOST, DrillError, free_port

# Debian keeps the server's programs off the path.
DEBIAN = Path("/usr/lib/postgresql")


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is, the newest of them; None if there is none."""
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(newest[-1]) if newest else None)


def installed() -> bool:
    """Whether a server can be started here."""
    return all(program(name) for name in ("initdb", "pg_ctl", "psql"))


class Postgres:
    """A cluster; its data is as safe as a crash of the server leaves it, not of the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._made = 0

    def url(self, database: str, port: int | None = None) -> str:
        """For the service; through a proxy on `port` where there is one."""
        return f"postgresql://postgres@{HOST}:{port or self.port}/{database}"

    async def _run(self, name: str, *words: str) -> None:
        found = program(name)
        assert found is not None
        line = [found, "-D", str(self._folder / "data"), *words]
        if os.geteuid() == 0:  # the server refuses to run as root
            line = ["runuser", "-u", "postgres", "--", *line]
        with (self._folder / "output").open("w+") as output:  # a pipe the server would keep open
            child = await asyncio.create_subprocess_exec(
                *line, stdout=output, stderr=output, cwd="/"
            )
            if await child.wait():
                output.seek(0)
                raise DrillError(f"{name}: {output.read()}")

    async def create(self) -> None:
        """Make the cluster."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        await self._run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions")

    async def start(self) -> None:
        """Until it accepts connections."""
        options = f"-F -p {self.port} -k {self._folder} -c listen_addresses={HOST}"
        await self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    async def stop(self) -> None:
        """As a crash does: what is connected is cut off, nothing is written first."""
        if (self._folder / "data" / "postmaster.pid").exists():
            await self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    async def query(self, sql: str, database: str = "postgres") -> Sequence[Sequence[str]]:
        """The rows of a statement."""
        psql = program("psql")
        assert psql is not None
        where = ("-h", HOST, "-p", str(self.port), "-U", "postgres", "-d", database)
        child = await asyncio.create_subprocess_exec(
            psql, *where, "-XAtqc", sql, stdout=asyncio.subprocess.PIPE, cwd="/"
        )
        out, _ = await child.communicate()
        if child.returncode:
            raise DrillError(f"psql failed: {sql}")
        return [line.split("|") for line in out.decode().splitlines()]

    async def fresh(self, template: str = "") -> str:
        """A new database, empty or a copy of `template`; its name."""
        self._made += 1
        name = f"drill_{self._made}"
        await self.query(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name


@asynccontextmanager
async def postgres() -> AsyncIterator[Postgres]:
    """A running server, gone at the end with its data."""
    with tempfile.TemporaryDirectory(prefix="drill-postgres-") as name:
        server = Postgres(Path(name))
        try:
            await server.create()
            await server.start()
            yield server
        finally:
            await server.stop()
