"""The console's parts: what is broken stays alone, what is slow holds nobody up."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from starlette.types import Message

from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.ops.console import readings, stream
from steadfast_service.runtime.ops.console.page import Page
from steadfast_service.runtime.ops.console.readings import Reading
from steadfast_service.runtime.ops.console.sections import SECTIONS, Section
from steadfast_service.runtime.ops.console.stream import Stream
from steadfast_service.runtime.ops.documents import Document

from ..support.process import LIMIT
from ..support.records import Records

INFO: dict[str, Any] = {
    "name": "orders",
    "version": "1",
    "environment": "production",
    "changes": False,
}
FLAGS = next(section for section in SECTIONS if section.name == "flags")
AUDIT = next(section for section in SECTIONS if section.name == "audit")


def flag(name: str) -> dict[str, Any]:
    return {
        "flags": [
            {
                "name": name,
                "enabled": True,
                "percentage": 100,
                "headers": {},
                "claims": {},
                "source": "settings",
                "evaluations": {"on": 1, "off": 0},
            }
        ]
    }


def page_of(documents: Mapping[str, Any], *sections: Section) -> Page:
    """A page of documents that are called, or stand still."""

    def made(path: str, one: Any) -> Document:
        return Document(path, "", one if callable(one) else lambda: one, every=0)

    every = {"/info": INFO, **documents}
    return Page({path: made(path, one) for path, one in every.items()}, sections)


async def shown(page: Page, times: int = 3) -> str:
    """The page when it has been asked for so often."""
    for _ in range(times - 1):
        await page.whole()
    return await page.whole()


async def test_a_document_that_fails_is_said_in_its_place_and_once_in_the_log(
    records: Records,
) -> None:
    def fail() -> Any:
        raise ValueError("<b>no</b>")

    page = page_of(
        {"/flags": fail, "/audit": {"kept": 50, "refused": 0, "entries": []}}, FLAGS, AUDIT
    )
    html = await shown(page)
    assert "/flags: ValueError: &lt;b&gt;no&lt;/b&gt;" in html
    assert html.count('class="broken"') == 1
    [record] = records.of("console document failed")
    assert record["path"] == "/flags"
    assert "ValueError" in record["exception"]


async def test_a_section_that_cannot_be_made_is_said_too(records: Records) -> None:
    page = page_of(
        {
            "/flags": {"flags": [{"surprise": 1}]},
            "/audit": {"kept": 50, "refused": 0, "entries": []},
        },
        FLAGS,
        AUDIT,
    )
    html = await shown(page)
    assert "This section cannot be shown." in html
    assert html.count('class="broken"') == 1
    assert [record["section"] for record in records.of("console section failed")] == ["flags"]


async def test_a_document_that_comes_back_is_shown_again(records: Records) -> None:
    states: list[Any] = [flag("first"), ValueError("gone"), flag("second")]

    def read() -> Any:
        state = states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state

    page = page_of({"/flags": read}, FLAGS)
    assert "first" in await page.whole()
    broken = await page.whole()
    assert "gone" in broken
    assert "first" in broken  # old, and said to be
    mended = await page.whole()
    assert "second" in mended
    assert 'class="broken"' not in mended


async def test_only_what_is_json_gets_to_the_templates() -> None:
    reading = Reading(Document("/debug/tasks", "", lambda: {"no key": {1: 2}}))
    assert reading.name == "tasks"
    await reading.refresh()
    assert reading.error.startswith("TypeError")  # a number is no key in JSON
    reading = Reading(Document("/x", "", lambda: {"pair": (4, None)}))
    await reading.refresh()
    assert reading.content == {"pair": [4, None]}


async def test_a_document_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "PATIENCE", 0.01)
    released = asyncio.Event()
    asked = 0

    async def hang() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        await released.wait()
        return flag("at last")

    page = page_of({"/flags": hang}, FLAGS)
    for _ in range(3):
        assert "/flags: no answer yet" in await page.whole()
    assert asked == 1  # one read at a time, whoever asks
    released.set()
    async with asyncio.timeout(LIMIT):
        while "at last" not in (html := await page.whole()):
            await asyncio.sleep(0)
    assert "no answer yet" not in html


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
    pages = await asyncio.gather(*(page.whole() for _ in range(50)))
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
