"""Calls to a dependency, 100 at once: the service's client beside httpx as it comes.

Throughput by the wall clock, in turns within each round, against one server on another core.
Then what is left of each pool after a storm: calls cancelled under contention, as deadlines
cancel them, and how many of 100 are answered afterwards.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import uvloop
from opentelemetry.trace import NoOpTracer
from orders.runtime.observability.metrics import Metrics
from orders.runtime.outbound.client import Client
from orders.runtime.outbound.options import Dependency

from ..table import Row
from .clock import over, report

AT_ONCE = 100
SECONDS = 1.0
# A storm: waves of calls, each cancelled after a moment.
WAVES, IN_A_WAVE, MOMENT = 40, 400, 0.02
OURS, DEFAULT, LARGE = "the service's client", "httpx", "httpx, pool of 2000"
Call = Callable[[], Awaitable[object]]


async def throughput(call: Call) -> float:
    """Calls a second."""
    end = time.perf_counter() + SECONDS
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call()
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - begun)


async def answered_after_a_storm(call: Call) -> float:
    """The share of 100 calls that are answered within 10 s."""
    for _ in range(WAVES):
        calls = [asyncio.ensure_future(call()) for _ in range(IN_A_WAVE)]
        await asyncio.sleep(MOMENT)
        for one in calls:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    calls = [asyncio.ensure_future(call()) for _ in range(AT_ONCE)]
    done, late = await asyncio.wait(calls, timeout=10)
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return sum(one.exception() is None for one in done) / AT_ONCE


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[dict[str, Call]]:
    """One of each kind."""
    options = Dependency.model_validate(
        {
            "max_concurrent": 1000,
            "timeout": 20,
            "attempt_timeout": 20,
            "connect_timeout": 20,
            "breaker": {"window": 60, "min_calls": 10**9},
        }
    )
    ours = Client("peer", url, options, metrics=Metrics(), tracer=NoOpTracer())
    limits = httpx.Limits(max_connections=2000, max_keepalive_connections=1000)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ours.close)
        default = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        large = await stack.enter_async_context(httpx.AsyncClient(base_url=url, limits=limits))
        yield {
            OURS: lambda: ours.request("GET", "/api/version"),
            DEFAULT: lambda: default.get("/api/version"),
            LARGE: lambda: large.get("/api/version"),
        }


async def measured(url: str, rounds: int) -> list[Row]:
    """The rows of the table."""
    async with clients(url) as calls:
        rates: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(rounds):
            for name in list(calls)[:: 1 if number % 2 else -1]:
                rates[name].append(await throughput(calls[name]))
    rows = [
        Row(f"{OURS} / {DEFAULT}", over(rates[OURS], rates[DEFAULT]), "", ">= 5"),
        Row(f"{OURS} / {LARGE}", over(rates[OURS], rates[LARGE])),
        *(Row(name, values, "calls/s") for name, values in rates.items()),
    ]
    async with clients(url) as calls:
        for name in (OURS, DEFAULT):
            share = await answered_after_a_storm(calls[name])
            target = ">= 1" if name == OURS else ""
            rows.append(Row(f"{name}: answered after a storm", [share, share], "of 1", target))
    return rows


def main(rounds: int) -> None:
    """Serve beside this process, measure, report."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.inside.peers", "raw", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            own = os.sched_getaffinity(0)
            others = set(range(os.cpu_count() or 1)) - own
            os.sched_setaffinity(server.pid, others or own)
            _wait_for(port)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                rows = runner.run(measured(f"http://127.0.0.1:{port}", rounds))
        finally:
            server.kill()
    report(outbound=rows)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the peer does not listen")


if __name__ == "__main__":
    main(int(sys.argv[1]))
