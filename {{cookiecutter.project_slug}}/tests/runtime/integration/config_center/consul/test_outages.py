"""A Consul that goes away, hangs, or comes back as another one."""

import asyncio
import time
from contextlib import aclosing

import pytest
from starlette.responses import JSONResponse

from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.consul import open_consul

from .....support.centre import (
    Drip,
    following,
    hang,
    impatient,
    sign,
)
from .....support.consul import Consul
from .....support.process import until
from .conftest import Open

INDEX = {"X-Consul-Index": "7"}
PAIR = {"Key": "orders/a", "Value": "MQ==", "ModifyIndex": 7}


async def test_a_restart_ends_the_watch_and_the_next_reading_is_whole(opened: Open) -> None:
    consul = Consul()
    source = opened(f"consul://{consul.host}/orders")
    async with consul.serving():
        await consul.put({"orders/a": b"1"})
        reading = await source.load()
        readings = source.watch(reading)
        waiting = asyncio.ensure_future(sign(readings))
        await until(lambda: consul.waiting == 1)
    with pytest.raises(SourceError):
        await waiting
    await consul.put({"orders/a": b"2"})
    async with consul.serving():
        again = await source.load()
        assert again.entries == {"a": b"2"}
        assert again.continuous
        async with aclosing(source.watch(again)) as later:
            await consul.put({"orders/a": b"3"})
            assert (await following(later)).entries == {"a": b"3"}


async def test_a_connection_that_is_half_open_is_found(consul: Consul, opened: Open) -> None:
    source = opened(f"consul://{consul.host}/orders", watch_timeout=0.3)
    reading = await source.load()
    for answer in (hang, Drip(INDEX)):
        consul.instead = [answer]
        began = time.monotonic()
        async with aclosing(source.watch(reading)) as readings:
            with pytest.raises(SourceError, match=r"in time"):
                await sign(readings)
        assert 0.25 < time.monotonic() - began < 3


async def test_a_long_wait_is_not_taken_for_a_dead_peer(consul: Consul, opened: Open) -> None:
    source = opened(f"consul://{consul.host}/orders", watch_timeout=0.5, request_timeout=0.1)
    async with aclosing(source.watch(await source.load())) as readings:
        assert [await sign(readings) for _ in range(2)] == [None, None]
    waits = [r.query_params["wait"] for r in consul.requests if "wait" in r.query_params]
    # With what Consul adds to it, it ends before we give up.
    assert set(waits) == {"400ms"}


async def test_ending_the_watch_ends_its_request(consul: Consul, opened: Open) -> None:
    source = opened(f"consul://{consul.host}/orders", watch_timeout=60)
    readings = source.watch(await source.load())
    waiting = asyncio.ensure_future(sign(readings))
    await until(lambda: consul.waiting == 1)
    began = time.monotonic()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await readings.aclose()
    await until(lambda: consul.waiting == 0)
    assert time.monotonic() - began < 2
    await consul.put({"orders/a": b"1"})
    assert (await source.load()).entries == {"a": b"1"}  # it is as good as before


async def test_a_wiped_store_says_that_it_does_not_go_on(consul: Consul, opened: Open) -> None:
    await consul.put({"orders/a": b"1", "orders/b": b"1"})
    source = opened(f"consul://{consul.host}/orders", watch_timeout=0.5)
    async with aclosing(source.watch(await source.load())) as readings:
        consul.restore({})
        reading = await following(readings)
        assert reading.entries == {}
        assert not reading.continuous
    # It stays so until there is something again, whatever others write meanwhile.
    await consul.put({"other": b"1"})
    again = await source.load()
    assert not again.continuous
    await consul.put({"orders/a": b"2"})
    async with aclosing(source.watch(again)) as readings:
        refilled = await following(readings)
        assert refilled.entries == {"a": b"2"}
        assert refilled.continuous
        await consul.delete("orders/a")
        assert (await following(readings)).continuous


async def test_a_wipe_during_an_outage_is_noticed(consul: Consul, opened: Open) -> None:
    await consul.put({"orders/a": b"1"})
    source = opened(f"consul://{consul.host}/orders")
    await source.load()
    consul.restore({})
    assert not (await source.load()).continuous


async def test_a_restored_store_is_read_and_followed_from_its_own_index(
    consul: Consul, opened: Open
) -> None:
    await consul.put({"orders/a": b"new"})
    source = opened(f"consul://{consul.host}/orders", watch_timeout=0.5)
    async with aclosing(source.watch(await source.load())) as readings:
        consul.restore({"orders/a": b"old"})
        restored = await following(readings)
        assert restored.entries == {"a": b"old"}
        assert not restored.continuous
        await sign(readings)
        began = time.monotonic()
        waiting = asyncio.ensure_future(following(readings))
        await until(lambda: consul.waiting == 1)
        await consul.put({"orders/a": b"newer"})
        assert (await waiting).entries == {"a": b"newer"}
        assert time.monotonic() - began < 2
    indexes = [int(r.query_params.get("index", 0)) for r in consul.requests]
    assert 0 in indexes[1:]  # as Consul's documentation demands


async def test_an_index_that_goes_backwards_alone_is_no_loss(consul: Consul, opened: Open) -> None:
    await consul.put({"orders/a": b"1", "orders/b": b"1"})
    source = opened(f"consul://{consul.host}/orders", watch_timeout=0.5)
    async with aclosing(source.watch(await source.load())) as readings:
        await consul.delete("orders/b")
        assert (await following(readings)).entries == {"a": b"1"}
        consul.forget()
        assert await sign(readings) is None
        assert (await source.load()).continuous
        await consul.put({"orders/a": b"2"})
        after = await following(readings)
        assert after.entries == {"a": b"2"}
        assert after.continuous


@pytest.mark.parametrize("index", ["0", "7", "10000"])
async def test_a_server_that_answers_at_once_for_ever_keeps_nobody_busy(
    consul: Consul, opened: Open, index: str
) -> None:
    source = opened(f"consul://{consul.host}/orders")
    reading = await source.load()
    consul.always = JSONResponse([PAIR], headers={"X-Consul-Index": index})
    began, before = time.monotonic(), len(consul.requests)
    async with aclosing(source.watch(reading)) as readings:
        for _ in range(24):
            await sign(readings)
    # 20 at once, then 5 a second.
    assert time.monotonic() - began > 0.7
    assert len(consul.requests) - before == 24


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("consul://127.0.0.1:8500", "names no prefix"),
        ("consul://127.0.0.1:8500/", "names no prefix"),
        ("consul:///orders", "not scheme://"),
        ("consul://127.0.0.1/orders?token=x", "unknown option 'token'"),
    ],
)
def test_an_address_that_cannot_be_meant(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        open_consul(url, impatient())
