"""What it costs that the service can be looked into: by nobody, by a browser, by a profile.

Nobody, against a service without all of that (`inside.blind`), by what does not vary: the
calls on a request's way (`inside.calls`), and the CPU time that the process takes by itself.
The ratio under load is there too, beside that of two processes of one program, which differ
by several percent, more than is to be found here.
Browser and profile, against the same process with nobody looking, in turns within seconds. A
browser is whoever follows the console's events; what it draws costs another machine.
"""

import json
import socket
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from . import load, service
from .load import Effort, Load, Target
from .service import Server
from .table import INFORMATION, Row

TOKEN = "a-token-of-the-benchmark-only-0123"  # of processes that live for seconds
BLIND, TWIN = "without", "without, another process"
IDLE, WATCHED, PROFILED = "nobody looks", "one browser watches", "CPU profile"
# 1 % and 3 % of a core, in ms of each second.
BY_ITSELF = {IDLE: "<= 10", WATCHED: "<= 30"}
QUIET = 3.0  # seconds without a request, to see what works by itself
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """One way to be looked into: a server, and who looks while it is loaded."""

    server: Server
    looking: Callable[[], AbstractContextManager[None]] = nullcontext


def measure(env: Mapping[str, str], effort: Effort) -> list[Row]:
    """The rows. In a round each is loaded twice, there and back: a round is one result."""
    path = str(service.ROOT)  # of `inside.blind`
    env = {**service.without_tracing(env), "APP_MANAGEMENT__TOKEN": TOKEN, "PYTHONPATH": path}
    service.say(f"what looking into the service costs: {effort.starts * effort.rounds} rounds")
    calls = service.inside("calls", env, rounds=100)["calls"]
    rounds: list[dict[str, Load]] = []
    alone: dict[str, list[float]] = defaultdict(list)
    for _ in range(effort.starts):
        with ExitStack() as stack:
            cases = _start(stack, env)
            for name in (BLIND, TWIN, IDLE):
                load.wrk(Target(cases[name].server), 2)
            runs = {name: partial(_run, case, effort.seconds) for name, case in cases.items()}
            rounds += [load.there_and_back(runs, number) for number in range(effort.rounds)]
            for name in (BLIND, IDLE, WATCHED):
                with cases[name].looking():
                    alone[name] += [_by_itself(cases[name].server) for _ in range(2)]
    return [*calls, *_alone(alone), *_loaded(rounds)]


def _run(case: Case, seconds: int) -> Load:
    with case.looking():
        return load.wrk(Target(case.server), seconds)


def _start(stack: ExitStack, env: Mapping[str, str]) -> dict[str, Case]:
    blind, _ = stack.enter_context(_serving("benchmarks.inside.blind", env))
    seen, ops = stack.enter_context(_serving("orders", env))
    twin, _ = stack.enter_context(_serving("benchmarks.inside.blind", env))
    _get(f"{ops}/")  # templates are read and compiled at the first look, once in a process's life
    return {
        BLIND: Case(blind),
        TWIN: Case(twin),
        IDLE: Case(seen),
        WATCHED: Case(seen, lambda: _following(ops)),
        PROFILED: Case(seen, lambda: _profiling(ops)),
    }


def _serving(module: str, env: Mapping[str, str]) -> AbstractContextManager[tuple[Server, str]]:
    return service.opened(module, env, service.BUILD / f"{module}.log", core=service.SERVER_CORE)


@contextmanager
def _following(ops: str) -> Iterator[None]:
    """One who follows the console's events; from the second ones on, the first are all there is."""
    told = threading.Semaphore(0)
    with _asking(ops, "GET", "/console/events") as connection:

        def read() -> None:
            with suppress(OSError):  # whoever started it ends the connection
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


def _alone(alone: Mapping[str, list[float]]) -> Iterator[Row]:
    for name, target in BY_ITSELF.items():
        more = [one - without for one, without in zip(alone[name], alone[BLIND], strict=True)]
        yield Row(f"{name}: CPU time by itself, more than without", more, "ms/s", target)
    yield Row(f"  {BLIND}: CPU time by itself", alone[BLIND], "ms/s", note=INFORMATION)


def _loaded(rounds: list[dict[str, Load]]) -> Iterator[Row]:
    for name, to, target in (
        (WATCHED, IDLE, ">= 0.97"),
        (PROFILED, IDLE, ">= 0.95"),
        (IDLE, BLIND, ""),
        (TWIN, BLIND, ""),
    ):
        cpu = [one[to].cpu / one[name].cpu for one in rounds]
        yield Row(f"{name} / {to}, by CPU time per request", cpu, "", target, INFORMATION)
        rate = [one[name].rate / one[to].rate for one in rounds]
        yield Row("  by requests per second", rate, note=INFORMATION)
    for name in rounds[0]:
        p99 = [one[name].p99 for one in rounds]
        yield Row(f"  p99, {name}", p99, "ms", note=INFORMATION)
