"""The service and its router against hand-written FastAPI, by wrk.

All servers are up at the same time and on one core, wrk is on another. A round loads them
one after the other and back again (A B C C B A), so that a machine that slows down slows
all of them; each round gives one ratio. The servers are started afresh several times: two
processes of the same program differ by 3 %, by where their memory happens to lie. Beside
requests per second stands the CPU time that the server itself took per request: it does
not care what else runs here.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import mean
from threading import Thread

from . import service
from .service import Server
from .table import INFORMATION, Row
from .wrk import run as run_wrk

CONNECTIONS = 32
VERSION, LIST = "/api/version", "/api/orders?limit=100"
FIRST, LAST = "/many/0/x", "/many/299/x"
BARE, CHAIN, TRACED = "bare FastAPI", "whole chain", "whole chain, traces of 1 % exported"
WRITTEN, SET_UP, RAW = "hand-written routes", "generated router", "no router at all"
GENERATED = "generated router in a bare app"
PEERS = {WRITTEN: "written", SET_UP: "set_up", GENERATED: "generated", RAW: "raw"}


@dataclass(slots=True)
class Sink:
    """A collector that takes what comes and only counts it."""

    url: str = ""
    exports: int = 0


@contextmanager
def collector() -> Iterator[Sink]:
    """An OTLP endpoint of our own, so that exporting is part of what is measured."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            sink.exports += 1
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The standard library would write to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        sink.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield sink
        server.shutdown()


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw.

    Attributes:
        rate: requests per second.
        cpu: µs of the server's CPU per request.
        p99: ms that 99 of 100 requests took at most, with all connections busy.
    """

    rate: float
    cpu: float
    p99: float


@dataclass(frozen=True, slots=True)
class Target:
    """One path of a server."""

    server: Server
    path: str = VERSION


def wrk(target: Target, seconds: int) -> Load:
    """Load one path; any answer but a good one ends the benchmark."""
    before = target.server.cpu()
    said = run_wrk(target.server.url + target.path, connections=CONNECTIONS, seconds=seconds)
    used = target.server.cpu() - before
    return Load(said.rate, used / said.requests * 1e6, said.p99)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure.

    Attributes:
        starts: how often all servers are started afresh.
        rounds: after each start.
        seconds: of one run of wrk; a round has two for each target.
    """

    starts: int
    rounds: int
    seconds: int


Results = list[dict[str, Load]]
Start = Callable[[ExitStack], Mapping[str, Target]]


def contest(what: str, start: Start, effort: Effort) -> Results:
    """Load what `start` starts, in turns; one result per round."""
    service.say(f"{what}: {effort.starts * effort.rounds} rounds")
    results: Results = []
    for _ in range(effort.starts):
        with ExitStack() as stack:
            targets = start(stack)
            for target in targets.values():
                wrk(target, 1)
            runs = {name: partial(wrk, one, effort.seconds) for name, one in targets.items()}
            results += [there_and_back(runs, number) for number in range(effort.rounds)]
    return results


def chain(env: Mapping[str, str], sink: Sink, effort: Effort) -> list[Row]:
    """The whole production chain over the generated router, against bare FastAPI."""
    plain = service.without_tracing(env)
    logs, core = service.BUILD, service.SERVER_CORE

    def start(stack: ExitStack) -> Mapping[str, Target]:
        def serve(env: Mapping[str, str], log: str) -> Target:
            return Target(stack.enter_context(service.serving(env, logs / log, core=core)))

        return {
            BARE: Target(stack.enter_context(peer("written", plain))),
            CHAIN: serve(plain, "chain.log"),
            TRACED: serve(env, "traced.log"),
        }

    results = contest("whole chain against bare FastAPI", start, effort)
    if not sink.exports:
        sys.exit("make bench: the tracing service exported nothing")
    return [
        *_ratios("GET /api/version", results, CHAIN, BARE, ">= 1.2"),
        *_ratios("GET /api/version", results, TRACED, BARE),
        *_rates(results, (BARE, CHAIN)),
    ]


def router(env: Mapping[str, str], effort: Effort) -> list[Row]:
    """The generated router, in FastAPI as the service sets it up, against a bare app."""
    plain = service.without_tracing(env)
    rows: list[Row] = []
    for what, path, target in (("GET /api/version", VERSION, ">= 2"), ("100 orders", LIST, "")):

        def start(stack: ExitStack, path: str = path) -> Mapping[str, Target]:
            names = [WRITTEN, SET_UP, *([GENERATED, RAW] if path == VERSION else [])]
            return {
                name: Target(stack.enter_context(peer(PEERS[name], plain)), path) for name in names
            }

        results = contest(f"{SET_UP} against {WRITTEN}, {what}", start, effort)
        rows += _ratios(what, results, SET_UP, WRITTEN, target)
        if path == VERSION:
            rows += _ratios(what, results, GENERATED, WRITTEN)
            rows += _ratios(what, results, RAW, WRITTEN)
    return rows


def many(env: Mapping[str, str], effort: Effort) -> list[Row]:
    """The last of 300 routes against the first."""
    plain = service.without_tracing(env)

    def start(stack: ExitStack) -> Mapping[str, Target]:
        server = stack.enter_context(peer("many", plain))
        return {"route 1": Target(server, FIRST), "route 300": Target(server, LAST)}

    results = contest("route 300 against route 1", start, effort)
    return list(_ratios("generated router", results, "route 300", "route 1", ">= 0.95"))


@contextmanager
def peer(name: str, env: Mapping[str, str]) -> Iterator[Server]:
    """One of `inside.peers`, run by the service's own interpreter."""
    port = service.free_port()
    command = [service.PYTHON, "-m", "benchmarks.inside.peers", name, str(port)]
    env = {**env, "PYTHONPATH": str(service.ROOT)}
    command = service.pinned(service.SERVER_CORE, command)
    url, log = f"http://127.0.0.1:{port}", service.BUILD / f"{name}.log"
    with service.running(command, env, url, "/openapi.json", log) as server:
        yield server


def there_and_back(runs: Mapping[str, Callable[[], Load]], number: int) -> dict[str, Load]:
    """Each run twice, there and back, beginning with another one by `number`; means of both."""
    names = list(runs)
    start = number % len(names)
    there = names[start:] + names[:start]
    seen: dict[str, list[Load]] = defaultdict(list)
    for name in there + there[::-1]:
        seen[name].append(runs[name]())
    return {
        name: Load(*map(mean, zip(*map(astuple, two), strict=True))) for name, two in seen.items()
    }


def _ratios(
    what: str, results: Results, name: str, against: str, target: str = ""
) -> Iterator[Row]:
    rate = [each[name].rate / each[against].rate for each in results]
    cpu = [each[against].cpu / each[name].cpu for each in results]
    yield Row(f"{what}: {name} / {against}", rate, target=target)
    yield Row("  the same, by the server's CPU time per request", cpu)


def _rates(results: Results, names: Sequence[str]) -> Iterator[Row]:
    for name in names:
        rates = [each[name].rate / 1000 for each in results]
        yield Row(f"  {name}, thousand requests/s", rates, note=INFORMATION)
