"""A real etcd that is restarted, wiped, compacted, stopped or cut off."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.etcd import Etcd
from tools.drill.proxy import proxy

from .....support.etcd import EtcdServer, etcd_cluster
from .....support.process import free_port, until
from .conftest import Opens, following, sign

PATIENCE = 5.0  # far above one request and one watch of an impatient source


async def restarted(etcd: EtcdServer, *, wiped: bool = False) -> None:
    etcd.stop()
    if wiped:
        etcd.wipe()
    await etcd.start()


async def test_a_restart_loses_the_watch_and_no_change(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/a", "1")
    since = await source.load()
    async with aclosing(source.watch(since)) as readings:
        assert await sign(readings) is None
        etcd.stop()
        with pytest.raises(SourceError):
            await following(readings)
    with pytest.raises(SourceError, match="refused"):
        await source.load()
    await etcd.start()
    await etcd.put("orders/a", "2")
    async with aclosing(source.watch(since)) as readings:
        reading = await sign(readings)
        assert reading is not None
        assert reading.entries == {"a": b"2"}
        assert reading.continuous
        await etcd.put("orders/a", "3")
        assert (await following(readings)).entries == {"a": b"3"}


async def test_a_watch_begins_where_all_before_is_compacted(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/a", "1")
    since = await source.load()
    for number in range(5):
        await etcd.put("orders/a", str(number))
    await etcd.compact(await etcd.put("orders/a", "last"))
    async with aclosing(source.watch(since)) as readings:
        reading = await sign(readings)
        assert reading is not None
        assert reading.entries == {"a": b"last"}
        assert reading.continuous
        await etcd.compact(await etcd.put("orders/b", "1"))
        assert (await following(readings)).entries == {"a": b"last", "b": b"1"}


async def test_what_a_wiped_server_says_is_not_continuous(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/a", "1")
    await source.load()
    await restarted(etcd, wiped=True)
    reading = await source.load()
    again = await source.load()  # as long as nothing is there
    assert reading == again
    assert reading.entries == {}
    assert not reading.continuous
    async with aclosing(source.watch(reading)) as readings:
        assert await sign(readings) is None
        await etcd.put("orders/b", "1")
        assert (await following(readings)).entries == {"b": b"1"}
        await etcd.delete("orders/b")
        assert (await following(readings)).continuous  # somebody's decision again


async def test_a_wiped_server_is_found_out_by_its_past(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/a", "1")
    since = await source.load()
    await restarted(etcd, wiped=True)
    for _ in range(5):  # the same cluster id, and a revision that has overtaken ours
        await etcd.put("billing/a", "1")
    reading = await source.load()
    assert int(reading.revision) > int(since.revision)
    assert reading.entries == {}
    assert not reading.continuous


async def test_keys_deleted_while_nobody_looked_are_a_decision(
    etcd: EtcdServer, source: Etcd
) -> None:
    await etcd.put("orders/a", "1")
    await source.load()
    await restarted(etcd)
    await etcd.delete("orders/a")
    reading = await source.load()
    assert reading.entries == {}
    assert reading.continuous


async def test_a_server_that_hangs_is_given_up(etcd: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://{etcd.host}/orders", request_timeout=0.3, watch_timeout=0.5)
    since = await source.load()
    async with aclosing(source.watch(since)) as readings:
        assert await sign(readings) is None
        etcd.hang()
        start = time.monotonic()
        with pytest.raises(SourceError, match="has not answered"):
            await following(readings)
        assert time.monotonic() - start < PATIENCE
    with pytest.raises(SourceError, match="has not answered"):
        await source.load()
    etcd.go_on()
    await etcd.put("orders/a", "1")
    assert (await source.load()).entries == {"a": b"1"}


async def test_a_network_that_swallows_everything_is_found(etcd: EtcdServer, opened: Opens) -> None:
    async with proxy(etcd.port) as between:
        source = opened(
            f"etcd://127.0.0.1:{between.port}/orders",
            request_timeout=0.3,
            watch_timeout=0.5,
        )
        async with aclosing(source.watch(await source.load())) as readings:
            assert await sign(readings) is None
            between.silent = True
            await etcd.put("orders/a", "1")
            with pytest.raises(SourceError, match="has not answered"):
                await following(readings)
        between.heal()
        assert (await source.load()).entries == {"a": b"1"}


async def test_cancelling_a_watch_closes_its_connection(etcd: EtcdServer, opened: Opens) -> None:
    async with proxy(etcd.port) as between:
        source = opened(f"etcd://127.0.0.1:{between.port}/orders", watch_timeout=300)
        readings = source.watch(await source.load())
        assert await sign(readings) is None
        await etcd.put("orders/a", "1")
        await following(readings)
        assert len(between.ends) == 4  # two sides of the stream's, and of the one for requests
        waiting = asyncio.ensure_future(anext(readings))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await until(lambda: len(between.ends) == 2)


async def test_a_slow_reader_is_not_interrupted(etcd: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://{etcd.host}/orders", watch_timeout=0.2)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await etcd.put("orders/a", "1")
        assert (await following(readings)).entries == {"a": b"1"}
        await asyncio.sleep(0.5)  # the stream's time is over meanwhile
        await etcd.put("orders/a", "2")
        assert (await following(readings)).entries == {"a": b"2"}


async def test_the_next_server_is_asked_when_one_is_dead(etcd: EtcdServer, opened: Opens) -> None:
    await etcd.put("orders/a", "1")
    source = opened(f"etcd://127.0.0.1:{free_port()},{etcd.host}/orders")
    since = await source.load()
    assert since.entries == {"a": b"1"}
    async with aclosing(source.watch(since)) as readings:
        assert await sign(readings) is None


async def test_the_next_server_is_asked_after_one_that_hangs(tmp_path: Path, opened: Opens) -> None:
    async with etcd_cluster(tmp_path) as members:
        hosts = ",".join(member.host for member in members)
        await members[0].put("orders/a", "1")
        source = opened(f"etcd://{hosts}/orders", request_timeout=0.5)
        members[0].hang()
        with pytest.raises(SourceError, match="has not answered"):
            await source.load()
        reading = await source.load()
        assert reading.entries == {"a": b"1"}
        members[0].go_on()


async def test_a_member_without_the_others_ends_the_watch(tmp_path: Path, opened: Opens) -> None:
    async with etcd_cluster(tmp_path) as members:
        source = opened(f"etcd://{members[0].host}/orders", watch_timeout=300)
        async with aclosing(source.watch(await source.load())) as readings:
            assert await sign(readings) is None
            for member in members[1:]:
                member.stop()
            with pytest.raises(SourceError, match="no leader"):
                await following(readings)
