"""How often each client may come: sliding windows, in this process or in a shared Redis.

The window before counts for the part of it that is less than one window ago. So a client
cannot have twice its rate around the turn of a window, and costs two numbers, and not one
for each of its requests.

The rates protect the service, so a Redis that is down must not take it down: until it is
back nobody is limited.
"""

import asyncio
import math
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import NamedTuple, Protocol

import structlog

from .errors import StartupError

TIMEOUT = 0.25  # seconds that a request waits for Redis, at most; a busy loop is late itself
PAUSE = 1.0  # seconds in which a Redis that failed is not asked
CONNECTIONS = 50  # to Redis, at most; each is free again within a millisecond
# About 20 MB. With more clients than that at once, the one seen longest ago begins anew.
MAX_CLIENTS = 50_000
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
RATE = re.compile(
    r"\s*([0-9]{1,9})\s*(?:/|per)\s*([0-9]{0,9})\s*(second|minute|hour|day)s?\s*", re.IGNORECASE
)


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    window: int


class Exceeded(NamedTuple):
    """A rate that is used up; after `seconds`, whole ones, one more request is within it."""

    amount: int
    window: int
    seconds: int


class Windows(Protocol):
    """Where the counts are. `expiry` is a window's length in seconds, as `limits` calls it."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Count one, unless the window is full."""

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count before and the seconds for which it counts, and the same of the current."""


class MemoryWindows:
    """The counts of this process. Those of `limits` grow without end, and sweep on the loop."""

    def __init__(
        self, *, size: int = MAX_CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._clock = clock
        # By key: the window's number, its count, and the count of the one before.
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Count one, unless the window is full."""
        before, left, count, _ = await self.get_sliding_window(key, expiry)
        if math.floor(before * left / expiry) + count + 1 > limit:
            return False
        self._counts[key] = int(self._clock() // expiry), count + 1, before
        self._counts.move_to_end(key)
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count before and the seconds for which it counts, and the same of the current."""
        now = self._clock()
        left = expiry - now % expiry
        number, count, before = self._counts.get(key, (0, 0, 0))
        passed = int(now // expiry) - number
        if passed:
            before, count = count if passed == 1 else 0, 0
        return before, left, count, left + expiry


def redis_windows(url: str) -> tuple[Windows, Callable[[], Awaitable[object]]]:
    """The counts in Redis, which all replicas share, and what closes the connections.

    Raises:
        StartupError: no URL of a Redis, or its client is not installed.
    """
    setting = "APP_RATE_LIMIT__STORAGE"
    if not url.startswith(("redis://", "rediss://")):  # not shown: it may have a password
        raise StartupError(f"{setting} is no redis:// or rediss:// URL")
    try:
        from limits.aio.storage import RedisStorage
        from limits.errors import ConfigurationError
        from redis.asyncio import BlockingConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise StartupError(f"{setting} is set: install the extra `redis`") from error
    try:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        windows = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]
    except (ValueError, ConfigurationError) as error:
        raise StartupError(f"{setting} is no redis:// or rediss:// URL") from error
    return windows, pool.disconnect


def parse_rates(text: str) -> list[Rate]:
    """Rates such as `100/second` or `5000/hour;50 per 2 minutes`, the shortest window first.

    The grammar is that of `limits`. Here and not there, because that takes 15 to 70 ms to
    import, which would be a stall of the loop when a running service gets its first limit.

    Raises:
        ValueError: it says nothing of the kind.
    """
    amounts: dict[int, int] = {}  # by window: of two rates for one, the lower holds
    for part in re.split("[,;|]", text):
        found = RATE.fullmatch(part)
        amount = int(found[1]) if found else 0
        window = int(found[2] or 1) * UNITS[found[3].lower()] if found else 0
        if not (amount and window):
            raise ValueError('no rate, such as "100/second" or "5000/hour;50/second"')
        amounts[window] = min(amount, amounts.get(window, amount))
    return [Rate(amounts[window], window) for window in sorted(amounts)]


def checked_rates(text: str) -> str:
    """The same text, if `parse_rates` takes it or it is empty. Raises `ValueError`."""
    if text:
        parse_rates(text)
    return text


class ClientRates:
    """Counts the requests of each client and says when they are too many.

    Args:
        rates: as `parse_rates` takes them; all of them hold. Empty: nobody is limited.
        windows: where the counts are.
        clock: seconds.

    Attributes:
        rates: those that hold now.
        limiting: false while the counts cannot be had, and so nobody is limited.
    """

    def __init__(
        self, rates: str, windows: Windows, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limiting = True
        self.update(rates)
        self._windows = windows
        self._clock = clock
        self._paused_until = -math.inf
        self._log = structlog.get_logger().bind(logger="rate limit")

    def update(self, rates: str) -> None:
        """Hold to these from now on. What was counted counts for every rate of its window.

        Raises:
            ValueError: no rates; then nothing has changed.
        """
        self.rates = tuple(parse_rates(rates)) if rates else ()

    async def hit(self, client: str) -> Exceeded | None:
        """Count a request; returns the rate that it exceeds, if any.

        Nothing that is wrong with the storage is raised, nor waited for beyond a quarter of
        a second.
        """
        # As a digest: a header may be long, and it may be a credential.
        key = blake2b(client.encode(), digest_size=16).hexdigest()
        if isinstance(self._windows, MemoryWindows):
            return await self._hit(key)
        now = self._clock()
        if now < self._paused_until:
            return None
        if not self.limiting:
            self._paused_until = now + PAUSE  # this request tries it, the others go on
        try:
            async with asyncio.timeout(TIMEOUT):
                exceeded = await self._hit(key)
        except Exception as error:  # noqa: BLE001 - whatever it is, requests must go on
            self._paused_until = self._clock() + PAUSE
            if self.limiting:
                self.limiting = False
                self._log.error("nobody is rate limited", error=repr(error))
            return None
        if not self.limiting:
            self.limiting, self._paused_until = True, -math.inf
            self._log.warning("rates are limited again")
        return exceeded

    async def _hit(self, client: str) -> Exceeded | None:
        for amount, window in self.rates:
            # Without the amount: whoever has used up a rate does not begin anew at a lower one.
            key = f"{client}/{window}"
            if not await self._windows.acquire_sliding_window_entry(key, amount, window):
                state = await self._windows.get_sliding_window(key, window)
                return Exceeded(amount, window, _wait(amount, window, *state))
        return None


def _wait(
    amount: int, window: int, before: int, before_left: float, count: int, count_left: float
) -> int:
    """Whole seconds until there is room for one more.

    What counts of the window before shrinks evenly until the current one ends. That is then
    the window before, and shrinks in its turn: at once to less than the amount, unless that
    was higher when it was counted.
    """
    if count < amount and before:
        return math.floor(max(0.0, before_left - window * (amount - count) / before)) + 1
    excess = 1 - amount / max(amount, count)
    return math.floor(max(0.0, count_left - window) + window * excess) + 1
