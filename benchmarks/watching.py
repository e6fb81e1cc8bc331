"""What it costs that the service can be looked into: by nobody, by a browser, by a profile.

The service beside itself without all of that (`inside.blind`), started afresh many times:
two processes of the same program differ by more than what is to be measured here. Trust the
CPU time per request, which other work on the machine does not change, more than the
throughput. A browser that watches is whoever follows the console's events; what it draws
from them costs another machine.
"""

import json
import socket
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from . import load, service
from .load import Load, Target
from .service import Server
from .table import Row

TOKEN = "a-token-of-the-benchmark-only-0123"  # of processes that live for seconds
BLIND, IDLE, WATCHED, PROFILED = "without", "nobody looks", "one browser watches", "CPU profile"
# Of the throughput without any of it.
TARGETS = {IDLE: ">= 0.99", WATCHED: ">= 0.97", PROFILED: ">= 0.95"}
QUIET = 3.0  # seconds without a request, to see what works by itself
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """One way to be looked into: a server, and who looks while it is loaded."""

    server: Server
    looking: Callable[[], AbstractContextManager[None]] = nullcontext


def measure(env: Mapping[str, str], *, starts: int, seconds: int) -> dict[str, list[Row]]:
    """The rows of two tables: `ratios` to the service without, and `alone` without requests."""
    env = {**service.without_tracing(env), "APP_MANAGEMENT__TOKEN": TOKEN}
    service.say(f"what looking into the service costs: {starts} rounds")
    loads: dict[str, list[Load]] = defaultdict(list)
    alone: dict[str, list[float]] = defaultdict(list)
    for number in range(starts):
        with ExitStack() as stack:
            cases = _start(stack, env)
            names = list(cases)
            turn = names[number % len(names) :] + names[: number % len(names)]
            for name in (BLIND, IDLE):
                load.wrk(Target(cases[name].server), 2)
            runs = defaultdict[str, list[Load]](list)
            for name in turn + turn[::-1]:
                with cases[name].looking():
                    runs[name].append(load.wrk(Target(cases[name].server), seconds))
            for name, two in runs.items():
                rate, cpu = (sum(each) / len(two) for each in zip(*map(_pair, two), strict=True))
                loads[name].append(Load(rate, cpu))
            for name in (BLIND, IDLE, WATCHED):
                with cases[name].looking():
                    alone[name].append(_by_itself(cases[name].server))
    return {"ratios": list(_ratios(loads)), "alone": list(_alone(alone))}


def _pair(one: Load) -> tuple[float, float]:
    return one.rate, one.cpu


def _start(stack: ExitStack, env: Mapping[str, str]) -> dict[str, Case]:
    blind, _ = stack.enter_context(_serving("benchmarks.inside.blind", env))
    seen, ops = stack.enter_context(_serving("orders", env))
    _get(f"{ops}/")  # templates are read and compiled at the first look, once in a process's life
    return {
        BLIND: Case(blind),
        IDLE: Case(seen),
        WATCHED: Case(seen, lambda: _following(ops)),
        PROFILED: Case(seen, lambda: _profiling(ops)),
    }


@contextmanager
def _serving(module: str, env: Mapping[str, str]) -> Iterator[tuple[Server, str]]:
    """One of the two, and its management port's URL."""
    port, ops = service.free_port(), service.free_port()
    env = {
        **env,
        "APP_HTTP__PORT": str(port),
        "APP_MANAGEMENT__PORT": str(ops),
        "PYTHONPATH": str(service.ROOT),
    }
    command = service.pinned(service.SERVER_CORE, [service.PYTHON, "-m", module, "serve"])
    url, log = f"http://127.0.0.1:{port}", service.BUILD / f"{module}.log"
    with service.running(command, env, url, "/readyz", log) as server:
        yield server, f"http://127.0.0.1:{ops}"


@contextmanager
def _following(ops: str) -> Iterator[None]:
    """One who follows the console's events; from the second ones on, the first are all there is."""
    told = threading.Semaphore(0)
    with _asking(ops, "GET", "/console/events") as connection:

        def read() -> None:
            for line in connection.getresponse():
                if line.startswith(b"event: at"):
                    told.release()

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for _ in range(2):
                if not told.acquire(timeout=PATIENCE):
                    sys.exit("make bench: the console sends no events")
            yield
        finally:
            connection.sock.shutdown(socket.SHUT_RDWR)
            reader.join()


@contextmanager
def _profiling(ops: str) -> Iterator[None]:
    """A CPU profile, which ends when nobody waits for it any more."""
    with _asking(ops, "POST", "/debug/profiles", {"kind": "cpu", "seconds": 30}):
        _until(ops, running=True)
        yield
    _until(ops, running=False)


@contextmanager
def _asking(ops: str, method: str, path: str, body: object = None) -> Iterator[HTTPConnection]:
    """A request whose answer has not been read yet."""
    connection = HTTPConnection(ops.removeprefix("http://"), timeout=PATIENCE)
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    try:
        yield connection
    finally:
        connection.close()


def _until(ops: str, *, running: bool) -> None:
    give_up = time.monotonic() + PATIENCE
    while bool(json.loads(_get(f"{ops}/debug/profiles"))["running"]) is not running:
        if time.monotonic() > give_up:
            sys.exit("make bench: no profile was taken")
        time.sleep(0.05)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def _by_itself(server: Server) -> float:
    """Milliseconds of CPU a second that it uses without a request."""
    before, begun = _fine_cpu(server), time.perf_counter()
    time.sleep(QUIET)
    return (_fine_cpu(server) - before) / (time.perf_counter() - begun) * 1000


def _fine_cpu(server: Server) -> float:
    """As `Server.cpu`, in finer steps than a clock tick, where the system has them."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    spent = [int(task.read_text().split()[0]) for task in tasks]
    return sum(spent) / 1e9 if spent else server.cpu()


def _ratios(loads: Mapping[str, list[Load]]) -> Iterator[Row]:
    for name, target in TARGETS.items():
        both = list(zip(loads[name], loads[BLIND], strict=True))
        cpu = [without.cpu / each.cpu for each, without in both]
        yield Row(f"{name}: by the server's CPU time per request", cpu, target=target)
        rate = [each.rate / without.rate for each, without in both]
        yield Row("  the same, by requests per second", rate, note="for information")


def _alone(alone: Mapping[str, list[float]]) -> Iterator[Row]:
    for name, values in alone.items():
        yield Row(name, values, "ms/s", note="10 are 1 % of a core")
