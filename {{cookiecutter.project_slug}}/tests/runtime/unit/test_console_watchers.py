"""Who watches the console: the slow, the stuck, the next one, and all of them at once."""

import asyncio
from typing import Any

import orjson
import pytest
from starlette.types import Message

from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.ops.console import stream
from steadfast_service.runtime.ops.console.stream import Stream

from ...support.console import FLAGS, INFO, flag, page_of
from ...support.process import LIMIT


class Browser:
    """One that takes what is sent to it only when it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.leave = asyncio.Event()
        self.takes = asyncio.Event()
        self.offered = asyncio.Event()

    async def receive(self) -> Message:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.offered.set()
        await self.takes.wait()
        self.taken.append(message["body"])


async def test_a_slow_browser_gets_the_newest_and_never_a_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "TICK", 0.0)
    monkeypatch.setattr(stream, "REST", 0.0)
    number = 0

    def read() -> Any:
        nonlocal number
        number += 1
        return flag(f"flag-{number}")

    streams = Stream(page_of({"/flags": read}, FLAGS))
    browser = Browser()
    watching = asyncio.create_task(streams.watch(browser.receive, browser.send))
    await browser.offered.wait()  # the first bytes are on the way, and are not taken
    async with asyncio.timeout(LIMIT):
        while number < 50:
            await asyncio.sleep(0)
        browser.takes.set()
        while len(browser.taken) < 2:
            await asyncio.sleep(0)
    events = [event for event in browser.taken[1].split(b"\n\n") if event]
    assert sorted(event.split(b"\n")[0] for event in events) == [b"event: at", b"event: section"]
    [section] = [event for event in events if event.startswith(b"event: section")]
    html = orjson.loads(section.partition(b"data: ")[2])["html"]
    assert "flag-1<" not in html
    browser.leave.set()
    await watching
    assert streams.watchers == set()


async def test_a_browser_that_takes_nothing_is_given_up_and_ends_when_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "TICK", 0.0)
    monkeypatch.setattr(stream, "REST", 0.0)
    monkeypatch.setattr(stream, "GIVE_UP_AFTER", 0.02)
    streams = Stream(page_of({"/flags": flag("one")}, FLAGS))
    stuck = Browser()
    watching = asyncio.create_task(streams.watch(stuck.receive, stuck.send))
    await stuck.offered.wait()
    async with asyncio.timeout(LIMIT):
        while streams.watchers:
            await asyncio.sleep(0.001)
    assert not watching.done()  # it keeps its connection, and counts no more
    stuck.takes.set()
    await watching


async def test_the_next_one_is_not_told_what_the_last_one_saw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "TICK", 0.0)
    monkeypatch.setattr(stream, "REST", 0.0)
    name = "evening"
    streams = Stream(page_of({"/flags": lambda: flag(name)}, FLAGS))
    told = []
    for _ in range(2):
        browser = Browser()
        browser.takes.set()
        watching = asyncio.create_task(streams.watch(browser.receive, browser.send))
        async with asyncio.timeout(LIMIT):
            while b"event: at" not in b"".join(browser.taken):
                await asyncio.sleep(0)
            browser.leave.set()
            await watching
            while "console stream" in {task.get_name() for task in asyncio.all_tasks()}:
                await asyncio.sleep(0)
        told.append(b"".join(browser.taken))
        name = "night"
    assert b"evening" in told[0]
    assert b"night" in told[1]
    assert b"evening" not in told[1]


async def test_all_who_ask_at_once_get_one_page() -> None:
    asked = 0

    def read() -> Any:
        nonlocal asked
        asked += 1
        return flag("one")

    page = page_of({"/flags": read}, FLAGS)
    pages = await asyncio.gather(*(page.content() for _ in range(50)))
    assert len(set(pages)) == 1
    assert asked == 1


async def test_a_page_knows_that_it_is_told_of_another_service() -> None:
    others: list[dict[str, Any]] = [{}, {"name": "payments"}, {"version": "2"}, {"changes": True}]
    pages = [page_of({"/info": INFO | more}) for more in others]
    for page in pages:
        await page.refresh(at_once=True)
    assert len({await page.version() for page in pages}) == 4


async def test_after_the_end_nobody_is_let_in() -> None:
    streams = Stream(page_of({"/flags": flag("one")}, FLAGS))
    browser = Browser()
    browser.takes.set()
    watching = asyncio.create_task(streams.watch(browser.receive, browser.send))
    await browser.offered.wait()
    streams.close()
    await watching
    with pytest.raises(Problem) as refused:
        streams.response()
    assert refused.value.status == 503
