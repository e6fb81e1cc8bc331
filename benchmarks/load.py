"""GET /api/version through the whole production chain, against a bare FastAPI app, by wrk.

All servers are up at the same time and on one core, wrk is on another. A round loads them
one after the other and back again (A B C C B A), so that a machine that slows down slows
all of them; each round gives one ratio. The servers are started afresh several times: two
processes of the same program differ by 3 %, by where their memory happens to lie. Beside
requests per second stands the CPU time that the server itself took per request: it does
not care what else runs here.
"""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from . import service
from .service import Server
from .table import Row

CONNECTIONS = 32
BARE, CHAIN, TRACED = "bare FastAPI", "whole chain", "whole chain, traces of 1 % exported"


def require_wrk() -> None:
    """Ends with one line where wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("make bench: needs wrk, which makes the load (on Debian: apt-get install wrk)")


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
    """What one run of wrk saw: requests per second, and the server's CPU µs per request."""

    rate: float
    cpu: float


def wrk(server: Server, seconds: int) -> Load:
    """Load one server; any answer but 200 ends the benchmark."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"{server.url}/api/version"]
    before = server.cpu()
    said = subprocess.run(
        service.pinned(service.LOAD_CORE, command), check=True, capture_output=True, text=True
    ).stdout
    used = server.cpu() - before
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"make bench: errors under load\n{said}")
    (requests,) = re.findall(r"(\d+) requests in", said)
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", said)
    return Load(float(rate), used / int(requests) * 1e6)


def chain_against_bare(
    env: Mapping[str, str], sink: Sink, *, starts: int, rounds: int, seconds: int
) -> list[Row]:
    """The rows.

    Args:
        starts: how often all servers are started afresh.
        rounds: after each start.
        seconds: of one run of wrk, of which a round has six.
    """
    service.say(f"whole chain against bare FastAPI: {starts * rounds} rounds of {6 * seconds} s")
    results = [
        result for _ in range(starts) for result in _one_start(env, rounds=rounds, seconds=seconds)
    ]
    if not sink.exports:
        sys.exit("make bench: the tracing service exported nothing")
    return [*_ratios(results, CHAIN, ">= 0.8"), *_ratios(results, TRACED), *_rates(results)]


def _one_start(env: Mapping[str, str], *, rounds: int, seconds: int) -> list[dict[str, Load]]:
    plain = service.without_tracing(env)
    logs, core = service.BUILD, service.SERVER_CORE
    with ExitStack() as stack:
        servers = {
            BARE: stack.enter_context(bare(plain, logs / "bare.log")),
            CHAIN: stack.enter_context(service.serving(plain, logs / "chain.log", core=core)),
            TRACED: stack.enter_context(service.serving(env, logs / "traced.log", core=core)),
        }
        for server in servers.values():
            wrk(server, 1)
        return [_round(servers, number, seconds) for number in range(rounds)]


@contextmanager
def bare(env: Mapping[str, str], log: Path) -> Iterator[Server]:
    """The peer, run by the service's own interpreter."""
    port = service.free_port()
    command = [service.PYTHON, "-m", "benchmarks.inside.bare", str(port)]
    env = {**env, "PYTHONPATH": str(service.ROOT)}
    url = f"http://127.0.0.1:{port}"
    command = service.pinned(service.SERVER_CORE, command)
    with service.running(command, env, url, "/api/version", log) as server:
        yield server


def _round(servers: Mapping[str, Server], number: int, seconds: int) -> dict[str, Load]:
    """Each server twice, first and last in turn; the mean of both."""
    names = list(servers)
    start = number % len(names)
    there = names[start:] + names[:start]
    runs: dict[str, list[Load]] = defaultdict(list)
    for name in there + there[::-1]:
        runs[name].append(wrk(servers[name], seconds))
    return {
        name: Load(sum(r.rate for r in two) / 2, sum(r.cpu for r in two) / 2)
        for name, two in runs.items()
    }


def _ratios(results: list[dict[str, Load]], name: str, target: str = "") -> Iterator[Row]:
    rate = [each[name].rate / each[BARE].rate for each in results]
    cpu = [each[BARE].cpu / each[name].cpu for each in results]
    yield Row(f"GET /api/version, {name} / bare FastAPI", rate, target=target)
    yield Row("  the same, by the server's CPU time per request", cpu)


def _rates(results: list[dict[str, Load]]) -> Iterator[Row]:
    for name in (BARE, CHAIN):
        rates = [each[name].rate / 1000 for each in results]
        yield Row(f"  {name}, thousand requests/s", rates, note="for information")
