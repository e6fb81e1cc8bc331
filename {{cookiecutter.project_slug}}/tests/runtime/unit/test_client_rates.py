"""How often a client may come, by a clock of our own."""

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.client_rates import (
    ClientRates,
    MemoryWindows,
    parse_rates,
    redis_windows,
)
from steadfast_service.runtime.errors import StartupError

from ...support.clock import Clock
from ...support.records import Records


def rates(text: str, clock: Clock, size: int = 1000) -> ClientRates:
    return ClientRates(text, MemoryWindows(size=size, clock=clock))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100/second", [(100, 1)]),
        ("5000/hour; 50/second", [(50, 1), (5000, 3600)]),
        ("10 per 5 minutes", [(10, 300)]),
        ("1/day,2/30second", [(2, 30), (1, 86_400)]),
        ("2 Per Minute | 20/60seconds | 7/1minutes", [(2, 60)]),
    ],
)
def test_rates_are_read_the_shortest_window_first(text: str, found: list[tuple[int, int]]) -> None:
    assert parse_rates(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fast",
        "10",
        "10/fortnight",
        "10/s",
        "0/second",
        "1/0second",
        "-1/second",
        "1.5/second",
        "\u0661/second",
        "9" * 5000 + "/second",
        "1/second;",
        "a;b",
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no rate, such as"):
        parse_rates(text)


@pytest.mark.parametrize(
    "url",
    ["localhost:6379", "http://host", "memcached://host:1", "redis://h:port", "redis://h:99999/a"],
)
def test_a_storage_that_is_no_redis_ends_the_start(url: str) -> None:
    with pytest.raises(StartupError, match="APP_RATE_LIMIT__STORAGE is no "):
        redis_windows(url)


async def test_each_client_has_a_rate_of_its_own() -> None:
    limited = rates("2/second", Clock())
    assert [await limited.hit("a") for _ in range(2)] == [None, None]
    assert await limited.hit("a") == (2, 1, 2)
    assert await limited.hit("b") is None


async def test_no_window_of_its_length_has_more_than_the_rate() -> None:
    clock = Clock(1000.875)  # near the end of one
    limited = rates("8/second", clock)
    first = [await limited.hit("a") for _ in range(10)].count(None)
    clock.advance(0.25)
    second = [await limited.hit("a") for _ in range(10)].count(None)
    assert (first, second) == (8, 1)
    clock.advance(0.5)
    assert [await limited.hit("a") for _ in range(10)].count(None) == 4


async def test_all_rates_hold() -> None:
    clock = Clock()
    limited = rates("3/minute;2/second", clock)
    assert [await limited.hit("a") for _ in range(2)] == [None, None]
    exceeded = await limited.hit("a")
    assert exceeded is not None
    assert exceeded.window == 1
    clock.advance(2)
    assert await limited.hit("a") is None
    exceeded = await limited.hit("a")
    assert exceeded is not None
    assert (exceeded.amount, exceeded.window) == (3, 60)


@given(
    st.integers(1, 20),
    st.integers(1, 30),
    st.lists(st.floats(0, 20), min_size=1, max_size=60),
)
def test_after_the_time_it_names_there_is_room_and_not_before(
    amount: int, window: int, pauses: list[float]
) -> None:
    async def check() -> None:
        clock = Clock()
        limited = rates(f"{amount}/{window}second", clock)
        for pause in pauses:
            clock.advance(pause / amount)
            exceeded = await limited.hit("a")
            if exceeded is None:
                continue
            now = clock.now
            clock.now = now + exceeded.seconds - 1.001
            if exceeded.seconds > 1:
                assert await limited.hit("a") is not None
            clock.now = now + exceeded.seconds
            assert await limited.hit("a") is None

    asyncio.run(check())


async def test_millions_of_clients_take_bounded_memory() -> None:
    limited = rates("100/second", Clock(), size=1000)
    tracemalloc.start()
    try:
        for number in range(5000):
            await limited.hit(f"client {number}")
        before = tracemalloc.get_traced_memory()[0]
        for number in range(5000, 30_000):
            await limited.hit(f"client {number}")
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


async def test_the_client_seen_longest_ago_is_forgotten_first() -> None:
    limited = rates("2/second", Clock(), size=2)
    for client in ("a", "a", "b", "c"):
        await limited.hit(client)
    assert await limited.hit("a") is None  # anew
    limited = rates("3/second", Clock(), size=2)
    for client in ("a", "b", "a", "c", "a"):
        assert await limited.hit(client) is None
    assert await limited.hit("a") is not None


class Failing:
    """Counts that cannot be had, while `error` is set."""

    def __init__(self, clock: Clock) -> None:
        self.inner = MemoryWindows(clock=clock)
        self.error: Exception | None = None
        self.hang = False
        self.asked = 0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int) -> bool:
        self.asked += 1
        if self.hang:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return await self.inner.acquire_sliding_window_entry(key, limit, expiry)

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        return await self.inner.get_sliding_window(key, expiry)


async def test_while_the_counts_cannot_be_had_nobody_is_limited(records: Records) -> None:
    clock = Clock()
    windows = Failing(clock)
    limited = ClientRates("1/hour", windows, clock=clock)
    assert await limited.hit("a") is None
    assert await limited.hit("a") is not None
    windows.error = ConnectionError("refused")
    for _ in range(100):
        assert await limited.hit("a") is None
    assert windows.asked == 3
    states = [limited.limiting]
    clock.advance(1)
    assert await limited.hit("a") is None
    assert windows.asked == 4
    windows.error = None
    assert await limited.hit("a") is None
    clock.advance(1)
    assert await limited.hit("a") is not None
    assert [*states, limited.limiting] == [False, True]
    assert records.events() == ["nobody is rate limited", "rates are limited again"]


async def test_one_request_at_a_time_finds_out_whether_it_still_hangs(records: Records) -> None:
    clock = Clock()
    windows = Failing(clock)
    limited = ClientRates("1/hour", windows, clock=clock)
    windows.hang = True
    async with asyncio.timeout(1):
        assert await asyncio.gather(*(limited.hit("a") for _ in range(20))) == [None] * 20
    clock.advance(1)
    before = windows.asked
    async with asyncio.timeout(1):
        assert await asyncio.gather(*(limited.hit("a") for _ in range(20))) == [None] * 20
    assert windows.asked == before + 1
    assert records.events() == ["nobody is rate limited"]
