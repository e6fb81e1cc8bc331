"""The service as its users run it: a process of its own, with signals and a log stream."""

import asyncio
import functools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import httpx
import orjson
from prometheus_client.parser import text_string_to_metric_families

from steadfast_service.settings import Settings

from .caller import HAS_AUTH, credentials

PACKAGE = "steadfast_service"
HAS_DATABASE = "database" in Settings.model_fields
LIMIT = 30.0  # seconds; far above what a loaded machine needs
# For tests of something else: what such a machine does must not cost a request.
UNHURRIED = MappingProxyType(
    {
        "HTTP__GRACE": "60",
        "HTTP__REQUEST_TIMEOUT": "60",
        "SHEDDING__TARGET_LAG": "0",
        "DEPENDENCIES__PAYMENTS__TIMEOUT": "30",
        "DEPENDENCIES__PAYMENTS__ATTEMPT_TIMEOUT": "15",
        "DEPENDENCIES__PAYMENTS__BREAKER__WINDOW": "60",
    }
)


CLAIMS: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections get.

    Another run of tests does not get it meanwhile: its UDP twin is held until 32 later ones are.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        if len(CLAIMS) > 32:
            CLAIMS.pop(0).close()
        return port


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Free ports, JSON logs and a store in `folder`; `settings` by `HTTP__GRACE` and the like."""
    defaults = {
        "HTTP__HOST": "127.0.0.1",
        "HTTP__PORT": str(free_port()),
        "MANAGEMENT__HOST": "127.0.0.1",
        "MANAGEMENT__PORT": str(free_port()),
        "HTTP__DRAIN_DELAY": "0",
        "LOG__FORMAT": "json",
    }
    if HAS_AUTH:
        defaults["AUTH__SANDBOX_PORT"] = str(free_port())
    if HAS_DATABASE:
        defaults["DATABASE__URL"] = f"sqlite:///{folder / 'orders.db'}"
    ours = {f"APP_{name}": value for name, value in (defaults | settings).items()}
    return {k: v for k, v in os.environ.items() if not k.startswith(("APP_", "OTEL_"))} | ours


def command(
    *words: str, env: dict[str, str], timeout: float = LIMIT
) -> subprocess.CompletedProcess[str]:
    """Run one command of the service to its end."""
    line = [sys.executable, "-m", PACKAGE, *words]
    return subprocess.run(
        line, env=env, text=True, capture_output=True, timeout=timeout, check=False
    )


async def until(reached: Callable[[], bool]) -> None:
    """Wait for what has no event, for as long as a test may take at most."""
    async with asyncio.timeout(LIMIT):
        while not reached():
            await asyncio.sleep(0.01)


class Process:
    """A running service; its log and its standard error end up in `folder`."""

    def __init__(self, folder: Path, env: dict[str, str], stdout: IO[bytes] | int) -> None:
        self.url = f"http://127.0.0.1:{env['APP_HTTP__PORT']}"
        self.ops_url = f"http://127.0.0.1:{env['APP_MANAGEMENT__PORT']}"
        self._issuer = f"http://127.0.0.1:{env['APP_AUTH__SANDBOX_PORT']}" if HAS_AUTH else ""
        self._log, self._errors = folder / "service.log", folder / "service.err"
        with self._errors.open("wb") as stderr:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", PACKAGE, "serve"], env=env, stdout=stdout, stderr=stderr
            )

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A caller who may do everything; `options` are httpx's."""
        return httpx.AsyncClient(base_url=self.url, headers=self.credentials, **options)

    @property
    def credentials(self) -> Mapping[str, str]:
        """Headers of a caller who may do everything."""
        return credentials(self._issuer) if HAS_AUTH else {}

    def records(self) -> list[dict[str, Any]]:
        """What it has logged so far; a line may still be under way."""
        whole = self._log.read_bytes().rpartition(b"\n")[0]
        return [orjson.loads(line) for line in whole.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The records of one event."""
        return [record for record in self.records() if record["event"] == event]

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text()

    def wait_ready(self, path: str = "/readyz") -> None:
        """Until `path` answers 200; fails with what the process said if it ends before."""
        end = time.monotonic() + LIMIT
        with httpx.Client(base_url=self.url) as client:
            while time.monotonic() < end and self.popen.poll() is None:
                with suppress(httpx.TransportError):
                    if client.get(path).status_code == 200:
                        return
                time.sleep(0.02)
        said = self._log.read_text() if self._log.exists() else ""
        raise AssertionError(f"exit code {self.popen.poll()}:\n{self.errors()}{said}")

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels."""
        async with httpx.AsyncClient(base_url=self.ops_url) as client:
            text = (await client.get("/metrics")).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.popen.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        return await asyncio.to_thread(self.popen.wait, LIMIT)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Process]:
    """A service process that is ready."""
    with starting(folder, settings) as process:
        process.wait_ready()
        yield process


@contextmanager
def starting(
    folder: Path,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    piped: bool = False,
    env: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Process]:
    """A service process with a migrated store of its own; killed if it still runs at the end.

    Args:
        piped: its standard output is a pipe, and the test its only reader.
        env: variables beside our own settings.
    """
    if HAS_DATABASE and "DATABASE__URL" not in settings:
        (folder / "orders.db").write_bytes(_migrated())
    stdout = subprocess.PIPE if piped else (folder / "service.log").open("wb")
    process = Process(folder, environment(folder, **settings) | dict(env), stdout)
    if not isinstance(stdout, int):
        stdout.close()
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait()
        if process.popen.stdout is not None:
            process.popen.stdout.close()


@contextmanager
def watching(folder: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`check --watch`, with what it prints in `watch.log`."""
    with (folder / "watch.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", PACKAGE, "check", "--watch"],
            env=environment(folder, **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@functools.cache
def _migrated() -> bytes:
    """An embedded database at the newest schema: migrating for each test would take a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done = command("migrate", env=environment(folder))
        assert done.returncode == 0, done.stderr
        return (folder / "orders.db").read_bytes()
