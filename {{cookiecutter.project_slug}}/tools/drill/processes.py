"""Processes of a drill: each in a group of its own, and none outlives the drill."""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ..package import ROOT

HOST = "127.0.0.1"
START_LIMIT = 30.0  # seconds; far above what a loaded machine needs
# The load has a core of its own where there are two; everything else shares the others.
CORES: Sequence[int] = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else ()
LOAD_CORE = CORES[-1] if len(CORES) > 1 else None


class DrillError(Exception):
    """The drill itself could not be held: nothing is known about the promises."""


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections get."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311
        with suppress(OSError), socket.create_server((HOST, port)):
            return port


async def until(reached: Callable[[], Awaitable[bool]], limit: float, what: str) -> float:
    """Look every 20 ms; the seconds that it took.

    Raises:
        DrillError: it was not so within `limit` seconds.
    """
    began = time.monotonic()
    while not await reached():
        if time.monotonic() - began > limit:
            raise DrillError(f"{what}: not within {limit:g} s")
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


class Process:
    """A child process and what one may do to it."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._errors = errors

    def errors(self) -> str:
        """The end of what it wrote to standard error."""
        return self._errors.read_text(encoding="utf-8", errors="replace")[-2000:].strip()

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def signal(self, number: int = signal.SIGTERM) -> None:
        """To the process alone."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """The whole group, at once: nothing of it gets to say goodbye."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def ended(self, limit: float) -> int:
        """Wait for the end; the exit code.

        Raises:
            DrillError: it runs on after `limit` seconds.
        """
        try:
            async with asyncio.timeout(limit):
                return await self.process.wait()
        except TimeoutError:
            raise DrillError(f"process {self.pid} runs on after {limit:g} s") from None

    def resident(self) -> int:
        """Its memory in bytes (RSS); 0 when it has gone."""
        with suppress(FileNotFoundError, ProcessLookupError):
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def count(self, what: str) -> int:
        """How many of `fd` or `task` (threads) it has."""
        with suppress(FileNotFoundError, ProcessLookupError):
            return sum(1 for _ in Path(f"/proc/{self.pid}/{what}").iterdir())
        return 0

    def connections(self, port: int) -> int:
        """How many connections to this port of its machine are established."""
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{self.pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
            rows = [line.split() for line in lines]
            return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
        return 0


@asynccontextmanager
async def python(
    name: str,
    *words: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    core: int | None = None,
    stdin: int | None = asyncio.subprocess.DEVNULL,
    stdout: int | None = None,
) -> AsyncIterator[Process]:
    """Run this interpreter with these arguments; killed at the end if it still runs.

    Output goes to `<name>.log` and `<name>.err` in `folder`, unless `stdout` says otherwise.
    """
    with (folder / f"{name}.log").open("ab") as log, (folder / f"{name}.err").open("ab") as err:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            env=env,
            cwd=ROOT,
            stdin=stdin,
            stdout=log if stdout is None else stdout,
            stderr=err,
            start_new_session=True,
        )
    process = Process(child, folder / f"{name}.err")
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        yield process
    finally:
        process.kill()
        await child.wait()
