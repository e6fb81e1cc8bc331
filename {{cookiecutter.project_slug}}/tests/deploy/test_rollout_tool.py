"""`python -m tools.rollout` finds what a rolling update loses, and only that."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tools.drill.proxy import Proxy

from ..support.caller import HAS_AUTH
from ..support.process import UNHURRIED, Process, free_port, serving, until

# The delay is above what the balancer needs to see: three probes, a tenth of a second apart.
SETTINGS = {**UNHURRIED, "HTTP__DRAIN_DELAY": "2"}
CALM = (
    *("--rate", "20", "--patience", "60", "--after", "1"),
    *("--warm-limit", "60", "--limit", "120"),
)


class Balancer(Proxy):
    """Gives each connection the next instance that is ready; the kept ones stay where they are."""

    def __init__(self) -> None:
        self.instances: list[Process] = []
        self.blind = False
        self._out: set[Process] = set()
        self._turn = 0
        super().__init__(0)

    @property
    def target(self) -> int:
        ready = [one for one in self.instances if one not in self._out]
        self._turn += 1
        return httpx.URL(ready[self._turn % len(ready)].url).port or 0

    @target.setter
    def target(self, port: int) -> None:
        """There is no other than the instances."""

    async def probe(self) -> None:
        """Take an instance out after three failures in a row, as long as the test runs."""
        failures: dict[Process, int] = {}
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                for one in list(self.instances):
                    ready = False
                    with suppress(httpx.TransportError):
                        ready = (await client.get(f"{one.url}/readyz")).status_code == 200
                    failures[one] = 0 if ready else failures.get(one, 0) + 1
                    if failures[one] >= 3 and not self.blind:
                        self._out.add(one)
                await asyncio.sleep(0.1)


class Fleet:
    """Two instances of the service behind a balancer."""

    def __init__(self, folder: Path, stack: ExitStack, balancer: Balancer) -> None:
        self._folder, self._stack, self._balancer = folder, stack, balancer
        self._count = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._balancer.port}"

    async def add(self) -> None:
        """One more, ready."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        starting = serving(folder, **SETTINGS)
        self._balancer.instances.append(
            await asyncio.to_thread(self._stack.enter_context, starting)
        )

    async def replace(self) -> None:
        """The oldest by a new one, as a rolling update does."""
        await self.add()
        oldest = self._balancer.instances[0]
        oldest.signal()
        assert await oldest.ended() == 0
        self._balancer.instances.remove(oldest)

    async def cut(self) -> None:
        """The oldest ends at once, before there is a new one and without the balancer's notice."""
        self._balancer.blind = True
        oldest = self._balancer.instances[0]
        oldest.signal(signal.SIGKILL)
        await oldest.ended()
        await self.add()
        self._balancer.instances.remove(oldest)


@asynccontextmanager
async def fleet(folder: Path) -> AsyncIterator[Fleet]:
    balancer = Balancer()
    await balancer.listen()
    probing = asyncio.create_task(balancer.probe())
    try:
        with ExitStack() as stack:
            it = Fleet(folder, stack, balancer)
            await it.add()
            await it.add()
            yield it
    finally:
        probing.cancel()
        balancer.refuse()


async def tool(url: str, *words: str) -> asyncio.subprocess.Process:
    line = [sys.executable, "-m", "tools.rollout", "--url", url, *words]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*line, stdout=pipe, stderr=pipe)


async def judged(url: str, *words: str) -> tuple[int | None, str]:
    """The tool's exit code, and what it printed."""
    process = await tool(url, *words)
    output, errors = await process.communicate()
    return process.returncode, (output + errors).decode()


async def rolled(folder: Path, step: Callable[[Fleet], Awaitable[None]]) -> tuple[int | None, str]:
    """Replace both instances under load, one after the other."""
    gate, started = folder / "gate", folder / "started"
    os.mkfifo(gate)
    # Lasts until nobody can write any more.
    command = ("sh", "-c", f"touch '{started}'; cat '{gate}'")
    async with fleet(folder) as it:
        tool = asyncio.create_task(judged(f"{it.url}/api/version", *CALM, "--", *command))
        writer = os.open(gate, os.O_RDWR)  # which waits for no reader
        try:
            await until(lambda: started.exists() or tool.done())
            await step(it)
            await step(it)
        finally:
            os.close(writer)
        return await tool


async def test_a_rolling_update_that_drains_loses_nothing(tmp_path: Path) -> None:
    code, said = await rolled(tmp_path, Fleet.replace)
    assert code == 0, said
    assert "No request was lost." in said


async def test_a_rolling_update_that_cuts_is_found(tmp_path: Path) -> None:
    code, said = await rolled(tmp_path, Fleet.cut)
    assert code == 1, said
    assert "requests were lost" in said
    assert "GET /api/version (new connection)" in said


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, **SETTINGS) as process:
        yield f"{process.url}/api/version"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--", "sh", "-c", "sleep 1; exit 3"), "the command failed: exit code 3"),
        (("--limit", "1", "--", "sleep", "60"), "the command did not end in time"),
        (("--rate", "1", "--", "true"), "nothing proved"),
        (("--", "no-such-command"), "no-such-command"),
    ],
)
async def test_what_proves_nothing_is_no_success(
    service: str, words: Sequence[str], reason: str
) -> None:
    code, said = await judged(service, "--after", "0", *words)
    assert code == 1, said
    assert reason in said
    assert "requests were lost" not in said
    assert "Traceback" not in said


@pytest.mark.skipif(HAS_AUTH, reason="orders are placed by those with a token")
async def test_every_other_request_may_be_a_post(service: str) -> None:
    words = ("--post", "/api/orders", *CALM, "--", "sleep", "1")
    code, said = await judged(service, *words)
    assert code == 0, said
    assert " x 201" in said
    assert " x 200" in said


async def test_an_error_is_a_lost_request(service: str) -> None:
    words = ("--post", "/api/version", "--after", "0", "--warm-limit", "1", "--", "sleep", "1")
    code, said = await judged(service, *words)
    assert code == 1, said
    assert "does not answer" in said
    assert "405" in said


async def test_without_a_service_the_command_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    url = f"http://127.0.0.1:{free_port()}/"
    code, said = await judged(url, "--warm-limit", "1", "--", "touch", str(ran))
    assert code == 1
    assert "does not answer: " in said
    assert "no connection" in said
    assert not ran.exists()


async def test_a_run_that_is_ended_ends_the_command(service: str, tmp_path: Path) -> None:
    process = await tool(service, "--", "sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 60")
    await until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 1
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("https://127.0.0.1/", (), "http://"),
        ("http://127.0.0.1/", ("--post", "orders"), "--post"),
        ("http://127.0.0.1/", ("--header", "nothing"), "--header"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    url: str, options: Sequence[str], message: str
) -> None:
    code, said = await judged(url, *options, "--", "true")
    assert code == 2
    assert message in said
