"""The event loop's watchdog: whatever holds the loop is named by its line, while it holds it."""

import asyncio
import re
import signal
import threading
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from ...support.process import LIMIT, serving
from ...support.serving import Served, served
from ...support.sources import document, state

THRESHOLD = 0.1
HELD = 0.4  # seconds; far above the threshold, its looks and a machine's own pauses
SLOW_PATTERN = re.compile(r"(?:x+)+y")
ATTEMPTS = 5  # of what a machine without a free core can hide
HERE = "integration/test_debug_stalls.py"
REVISIONS = count(1)


class Lab:
    """Endpoints that hold the event loop, and one that only takes its time."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.told_in_time = False

    async def sleep(self) -> None:
        time.sleep(HELD)  # noqa: ASYNC251 - the fault that is looked for

    async def ignored(self) -> None:
        time.sleep(HELD)  # noqa: ASYNC251 - and here it is not looked for

    async def often(self) -> None:
        time.sleep(3 * THRESHOLD)  # noqa: ASYNC251

    async def wait(self) -> None:
        self.told_in_time = self.gate.wait(LIMIT)

    async def pattern(self) -> None:
        began = time.perf_counter()
        length = 18
        while time.perf_counter() - began < HELD:  # each longer, in one call that lets nobody in
            length += 2
            SLOW_PATTERN.match("x" * length)

    async def patient(self) -> None:
        await asyncio.sleep(3 * THRESHOLD)


@pytest.fixture(scope="module")
async def lab() -> Lab:
    return Lab()


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> AsyncIterator[Served]:
    http = {"request_timeout": 2 * LIMIT, "grace": 2 * LIMIT}
    first = state("centre", settings(THRESHOLD))
    async with served(tmp_path_factory.mktemp("stalls"), [first], http=http) as it:
        for name in ("sleep", "ignored", "often", "wait", "pattern", "patient"):
            it.service.api.router.add_api_route(f"/api/lab/{name}", getattr(lab, name))
        yield it


def settings(threshold: float) -> Any:
    """What the configuration centre holds."""
    return document(str(next(REVISIONS)), f"management:\n  stall_threshold: {threshold}")


async def stalls(running: Served, function: str) -> list[dict[str, Any]]:
    """Those that are told of one function of the lab, the last first."""
    report = (await running.ops.get("/debug/stalls")).json()
    return [one for one in report["stalls"] if one["line"].endswith(f" in {function}")]


async def ended(running: Served, function: str) -> dict[str, Any]:
    """The last one of a function, once the watchdog has seen its end."""
    async with asyncio.timeout(LIMIT):
        while not (found := await stalls(running, function)) or found[0]["seconds"] is None:
            await asyncio.sleep(0.01)
    return found[0]


def told(running: Served, event: str, function: str) -> list[dict[str, Any]]:
    """The records of one event about one function."""
    return [one for one in running.records.of(event) if one["line"].endswith(f" in {function}")]


async def test_a_handler_that_sleeps_is_named_by_its_line_and_counted(running: Served) -> None:
    before = await running.metric("event_loop_stalls_total")
    seconds_before = await running.metric("event_loop_stall_seconds_total")
    await running.client.get("/api/lab/sleep", headers={"X-Request-Id": "the-slow-one"})
    stall = await ended(running, "sleep")
    assert stall["line"] == f"{HERE}:{Lab.sleep.__code__.co_firstlineno + 1} in sleep"
    assert stall["code"].startswith("time.sleep(HELD)")
    assert stall["stack"][-1] == stall["innermost"] == stall["line"]
    assert stall["stack"][0].startswith("uvicorn/")  # not how the process was started
    assert stall["request_id"] == "the-slow-one"
    assert THRESHOLD <= stall["seconds"] < LIMIT
    assert await running.metric("event_loop_stalls_total") > before
    added = await running.metric("event_loop_stall_seconds_total") - seconds_before
    assert added >= stall["seconds"] - 0.001

    (record,) = told(running, "event loop blocked", "sleep")
    assert record["level"] == "warning"
    assert record["request_id"] == "the-slow-one"
    assert (record["line"], record["stack"]) == (stall["line"], stall["stack"])
    (record,) = told(running, "event loop free again", "sleep")
    assert record["seconds"] == stall["seconds"]


async def test_a_stall_that_goes_on_is_told_before_it_ends(running: Served, lab: Lab) -> None:
    def open_when_told() -> None:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and not told(running, "event loop blocked", "wait"):
            time.sleep(0.01)
        lab.gate.set()

    operator = threading.Thread(target=open_when_told)
    operator.start()
    await running.client.get("/api/lab/wait", timeout=2 * LIMIT)
    operator.join()
    assert lab.told_in_time
    (stall,) = await stalls(running, "wait")
    assert stall["innermost"].startswith("threading.py:")  # and the line is ours all the same
    assert stall["code"] == "self.told_in_time = self.gate.wait(LIMIT)"


async def test_a_regular_expression_that_lets_nobody_in_is_named(running: Served) -> None:
    found: list[dict[str, Any]] = []
    for _ in range(ATTEMPTS):
        await running.client.get("/api/lab/pattern")
        await asyncio.sleep(0.2)  # the watchdog's next look
        if found := await stalls(running, "pattern"):
            break
    assert found[0]["code"] == 'SLOW_PATTERN.match("x" * length)'


async def test_a_line_that_stalls_again_and_again_is_told_once_and_counted(
    running: Served,
) -> None:
    before = (await running.ops.get("/debug/stalls")).json()["count"]
    for _ in range(4):
        await running.client.get("/api/lab/often")
    await ended(running, "often")
    assert (await running.ops.get("/debug/stalls")).json()["count"] >= before + 4
    assert len(told(running, "event loop blocked", "often")) == 1


async def test_waiting_is_no_stall(running: Served) -> None:
    await running.client.get("/api/lab/patient")
    await asyncio.sleep(0.2)  # the watchdog's next look
    assert not await stalls(running, "patient")


async def test_a_threshold_of_0_ends_the_looks_and_another_takes_them_up(
    running: Served,
) -> None:
    running.config.offer("centre", settings(0))
    try:
        await running.client.get("/api/lab/ignored")
        await asyncio.sleep(0.2)  # it would be seen by now
        assert not await stalls(running, "ignored")
        report = (await running.ops.get("/debug/stalls")).json()
        assert report["threshold_seconds"] == 0
    finally:
        running.config.offer("centre", settings(THRESHOLD))
    await running.client.get("/api/lab/ignored")
    assert (await ended(running, "ignored"))["code"].startswith("time.sleep")


async def test_a_process_that_was_stopped_is_no_stall(tmp_path: Path) -> None:
    stopped = 2.0
    with serving(tmp_path, MANAGEMENT__STALL_THRESHOLD="0.3") as process:
        process.signal(signal.SIGSTOP)
        await asyncio.sleep(stopped)
        process.signal(signal.SIGCONT)
        async with httpx.AsyncClient(base_url=process.ops_url, timeout=LIMIT) as client:
            async with asyncio.timeout(LIMIT):
                # Until the heartbeat has said how late it was, and the watchdog looked again.
                while not await late(process, 1.0):
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            report = (await client.get("/debug/stalls")).json()
        assert [one for one in report["stalls"] if (one["seconds"] or stopped) > 1.0] == []
        assert not [r for r in process.of("event loop blocked") if r["seconds"] > 1.0]
        process.signal()
        assert await process.ended() == 0


async def late(process: Any, seconds: float) -> float:
    """How many beats came later than so many seconds."""
    beats = await process.metric("event_loop_lag_seconds_count")
    return float(beats - await process.metric("event_loop_lag_seconds_bucket", le=str(seconds)))
