"""How old asyncio tasks are, at no cost to any of them.

asyncio numbers the tasks that nobody names: "Task-123" is the 123rd. A mark once a second,
a number and the instant at which it was the newest, dates every one of them to a second.
"""

import asyncio
import re
import time
from bisect import bisect_left
from collections import deque
from weakref import WeakKeyDictionary

NUMBERED = re.compile(r"Task-(\d+)")
# Seconds between marks, and how many are kept: of the last minutes each second, of the last
# hours each minute, of the last month each hour. An age is exact to a fraction of itself.
TIERS = ((1.0, 180), (60.0, 240), (3600.0, 720))
# Named tasks whose first sight is remembered; of a leak of named tasks these tell enough.
MAX_NAMED = 10_000


async def _nothing() -> None:
    pass


class Ages:
    """The marks of one event loop. Instants are seconds of `time.monotonic()`."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._tiers: list[deque[tuple[int, float]]] = [deque(maxlen=kept) for _, kept in TIERS]
        self._seen: WeakKeyDictionary[asyncio.Task[object], float] = WeakKeyDictionary()

    async def run(self) -> None:
        """Mark for ever; cancel it to end it."""
        while True:
            self.mark(time.monotonic())
            await asyncio.sleep(TIERS[0][0])

    def mark(self, now: float) -> None:
        """Remember which task is the newest now."""
        # A task is the only way to the number, and one that does nothing costs 10 µs.
        task = asyncio.Task(_nothing(), loop=asyncio.get_running_loop())
        match = NUMBERED.fullmatch(task.get_name())
        assert match is not None
        mark = (int(match[1]), now)
        self._first = self._first or mark
        for (interval, _), marks in zip(TIERS, self._tiers, strict=True):
            # A little less than the interval: a timer that fires early must not cost a mark.
            if not marks or now - marks[-1][1] >= interval * 0.99:
                marks.append(mark)

    def reading(self, now: float) -> "Reading":
        """The marks as they are now, to look up many tasks."""
        # Numbers only grow, so in their order the instants are in order too.
        marks = sorted({mark for tier in self._tiers for mark in tier} | {self._first or (0, now)})
        return Reading(now, [n for n, _ in marks], [at for _, at in marks], self._seen)


class Reading:
    """Ages at one instant."""

    def __init__(
        self,
        now: float,
        numbers: list[int],
        instants: list[float],
        seen: "WeakKeyDictionary[asyncio.Task[object], float]",
    ) -> None:
        self._now = now
        self._numbers = numbers
        self._instants = [*instants, now]
        self._seen = seen

    def age(self, task: "asyncio.Task[object]", name: str) -> float | None:
        """Seconds since it was made, or since the first mark if it is older than that.

        Of a named one: since it was first asked for here. None: unknown.
        """
        if match := NUMBERED.fullmatch(name):
            # The first mark that is not older than the task: it was made in the second before.
            return self._now - self._instants[bisect_left(self._numbers, int(match[1]))]
        first = self._seen.get(task)
        if first is None:
            if len(self._seen) < MAX_NAMED:
                self._seen[task] = self._now
            return None
        return self._now - first
