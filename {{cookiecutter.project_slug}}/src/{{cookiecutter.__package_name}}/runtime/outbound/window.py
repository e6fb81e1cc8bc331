"""A breaker's memory: outcomes of calls in a rolling window of buckets.

The window moves on by a bucket at a time. A bucket that leaves takes its calls with it, also
those that are still under way: a call counts where it began, or no longer.
"""

import math
from collections import deque
from dataclasses import dataclass

from pybreaker import STATE_CLOSED, CircuitMemoryStorage


@dataclass(frozen=True, slots=True)
class Counts:
    """What a breaker has seen since its state changed; while it is closed, in its window.

    Attributes:
        requests: calls that were let through, counted when they begin.
        exclusions: outcomes that say nothing about the dependency's health.
        consecutive_successes: up to now; an exclusion or a cancellation does not end a run.
        consecutive_failures: up to now.
        refused: calls refused since the breaker was made; no change of state clears it.
    """

    requests: int
    successes: int
    failures: int
    exclusions: int
    consecutive_successes: int
    consecutive_failures: int
    refused: int


class Bucket:
    """Calls that began in one stretch of time, from `start` on, in seconds of the clock."""

    __slots__ = ("exclusions", "failures", "left", "requests", "start", "successes")

    def __init__(self, start: float) -> None:
        self.start = start
        self.left = False  # the window; what becomes of its calls says nothing any more
        self.requests = self.successes = self.failures = self.exclusions = 0


class Window(CircuitMemoryStorage):
    """What pybreaker keeps in its storage, counted by time. It never reads a clock.

    Args:
        length: seconds that a call counts for, at most; at least it is a bucket less.
        buckets: how many steps that is.
    """

    current: Bucket
    total: Bucket
    next_roll: float  # the instant at which a bucket leaves or a new one begins

    def __init__(self, length: float, buckets: int, now: float) -> None:
        super().__init__(STATE_CLOSED)
        self._length = length
        self._width = length / buckets
        self.clear(now)

    def clear(self, now: float, *, rolling: bool = True) -> None:
        """Forget all calls; one that does not roll holds what comes however long that takes."""
        self.total = Bucket(0.0)
        self._run = 0  # successes in a row, or failures in a row as a negative number
        self._buckets: deque[Bucket] = deque()
        self.next_roll = math.inf
        if rolling:
            self._begin(now)
        else:
            self.current = Bucket(math.inf)

    def resize(self, length: float, buckets: int) -> None:
        """Let later buckets be of another width, and those there are leave after `length`."""
        self._length = length
        self._width = length / buckets
        if self._buckets:
            self._plan()

    def roll(self, now: float) -> None:
        """Drop the buckets that have left, begin the one that it is time for."""
        buckets, total = self._buckets, self.total
        while buckets and buckets[0].start + self._length <= now:
            old = buckets.popleft()
            old.left = True
            total.requests -= old.requests
            total.successes -= old.successes
            total.failures -= old.failures
            total.exclusions -= old.exclusions
        if not total.requests:
            self._run = 0
        if now >= self.current.start + self._width:
            self._begin(now)
        else:
            self._plan()

    def add_request(self) -> Bucket:
        """Count a call that begins; its outcome goes to the bucket that is returned."""
        bucket = self.current
        bucket.requests += 1
        self.total.requests += 1
        return bucket

    def add_success(self, bucket: Bucket) -> None:
        """Count a success."""
        bucket.successes += 1
        self.total.successes += 1
        self._run = self._run + 1 if self._run > 0 else 1

    def add_failure(self, bucket: Bucket) -> None:
        """Count a failure."""
        bucket.failures += 1
        self.total.failures += 1
        self._run = self._run - 1 if self._run < 0 else -1

    def add_exclusion(self, bucket: Bucket) -> None:
        """Count an outcome that says nothing."""
        bucket.exclusions += 1
        self.total.exclusions += 1

    @property
    def calls(self) -> int:
        """Successes and failures: what is under way, excluded or cancelled has no say."""
        return self.total.successes + self.total.failures

    @property
    def ratio(self) -> float:
        """The share of failures in `calls`, 0 where there are none."""
        return self.total.failures / (self.calls or 1)

    @property
    def counter(self) -> int:
        """Failures in a row, as pybreaker's `fail_counter` has it."""
        return max(0, -self._run)

    @property
    def success_counter(self) -> int:
        """Successes in a row."""
        return max(0, self._run)

    def counts(self, refused: int) -> Counts:
        """A copy of the totals."""
        total = self.total
        return Counts(
            total.requests,
            total.successes,
            total.failures,
            total.exclusions,
            self.success_counter,
            self.counter,
            refused,
        )

    def _begin(self, now: float) -> None:
        self.current = Bucket(now // self._width * self._width)
        self._buckets.append(self.current)
        self._plan()

    def _plan(self) -> None:
        oldest, current = self._buckets[0].start, self.current.start
        self.next_roll = min(oldest + self._length, current + self._width)
