"""The console's parts: what is broken stays alone, what is slow holds nobody up."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from steadfast_service.runtime.ops.console import readings
from steadfast_service.runtime.ops.console.opening import page_response
from steadfast_service.runtime.ops.console.page import Page
from steadfast_service.runtime.ops.console.readings import Reading
from steadfast_service.runtime.ops.console.sections import SECTIONS
from steadfast_service.runtime.ops.documents import Document

from ...support.console import FLAGS, flag, page_of
from ...support.process import LIMIT
from ...support.records import Records

AUDIT = next(section for section in SECTIONS if section.name == "audit")


async def nothing_comes() -> Message:
    """Of a browser that asks and waits."""
    return await asyncio.Future()


async def shown(page: Page, times: int = 3) -> str:
    """The page when it has been asked for so often."""
    for _ in range(times - 1):
        await page.content()
    return await page.content()


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
    assert "first" in await page.content()
    broken = await page.content()
    assert "gone" in broken
    assert "first" in broken  # old, and said to be
    mended = await page.content()
    assert "second" in mended
    assert 'class="broken"' not in mended


async def test_a_browser_gets_the_frame_before_anything_is_read() -> None:
    answers, arrived = asyncio.Event(), asyncio.Event()
    sent: list[bytes] = []

    async def read() -> Any:
        await answers.wait()
        return flag("one")

    async def send(message: Message) -> None:
        if body := message.get("body"):
            sent.append(body)
            arrived.set()

    response = await page_response(page_of({"/flags": read}, FLAGS))
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    async with asyncio.timeout(LIMIT):
        sending = asyncio.create_task(response(scope, nothing_comes, send))
        await arrived.wait()
        [frame] = sent
        assert b"</nav>" in frame
        answers.set()
        await sending
    rest = b"".join(sent[1:])
    assert b'<section class="section" id="flags"' in rest
    assert rest.rstrip().endswith(b"</html>")


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
        assert "/flags: no answer yet" in await page.content()
    assert asked == 1  # one read at a time, whoever asks
    released.set()
    async with asyncio.timeout(LIMIT):
        while "at last" not in (html := await page.content()):
            await asyncio.sleep(0)
    assert "no answer yet" not in html
