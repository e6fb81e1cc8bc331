"""A Nacos that goes away, hangs, or is not what it was."""

import asyncio
import time
from contextlib import aclosing

import pytest
from starlette.responses import PlainTextResponse, Response

from steadfast_service.runtime.config.reading import SourceError

from .....support.centre import (
    PAGE,
    Drip,
    hang,
    sign,
)
from .....support.nacos import Nacos
from .....support.process import until
from .conftest import HOLD, Open

CONTENT = "log:\n  level: debug\n"
CHANGED = "log:\n  level: error\n"


async def test_a_wrong_context_is_not_taken_for_a_deleted_configuration(
    nacos: Nacos, opened: Open
) -> None:
    with pytest.raises(SourceError, match=r"answers 404 for orders\.yaml"):
        await opened(f"nacos://{nacos.host}/orders.yaml?context=/other").load()


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_listener_that_is_refused_is_a_loss(old: Nacos, opened: Open, status: int) -> None:
    source = opened(f"nacos://{old.host}/orders.yaml")
    async with aclosing(source.watch(await source.load())) as readings:
        old.instead = [PlainTextResponse("over limit", status)]
        with pytest.raises(SourceError, match=f"answers {status}"):
            await sign(readings)


@pytest.mark.parametrize("answer", [PAGE, PlainTextResponse("orders.yaml%02DEFAULT_GROUP%01\n")])
async def test_a_listener_that_answers_at_once_for_ever_keeps_nobody_busy(
    old: Nacos, opened: Open, answer: Response
) -> None:
    await old.publish(CONTENT)
    source = opened(f"nacos://{old.host}/orders.yaml")
    reading = await source.load()
    began = time.monotonic()
    async with aclosing(source.watch(reading)) as readings:
        for _ in range(24):
            old.instead = [answer]
            assert await sign(readings) is None
    assert time.monotonic() - began > 0.7


async def test_a_connection_that_is_half_open_is_found(old: Nacos, opened: Open) -> None:
    source = opened(f"nacos://{old.host}/orders.yaml", watch_timeout=0.2, request_timeout=0.2)
    reading = await source.load()
    for answer in (hang, Drip({})):
        old.instead = [answer]
        began = time.monotonic()
        async with aclosing(source.watch(reading)) as readings:
            with pytest.raises(SourceError, match=r"in time"):
                await sign(readings)
        # Not before a server may answer that holds it longer than it was asked to.
        assert HOLD + 0.15 < time.monotonic() - began < 3


async def test_a_server_that_holds_longer_than_it_was_asked_is_not_taken_for_dead(
    old: Nacos, opened: Open
) -> None:
    source = opened(f"nacos://{old.host}/orders.yaml", watch_timeout=0.1)
    async with aclosing(source.watch(await source.load())) as readings:
        assert [await sign(readings) for _ in range(2)] == [None, None]


async def test_ending_the_watch_ends_its_request(old: Nacos, opened: Open) -> None:
    source = opened(f"nacos://{old.host}/orders.yaml", watch_timeout=60)
    readings = source.watch(await source.load())
    waiting = asyncio.ensure_future(sign(readings))
    await until(lambda: old.waiting == 1)
    began = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await readings.aclose()
    await until(lambda: old.waiting == 0)
    assert time.monotonic() - began < 2


async def test_ending_the_watch_ends_its_pause(new: Nacos, opened: Open) -> None:
    source = opened(f"nacos://{new.host}/orders.yaml", poll_interval=60)
    readings = source.watch(await source.load())
    waiting = asyncio.ensure_future(sign(readings))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await readings.aclose()


async def test_a_restart_ends_the_watch_and_the_next_reading_is_whole(opened: Open) -> None:
    nacos = Nacos(2)
    source = opened(f"nacos://{nacos.host}/orders.yaml", watch_timeout=60)
    async with nacos.serving():
        await nacos.publish(CONTENT)
        waiting = asyncio.ensure_future(sign(source.watch(await source.load())))
        await until(lambda: nacos.waiting == 1)
    with pytest.raises(SourceError):
        await waiting
    with pytest.raises(SourceError):
        await source.load()
    await nacos.publish(CHANGED)
    async with nacos.serving():
        assert (await source.load()).entries == {"orders.yaml": CHANGED.encode()}
