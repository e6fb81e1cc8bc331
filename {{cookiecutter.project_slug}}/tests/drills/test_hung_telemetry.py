"""A telemetry collector that accepts and never answers costs spans and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ..support.process import Process, starting, until


class Collector:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    def telemetry(self, port: int) -> dict[str, str]:
        """OpenTelemetry's own variables that lead here."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }


@pytest.fixture
async def telemetry() -> AsyncIterator[tuple[Collector, dict[str, str]]]:
    """The collector, and the variables that make a service use it."""
    collector = Collector()
    server = await asyncio.start_server(collector, "127.0.0.1", 0)
    yield collector, collector.telemetry(server.sockets[0].getsockname()[1])
    server.close()


async def _load(process: Process) -> float:
    """Two hundred requests; the slowest took so many seconds."""
    slowest = 0.0
    async with httpx.AsyncClient(base_url=process.url) as client:
        for _ in range(200):
            began = time.monotonic()
            assert (await client.get("/api/version")).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
    return slowest


async def test_requests_and_the_end_do_not_wait_for_it(
    tmp_path: Path, telemetry: tuple[Collector, dict[str, str]]
) -> None:
    collector, env = telemetry
    settings = {"TRACING__SAMPLE_RATIO": "1", "HTTP__CLOSE_TIMEOUT": "1"}
    with starting(tmp_path, env=env, **settings) as process:
        process.wait_ready()
        await _load(process)
        await until(lambda: collector.connections > 0)
        slowest = await _load(process)
        began = time.monotonic()
        process.signal()
        assert await process.ended() == 0
        seconds = time.monotonic() - began
        print(f"slowest request {slowest * 1000:.1f} ms, ended after {seconds:.2f} s")
        assert slowest < 1
        assert seconds < 5


async def test_a_second_signal_does_not_wait_for_it_either(
    tmp_path: Path, telemetry: tuple[Collector, dict[str, str]]
) -> None:
    collector, env = telemetry
    settings = {"TRACING__SAMPLE_RATIO": "1", "HTTP__CLOSE_TIMEOUT": "20"}
    with starting(tmp_path, env=env, **settings) as process:
        process.wait_ready()
        await _load(process)
        await until(lambda: collector.connections > 0)
        process.signal()
        await until(lambda: bool(process.of("draining")))
        await asyncio.sleep(0.5)  # it is closing by then, which nothing shows from outside
        began = time.monotonic()
        process.signal()
        assert await process.ended() == 1
        assert time.monotonic() - began < 5
