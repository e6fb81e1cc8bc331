"""Settings in a real etcd that works."""

import asyncio
from contextlib import aclosing

import pytest

from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.etcd import Etcd, open_etcd

from .....support.etcd import EtcdServer
from .conftest import Opens, following, sign


async def test_keys_below_the_prefix_are_entries(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/log/level", "debug")
    await etcd.put("orders/settings.yaml", "log: {}\n")
    revision = await etcd.put("orders/blob", b"\x00\xff\n")
    reading = await source.load()
    assert reading.entries == {
        "log/level": b"debug",
        "settings.yaml": b"log: {}\n",
        "blob": b"\x00\xff\n",
    }
    assert reading.revision == str(revision)
    assert reading.continuous


async def test_neighbours_of_the_prefix_are_not_read(etcd: EtcdServer, source: Etcd) -> None:
    for key in ("orders", "orders-test/a", "orders.", "orders0", "order/a", "a"):
        await etcd.put(key, "theirs")
    await etcd.put("orders/", "a folder's mark")
    await etcd.put("orders/empty", "")
    assert (await source.load()).entries == {"empty": b""}


async def test_a_prefix_may_begin_with_a_slash(etcd: EtcdServer, opened: Opens) -> None:
    await etcd.put("/config/the orders/a", "1")
    await etcd.put("config/the orders/a", "2")
    source = opened(f"etcd://{etcd.host}//config/the%20orders")
    assert (await source.load()).entries == {"a": b"1"}


async def test_a_key_that_is_no_text_is_shown_as_it_is(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.transaction({"orders/a": "1"})
    body = {"key": "b3JkZXJzL///", "value": ""}  # orders/ and two bytes of 255
    await etcd.call("/v3/kv/put", **body)
    assert (await source.load()).entries == {"a": b"1", "\\xff\\xff": b""}


async def test_nothing_below_the_prefix_is_an_empty_reading(source: Etcd) -> None:
    reading = await source.load()
    assert reading.entries == {}
    assert reading.continuous


async def test_each_change_is_a_complete_reading(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.put("orders/a", "1")
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        revision = await etcd.put("orders/b", "2")
        reading = await following(readings)
        assert reading.entries == {"a": b"1", "b": b"2"}
        assert reading.revision == str(revision)
        await etcd.delete("orders/a")
        assert (await following(readings)).entries == {"b": b"2"}
        await etcd.delete("orders/b")
        reading = await following(readings)
        assert reading.entries == {}
        assert reading.continuous


async def test_a_transaction_is_one_reading(etcd: EtcdServer, source: Etcd) -> None:
    await etcd.transaction({"orders/a": "1", "orders/b": "1", "orders/c": "1"})
    async with aclosing(source.watch(await source.load())) as readings:
        for number in (b"2", b"3", b"4"):
            value = number.decode()
            both = {"orders/a": value, "orders/b": value}
            await etcd.transaction(both, "orders/c")
            reading = await following(readings)
            assert reading.entries == {"a": number, "b": number}


async def test_a_change_before_the_watch_is_seen(etcd: EtcdServer, source: Etcd) -> None:
    since = await source.load()
    await etcd.put("orders/a", "1")
    async with aclosing(source.watch(since)) as readings:
        reading = await sign(readings)
    assert reading is not None
    assert reading.entries == {"a": b"1"}


async def test_a_burst_ends_with_its_last_value(etcd: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://{etcd.host}/orders", watch_timeout=1)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await etcd.put("orders/a", "0")
        seen = [(await following(readings)).entries["a"]]
        for number in range(1, 51):
            await etcd.put("orders/a", str(number))
        while seen[-1] != b"50":
            seen.append((await following(readings)).entries["a"])
        assert seen == sorted(set(seen), key=int)
        assert len(seen) < 50  # what has piled up is one reading
        assert await sign(readings) is None


async def test_other_keys_are_no_reason_to_read(etcd: EtcdServer, source: Etcd) -> None:
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await etcd.put("billing/a", "1")
        revision = await etcd.put("orders/a", "1")
        reading = await sign(readings)
    assert reading is not None
    assert reading.revision == str(revision)


async def test_without_a_change_it_still_gives_signs_of_life(
    etcd: EtcdServer, opened: Opens
) -> None:
    source = opened(f"etcd://{etcd.host}/orders", watch_timeout=0.1)
    async with aclosing(source.watch(await source.load())) as readings:
        assert [await sign(readings) for _ in range(3)] == [None] * 3
        await etcd.put("orders/a", "1")
        assert (await following(readings)).entries == {"a": b"1"}


async def test_a_megabyte_is_read_and_more_is_refused(etcd: EtcdServer, source: Etcd) -> None:
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await etcd.put("orders/a", bytes(900_000))
        assert len((await following(readings)).entries["a"]) == 900_000
        await etcd.put("orders/b", bytes(400_000))
        with pytest.raises(SourceError, match="more than"):
            await following(readings)
    with pytest.raises(SourceError, match="more than"):
        await source.load()


async def test_too_many_keys_are_refused(etcd: EtcdServer, source: Etcd) -> None:
    for start in range(0, 10_100, 100):  # etcd takes 128 in one transaction
        numbers = range(start, start + 100)
        await etcd.transaction({f"orders/{number}": "" for number in numbers})
    with pytest.raises(SourceError, match="more than 10000 keys"):
        await source.load()


async def test_closing_ends_a_watch(etcd: EtcdServer, opened: Opens) -> None:
    source = opened(f"etcd://{etcd.host}/orders", watch_timeout=300)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        await etcd.put("orders/a", "1")
        await following(readings)
        waiting = asyncio.ensure_future(sign(readings))
        await asyncio.sleep(0)  # it waits for the stream now
        await source.close()
        with pytest.raises(SourceError):
            await waiting
    with pytest.raises(SourceError, match="closed"):
        await source.load()


def test_a_url_that_cannot_be_used_is_refused_in_one_line() -> None:
    for url, reason in {
        "etcd://host:2379": "prefix",
        "etcd://host:2379/": "prefix",
        "etcd://host/orders?tls=1": "'tls'",
        "etcd:///orders": "scheme://",
        "etcd://host:0/orders": "host:port",
        "etcd://host:66000/orders": "host:port",
        "etcd://host,/orders": "host:port",
        "etcd://me:se/cret@host/orders": "percent-encoded",
        "etcd://me:se@cret@host/orders": "percent-encoded",
        "etcd://me:se%0acret@host/orders": "cannot be printed",
    }.items():
        with pytest.raises(ValueError, match=reason) as caught:
            open_etcd(url, ConfigOptions())
        assert "\n" not in str(caught.value)
        assert "cret" not in str(caught.value)
