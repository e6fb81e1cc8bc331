"""The last seconds and minutes of what is counted, for a person who looks at it now.

Prometheus keeps the long history; this one is there when nobody can reach it, and costs a
fraction of a millisecond a second. All of it belongs to the event loop's thread.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import sub
from typing import Generic, TypeVar

from .histograms import quantile

T = TypeVar("T")


async def every(seconds: float, look: Callable[[float], None]) -> None:
    """Call `look` that often, for ever, with the seconds that have really passed.

    A loop that was blocked calls it once for all the time that it missed, so that a rate is
    never made of the requests of five seconds and the length of one.
    """
    before = time.perf_counter()
    while True:
        await asyncio.sleep(seconds)
        now = time.perf_counter()
        look(now - before)
        before = now


class Lookback(Generic[T]):
    """What something was some time ago: values as they come, the older ones forgotten.

    Args:
        seconds: how far back the oldest of them is, at least, once there is one.
    """

    def __init__(self, seconds: float, first: T) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, T]] = deque([(time.perf_counter(), first)])

    def add(self, value: T) -> None:
        """This is what it is now."""
        now = time.perf_counter()
        self._kept.append((now, value))
        while len(self._kept) > 1 and now - self._kept[1][0] >= self._seconds:
            self._kept.popleft()

    def oldest(self) -> tuple[float, T]:
        """How many seconds ago it was, and what."""
        at, value = self._kept[0]
        return time.perf_counter() - at, value


class Second:
    """What one stream of requests had between two looks.

    Attributes:
        elapsed: its length in seconds.
        rate: requests per second, to the hundredth.
    """

    __slots__ = ("_p99", "after", "before", "elapsed", "errors", "rate", "requests")

    def __init__(
        self,
        elapsed: float,
        requests: int,
        errors: int,
        before: Sequence[int],
        after: Sequence[int],
    ) -> None:
        self.elapsed, self.requests, self.errors = elapsed, requests, errors
        self.rate = round(requests / elapsed, 2)
        self.before, self.after = before, after  # counts by bucket, since the start
        self._p99: float | None = None

    def p99_ms(self, bounds: Sequence[float]) -> float | None:
        """Found out when somebody looks, and then once."""
        if self._p99 is None and self.requests:
            self._p99 = milliseconds(self.quantile(bounds, 0.99))
        return self._p99

    def quantile(self, bounds: Sequence[float], share: float) -> float | None:
        """In seconds; None without requests."""
        if not self.requests:
            return None
        return quantile(bounds, list(map(sub, self.after, self.before)), share)


class Flow:
    """The last `size` seconds of one stream of requests.

    Args:
        bounds: the upper bounds of the buckets.
        counts: by bucket, what there is at the beginning.
    """

    def __init__(self, bounds: Sequence[float], counts: Sequence[int], size: int) -> None:
        self._bounds = bounds
        self._counts = counts
        self.seconds: deque[Second] = deque(maxlen=size)

    def add(
        self, elapsed: float, requests: int, errors: int, counts: Sequence[int] | None
    ) -> Second:
        """One more second.

        Args:
            elapsed: its length.
            counts: by bucket, since the start; None as long as they are what they were.
        """
        before, self._counts = self._counts, counts or self._counts
        second = Second(elapsed, requests, errors, before, self._counts)
        self.seconds.append(second)
        return second

    def quantiles(self, *shares: float) -> list[float | None]:
        """Of all that is kept, in milliseconds; None without any."""
        if not self.seconds:
            return [None] * len(shares)
        counts = list(map(sub, self.seconds[-1].after, self.seconds[0].before))
        return [milliseconds(quantile(self._bounds, counts, share)) for share in shares]

    def rates(self, last: int) -> tuple[float, float]:
        """Requests and errors per second, over the `last` seconds that are kept."""
        elapsed, requests, errors = 0.0, 0, 0
        for one in islice(reversed(self.seconds), last):
            elapsed += one.elapsed
            requests += one.requests
            errors += one.errors
        return requests / (elapsed or 1.0), errors / (elapsed or 1.0)


def column_sums(rows: Iterable[Sequence[int]]) -> list[int]:
    """The sum of each column; empty without a row."""
    return list(map(sum, zip(*rows, strict=True)))


def milliseconds(seconds: float | None) -> float | None:
    """For people: to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)
