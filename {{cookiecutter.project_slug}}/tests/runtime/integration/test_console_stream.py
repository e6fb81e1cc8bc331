"""The page's live values: what has changed, to all who watch, and nothing when nobody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from steadfast_service.runtime.ops.console.stream import MAX_WATCHERS

from ...support.management import OPERATOR, TOKEN
from ...support.process import LIMIT, serving
from ...support.serving import Served, served

FAULT = {"route": "GET /api/version", "abort_status": 503, "expires_in": 60}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, management={"token": TOKEN}) as it:
        yield it


async def events(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Each event as it came, without the empty line after it."""
    left = b""
    async for part in answer.aiter_raw():
        *whole, left = (left + part).split(b"\n\n")
        for event in whole:
            yield event


@asynccontextmanager
async def watching(ops: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[bytes]]:
    async with asyncio.timeout(LIMIT), ops.stream("GET", "/console/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        async with aclosing(events(answer)) as found:  # type: ignore[type-var]
            assert await anext(found) == b"retry: 2000"
            yield found


async def ticks(found: AsyncIterator[bytes], number: int) -> list[tuple[bytes, list[bytes]]]:
    """So many ticks: what ends each of them, and the events before that."""
    done: list[tuple[bytes, list[bytes]]] = []
    sections: list[bytes] = []
    async for event in found:
        if event.startswith(b"event: at"):
            done.append((event, sections))
            sections = []
            if len(done) == number:
                break
        else:
            sections.append(event)
    return done


def told(event: bytes) -> tuple[str, str]:
    """The name and the HTML of a section."""
    kind, data = event.split(b"\n")
    assert kind == b"event: section"
    section = orjson.loads(data.removeprefix(b"data: "))
    return section["name"], section["html"]


def names() -> list[str]:
    """Of the console's tasks in this process."""
    return [name for task in asyncio.all_tasks() if (name := task.get_name()).startswith("console")]


async def until_nobody_works() -> None:
    async with asyncio.timeout(LIMIT):
        while set(names()) - {"console warm-up"}:
            await asyncio.sleep(0.01)


async def test_a_change_arrives_and_only_what_has_changed(running: Served) -> None:
    async with watching(running.ops) as found:
        [(_, everything)] = await ticks(found, 1)
        page = (await running.ops.get("/")).text
        for name, _ in map(told, everything):
            assert f'data-section="{name}"' in page
        added = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
        path = added.headers["location"]
        async for event in found:
            if event.startswith(b"event: section") and told(event)[0] == "faults":
                html = told(event)[1]
                if path in html:
                    break
        # What stands still is not sent again.
        later = [told(event)[0] for _, sections in await ticks(found, 2) for event in sections]
        assert "overview" in later
        assert "build" not in later


async def test_everybody_gets_the_same_bytes(running: Served) -> None:
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(watching(running.ops)) for _ in range(3)]
        seen = [dict(one) for one in await asyncio.gather(*(ticks(one, 8) for one in found))]
    common = sorted(set.intersection(*(set(one) for one in seen)))[1:]
    assert common
    for at in common:
        assert sorted(seen[0][at]) == sorted(seen[1][at]) == sorted(seen[2][at])
    first = [{told(event)[0] for event in next(iter(one.values()))} for one in seen]
    assert first[0] == first[1] == first[2]


async def test_nothing_works_when_nobody_watches(running: Served) -> None:
    async with watching(running.ops) as found:
        await ticks(found, 1)
        assert "console stream" in names()
        assert "console watcher" in names()
    await until_nobody_works()
    async with watching(running.ops) as found:
        [(_, everything)] = await ticks(found, 1)
    assert "build" in dict(map(told, everything))  # the next one is told all of it again
    await until_nobody_works()


async def test_one_too_many_is_asked_to_come_later(running: Served) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=running.ops.base_url, limits=limits) as many:
        async with AsyncExitStack() as stack:
            for _ in range(MAX_WATCHERS):
                await stack.enter_async_context(watching(many))
            refused = await running.ops.get("/console/events")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
            assert refused.headers["content-type"] == "application/problem+json"
            assert (await running.ops.get("/livez")).status_code == 200
        await until_nobody_works()
        async with watching(many) as found:
            assert await ticks(found, 1)


async def test_streams_end_with_the_process_and_do_not_keep_it(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        async with (
            httpx.AsyncClient(base_url=process.ops_url, timeout=LIMIT) as ops,
            AsyncExitStack() as stack,
        ):
            found = [await stack.enter_async_context(watching(ops)) for _ in range(5)]
            await ticks(found[0], 1)
            process.signal()
            for one in found:  # each ends as a whole response does
                async for _ in one:
                    pass
        assert await process.ended() == 0
        assert process.of("close timed out") == []
        assert [r for r in process.records() if r["level"] in {"error", "critical"}] == []
        assert process.of("stopped")[0]["cut"] == 0
