"""The service under measurement: written from this template, installed, started, stopped."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .table import Row

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
SERVICE = BUILD / "orders"
PYTHON = str(SERVICE / ".venv" / "bin" / "python")
START_TIMEOUT = 30.0
# The user's own settings, and what slows every start down, must not be measured.
FOREIGN = ("APP_", "OTEL_", "FASTAPI_", "PYTHON")
# One core for the server, another for the load: they must not take from each other.
SERVER_CORE, LOAD_CORE = 0, 1


def say(what: str) -> None:
    """Progress, apart from the table."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


def clean_env() -> dict[str, str]:
    """This process's environment without what would change the measurement."""
    return {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """`command` on one core, where there are two to choose from."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", str(core), *command]


def generate(below: Path = BUILD) -> float:
    """Write the default service afresh, keeping the environment of an earlier one; seconds."""
    new, home = below / "new", below / "orders"
    shutil.rmtree(new, ignore_errors=True)
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--default-config"]
    begun = time.perf_counter()
    subprocess.run(
        [*command, "--output-dir", new, ROOT],
        check=True,
        stdout=subprocess.DEVNULL,
        env=clean_env(),
    )
    seconds = time.perf_counter() - begun
    if (home / ".venv").is_dir():
        shutil.move(home / ".venv", new / "orders" / ".venv")
    shutil.rmtree(home, ignore_errors=True)
    shutil.move(new / "orders", home)
    new.rmdir()
    return seconds


def install(folder: Path = SERVICE, python: str | None = None) -> None:
    """`make setup`, byte-compiled as an image would be; with a `python` other than the oldest."""
    which = [f"PYTHON={python}"] if python else []
    subprocess.run(
        ["make", "--silent", "-C", folder, *which, "setup"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=clean_env(),
    )
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "compileall", "-q"]
    subprocess.run([*command, str(folder / "src")], check=True, env=clean_env())


def production_env(scratch: Path, collector: str) -> dict[str, str]:
    """The environment of a production process; `load` takes the collector out again."""
    return clean_env() | {
        "APP_ENVIRONMENT": "production",
        "APP_DATABASE__URL": f"sqlite:///{scratch / 'orders.db'}",
        "APP_DEPENDENCIES__PAYMENTS__URL": "http://127.0.0.1:9",
        "APP_HTTP__DRAIN_DELAY": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
    }


def without_tracing(env: Mapping[str, str]) -> dict[str, str]:
    """The same where no collector is set, the service's default."""
    return {k: v for k, v in env.items() if not k.startswith("OTEL_")}


def migrate(env: Mapping[str, str], python: str = PYTHON) -> None:
    """Make the database."""
    command = [python, "-m", "orders", "migrate"]
    subprocess.run(command, check=True, env=dict(env), stdout=subprocess.DEVNULL)


def inside(module: str, env: Mapping[str, str], *, rounds: int) -> dict[str, list[Row]]:
    """Measure with the service's own interpreter; the rows by table."""
    say(f"inside the process, {module}: {rounds} rounds")
    said = subprocess.run(
        pinned(SERVER_CORE, [PYTHON, "-m", f"benchmarks.inside.{module}", str(rounds)]),
        check=True,
        stdout=subprocess.PIPE,
        env={**env, "PYTHONPATH": str(ROOT)},
    ).stdout
    return {name: [Row(**row) for row in rows] for name, rows in json.loads(said).items()}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers.

    Attributes:
        ready_after: seconds from the process's start to its first 200.
    """

    url: str
    process: psutil.Process
    ready_after: float

    def cpu(self) -> float:
        """Seconds of CPU so far, all threads, and processes that it has started."""
        times = [process.cpu_times() for process in self._tree()]
        return float(sum(one.user + one.system for one in times))

    def memory(self) -> float:
        """Resident memory in MB, with that of processes that it has started."""
        return float(sum(process.memory_info().rss for process in self._tree()) / 1e6)

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextlib.contextmanager
def serving(env: Mapping[str, str], log: Path, *, core: int | None = None) -> Iterator[Server]:
    """The service itself, on any core unless one is named; its log goes to a file."""
    with opened("orders", env, log, core=core) as (server, _):
        yield server


@contextlib.contextmanager
def opened(
    module: str,
    env: Mapping[str, str],
    log: Path,
    *,
    core: int | None = None,
    python: str = PYTHON,
) -> Iterator[tuple[Server, str]]:
    """The service or what is made of it in `module`, and its management port's URL."""
    port, management = free_port(), free_port()
    env = {**env, "APP_HTTP__PORT": str(port), "APP_MANAGEMENT__PORT": str(management)}
    command = [python, "-m", module, "serve"]
    if core is not None:
        command = pinned(core, command)
    with running(command, env, f"http://127.0.0.1:{port}", "/readyz", log) as server:
        yield server, f"http://127.0.0.1:{management}"


@contextlib.contextmanager
def running(
    command: list[str],
    env: Mapping[str, str],
    url: str,
    probe: str,
    log: Path,
    cwd: Path | None = None,
) -> Iterator[Server]:
    """A server process, once it answers `probe` with 200; stopped by SIGTERM at the end."""
    with log.open("wb") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=out, cwd=cwd)
    try:
        while not _answers(url + probe):
            if process.poll() is not None or time.perf_counter() - begun > START_TIMEOUT:
                sys.exit(f"make bench: {' '.join(command)} did not start:\n{log.read_text()}")
            time.sleep(0.002)
        yield Server(url, psutil.Process(process.pid), time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_TIMEOUT)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return int(answer.status) == 200
    except OSError:  # not listening yet, or not ready: URLError is one too
        return False
