"""A telemetry collector that accepts and never answers costs spans and nothing else."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.process import LIMIT, Process, starting, until


@pytest.fixture
def collector() -> Iterator[socket.socket]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(LIMIT)
        yield sock


def telemetry_to(collector: socket.socket) -> dict[str, str]:
    """OpenTelemetry's own variables."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.getsockname()[1]}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }


async def _hang(process: Process, collector: socket.socket) -> socket.socket:
    """Make spans until the exporter waits for an answer; the connection that it waits on."""
    await _load(process)
    connection, _ = await asyncio.to_thread(collector.accept)
    return connection


async def _load(process: Process) -> float:
    """Two hundred requests; the slowest took so many seconds."""
    slowest = 0.0
    async with process.client() as client:
        for _ in range(200):
            began = time.monotonic()
            assert (await client.get("/api/version")).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
    return slowest


async def test_requests_and_the_end_do_not_wait_for_it(
    tmp_path: Path, collector: socket.socket
) -> None:
    settings = {"TRACING__SAMPLE_RATIO": "1", "HTTP__CLOSE_TIMEOUT": "1"}
    with starting(tmp_path, settings, env=telemetry_to(collector)) as process:
        process.wait_ready()
        with await _hang(process, collector):
            slowest = await _load(process)
            began = time.monotonic()
            process.signal()
            code = await process.ended()
            seconds = time.monotonic() - began
        print(f"slowest request {slowest * 1000:.1f} ms, ended after {seconds:.2f} s, code {code}")
        assert code == 0
        assert slowest < 1
        assert seconds < 5
        assert [record["what"] for record in process.of("close timed out")] == ["telemetry"]


async def test_a_second_signal_does_not_wait_for_it_either(
    tmp_path: Path, collector: socket.socket
) -> None:
    settings = {"TRACING__SAMPLE_RATIO": "1", "HTTP__CLOSE_TIMEOUT": "60"}
    with starting(tmp_path, settings, env=telemetry_to(collector)) as process:
        process.wait_ready()
        with await _hang(process, collector):
            process.signal()
            await until(lambda: bool(process.of("draining")))
            # Nothing shows from outside that it closes telemetry now, which is the last to go.
            await asyncio.sleep(1.5)
            began = time.monotonic()
            process.signal()
            assert await process.ended() == 1
            assert time.monotonic() - began < 5
        assert process.of("interrupted")
