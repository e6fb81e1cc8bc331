"""A log stream that nobody reads, or that is gone, does not touch the requests."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson
import pytest

from ..support.process import Process, starting

# Each request logs two records of some 300 bytes: many times the 64 KiB of a pipe and the
# ring below.
REQUESTS = 2000
ERRORS = {
    "FAULTS__RULES": '[{"abort_status": 500}]',
    "LOG__SAMPLE_RATE": "1",
    "LOG__WRITER": "ring",
    "LOG__RING_SIZE": "500",
}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A service that logs errors into a pipe that only the test reads."""
    with starting(tmp_path, ERRORS, piped=True) as it:
        it.wait_ready()
        yield it


def _stdout(process: Process) -> IO[bytes]:
    assert process.popen.stdout is not None
    return process.popen.stdout


async def _load(process: Process, requests: int = REQUESTS) -> None:
    async with process.client() as client:
        for _ in range(requests // 50):
            answers = await asyncio.gather(*(client.get("/api/version") for _ in range(50)))
            assert {answer.status_code for answer in answers} == {500}


async def _dropped(process: Process) -> float:
    return await process.metric("log_records_total", outcome="dropped")


async def test_a_stalled_reader_stalls_no_request(process: Process) -> None:
    await _load(process)
    dropped = await _dropped(process)
    written = await process.metric("log_records_total", outcome="written")
    print(f"{REQUESTS} requests answered, {written:.0f} records, {dropped:.0f} dropped")
    assert dropped > REQUESTS

    reading = asyncio.create_task(asyncio.to_thread(_stdout(process).read))
    await _load(process, 100)
    process.signal()
    records = [orjson.loads(line) for line in (await reading).splitlines()]
    assert await process.ended() == 0
    assert await reading == b"" or records[-1]["event"] == "stopped"
    of_requests = [r for r in records if r["event"] in ("request", "fault injected")]
    assert len(of_requests) == 2 * (REQUESTS + 100) - dropped


async def test_a_reader_that_has_gone_ends_nothing(process: Process) -> None:
    _stdout(process).close()
    await _load(process, 500)
    assert await _dropped(process) > 0
    process.signal()
    assert await process.ended() == 0
    assert process.errors() == ""
