"""What is read from Consul, and when: the same of a real one and of the stand-in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from steadfast_service.runtime.config.reading import Reading

from .....support.centre import following, sign
from .....support.consul import Consul, ConsulServer, consul_server
from .conftest import Open

KEYS: dict[str, bytes | None] = {
    "orders/log/level": b"debug",
    "orders/settings.yaml": b"log:\n  level: error\n",
    "orders-test/log/level": b"error",
    "orders": b"not below the prefix",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ConsulServer]:
    """A real one."""
    with consul_server(tmp_path) as running:
        yield running


@pytest.fixture(params=["stand-in", "real"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Consul | ConsulServer]:
    """Either, running."""
    if request.param == "real":
        server = request.getfixturevalue("server")
        await server.ready()
        yield server
    else:
        stand_in = Consul()
        async with stand_in.serving():
            yield stand_in


async def test_entries_are_the_keys_below_the_prefix(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put(KEYS)
    reading = await opened(f"consul://{store.host}/orders").load()
    assert reading.entries == {
        "log/level": b"debug",
        "settings.yaml": b"log:\n  level: error\n",
    }
    assert int(reading.revision) > 0
    assert reading.continuous


async def test_folders_are_no_entries_and_empty_values_are_empty(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put({"a/b/": None, "a/c": None, "a/deep/er/key": b"\x00\xff"})
    reading = await opened(f"consul://{store.host}/a").load()
    assert reading.entries == {"c": b"", "deep/er/key": b"\x00\xff"}


async def test_no_key_is_an_empty_reading_that_can_be_waited_on(
    store: Consul | ConsulServer, opened: Open
) -> None:
    source = opened(f"consul://{store.host}/orders")
    nothing = await source.load()
    assert nothing.entries == {}
    assert nothing.continuous
    async with aclosing(source.watch(nothing)) as readings:
        await store.put({"orders/log/level": b"debug"})
        first = await following(readings)
        assert first.entries == {"log/level": b"debug"}
        await store.delete("orders/log/level")
        last = await following(readings)
        assert last.entries == {}
        assert last.continuous  # it was deleted by somebody


async def test_a_change_between_reading_and_watching_is_not_lost(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put({"orders/a": b"1"})
    source = opened(f"consul://{store.host}/orders")
    reading = await source.load()
    await store.put({"orders/a": b"2"})
    async with aclosing(source.watch(reading)) as readings:
        assert (await following(readings)).entries == {"a": b"2"}


async def written(store: Consul | ConsulServer, times: int) -> None:
    """Write one key again and again, and let others have a turn between."""
    for number in range(1, times + 1):
        await store.put({"orders/n": str(number).encode()})
        await asyncio.sleep(0)


async def test_the_last_value_of_a_burst_arrives(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put({"orders/n": b"0"})
    source = opened(f"consul://{store.host}/orders")
    async with aclosing(source.watch(await source.load())) as readings:
        burst = asyncio.ensure_future(written(store, 60))
        seen = [await following(readings)]
        while seen[-1].entries["n"] != b"60":
            seen.append(await following(readings))
        await burst
    assert len(seen) <= 60


async def test_an_answer_without_a_change_is_a_sign_of_life(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put({"orders/a": b"1", "other/b": b"1"})
    source = opened(f"consul://{store.host}/orders", watch_timeout=0.5)
    reading = await source.load()
    async with aclosing(source.watch(reading)) as readings:
        assert await sign(readings) is None
        await store.put({"other/b": b"2"})
        await store.put({"orders/a": b"1"})  # the same again
        assert await sign(readings) is None
        await store.put({"orders/a": b"2"})
        assert (await following(readings)).entries == {"a": b"2"}


async def test_keys_of_others_are_no_change_where_there_is_none_of_ours(
    store: Consul | ConsulServer, opened: Open
) -> None:
    source = opened(f"consul://{store.host}/orders")
    async with aclosing(source.watch(await source.load())) as readings:
        for number in range(3):
            waiting = asyncio.ensure_future(sign(readings))
            await store.put({"other": str(number).encode()})
            assert await waiting is None


async def test_watching_may_begin_where_another_process_ended(
    store: Consul | ConsulServer, opened: Open
) -> None:
    await store.put({"orders/a": b"1"})
    reading = await opened(f"consul://{store.host}/orders").load()
    await store.put({"orders/a": b"2"})
    known = Reading(dict(reading.entries), reading.revision)
    successor = opened(f"consul://{store.host}/orders")
    async with aclosing(successor.watch(known)) as readings:
        assert (await following(readings)).entries == {"a": b"2"}
