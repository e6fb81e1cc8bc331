"""`/debug/tasks` and `/debug/threads`: a leak shows by the name of its coroutine."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from steadfast_service.runtime.ops.diagnostics.ages import Ages

from ...support.process import LIMIT
from ...support.serving import Served, served

LEAKED = 10_000


class Warehouse:
    """Starts what it never ends."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def leak(self) -> None:
        self.tasks += [asyncio.create_task(self.refresh_stock()) for _ in range(LEAKED)]

    async def refresh_stock(self) -> None:
        async for _ in self.parts():
            pass

    async def parts(self) -> AsyncIterator[int]:
        await self.answer()
        yield 1

    async def answer(self) -> None:
        await self.opened.wait()


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("tasks")) as it:
        yield it


async def groups(running: Served, coroutine: str) -> list[dict[str, Any]]:
    """Those of one coroutine, in the next answer that is not one from before."""
    before = (await running.ops.get("/debug/tasks")).content
    async with asyncio.timeout(2 * LIMIT):
        while (answer := await running.ops.get("/debug/tasks")).content == before:
            await asyncio.sleep(0.05)
    return [one for one in answer.json()["groups"] if one["coroutine"] == coroutine]


async def test_ten_thousand_leaked_tasks_are_one_group_with_their_age(running: Served) -> None:
    warehouse = Warehouse()
    running.service.api.router.add_api_route("/api/lab/leak", warehouse.leak)
    try:
        await running.client.get("/api/lab/leak", timeout=LIMIT)
        (first,) = await groups(running, "Warehouse.refresh_stock")
        assert first["count"] == LEAKED
        assert first["state"] == "waiting"
        assert first["waits_for"] == "Future"
        assert [step.rpartition(" in ")[2] for step in first["stack"]] == [
            "refresh_stock",
            "parts",
            "answer",
            "wait",
        ]
        assert len(first["names"]) == 3
        assert 0 <= first["youngest_seconds"] <= first["oldest_seconds"]
        await running.client.get("/api/lab/leak", timeout=LIMIT)
        (both,) = await groups(running, "Warehouse.refresh_stock")
        assert both["count"] == 2 * LEAKED
        assert both["oldest_seconds"] >= first["oldest_seconds"] + 1
        assert both["youngest_seconds"] < both["oldest_seconds"]
    finally:
        for task in warehouse.tasks:
            task.cancel()
        await asyncio.gather(*warehouse.tasks, return_exceptions=True)
        warehouse.tasks.clear()  # or whoever lists all tasks after this test goes through them


async def test_a_named_task_has_an_age_from_its_first_sight_on(running: Served) -> None:
    async def named() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(named(), name="the nightly export")
    name = named.__qualname__
    try:
        await groups(running, name)
        (group,) = await groups(running, name)
        assert group["names"] == ["the nightly export"]
        assert group["oldest_seconds"] > 0
    finally:
        task.cancel()


async def test_many_who_ask_at_once_get_one_answer(running: Served) -> None:
    asked = [running.ops.get("/debug/tasks") for _ in range(10)]
    answers = await asyncio.gather(*asked)
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["pause_ms"] > 0


async def test_a_task_that_waits_for_another_says_for_which(running: Served) -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await task

    task = asyncio.create_task(inner())
    waiting = asyncio.create_task(outer())
    (group,) = await groups(running, outer.__qualname__)
    assert group["waits_for"] == f"the task {inner.__qualname__}"
    waiting.cancel()
    await asyncio.wait({waiting, task})


async def test_ages_are_exact_to_a_fraction_of_themselves_and_bounded() -> None:
    ages, tasks = Ages(), []
    hours = 6 * 3600
    for second in range(hours):
        ages.mark(float(second))
        if second % 977 == 0:
            tasks.append((second, asyncio.create_task(asyncio.sleep(0))))
            await asyncio.sleep(0)
    now = float(hours)
    reading = ages.reading(now)
    for second, task in tasks:
        age = reading.age(task, task.get_name())
        assert age is not None
        assert age <= now - second
        assert now - second - age <= max(1, (now - second) / 3)
    assert len(reading._numbers) < 1200


async def test_a_thread_shows_where_it_is_and_what_it_used(running: Served) -> None:
    release = threading.Event()

    def count_stock() -> None:
        sum(range(1_000_000))
        release.wait(LIMIT)

    thread = threading.Thread(target=count_stock, name="stock counter")
    thread.start()
    try:
        found = (await running.ops.get("/debug/threads")).json()["threads"]
    finally:
        release.set()
        thread.join()
    (one,) = [one for one in found if one["name"] == "stock counter"]
    assert any(step.endswith(" in count_stock") for step in one["stack"])
    assert one["id"] == thread.native_id
    assert one["daemon"] is False
    assert one["cpu_seconds"] is None or one["cpu_seconds"] >= 0
    names = {one["name"] for one in found}
    assert {"MainThread", "stall-watchdog"} <= names
