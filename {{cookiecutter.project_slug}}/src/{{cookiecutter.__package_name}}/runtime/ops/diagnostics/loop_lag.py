"""How late the event loop was, second by second, and how much processor the process used."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...observability.heartbeat import Heartbeat

SECONDS = 60


class LoopLag:
    """The last minute of one event loop, from its heartbeat."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._last = 0.0
        self._second: list[float] = []  # lateness of each beat of the second under way
        self._began = heartbeat.at
        self._seconds: deque[list[float]] = deque(maxlen=SECONDS)
        self._processor: deque[tuple[float, float]] = deque(maxlen=SECONDS + 1)
        self._processor.append((self._began, time.process_time()))
        heartbeat.observe(self.beat)

    def beat(self, lag: float) -> None:
        """One beat, so many seconds late."""
        self._last = lag
        self._second.append(lag)
        now = self._heartbeat.at
        passed = now - self._began
        if passed >= 1.0:
            # A loop that was held for three seconds was late in each of them.
            self._seconds.extend([self._second] * min(int(passed), SECONDS))
            self._second = []
            self._began = now
            self._processor.append((now, time.process_time()))

    def report(self) -> Mapping[str, Any]:
        """In milliseconds; before the first second has passed there is no maximum."""
        seconds = [*self._seconds, self._second] if self._second else [*self._seconds]
        every = sorted(lag for second in seconds for lag in second)
        loop = asyncio.get_running_loop()
        return {
            "implementation": type(loop).__module__.partition(".")[0],
            "lag_ms": {
                "last": _ms(self._last),
                "max_1m": _ms(every[-1]) if every else None,
                "p99_1m": _ms(every[int(len(every) * 0.99)]) if every else None,
            },
            "history_ms": [_ms(max(second)) for second in self._seconds],
            "tasks": len(asyncio.all_tasks(loop)),
        }

    def processor_share(self) -> float | None:
        """Of one core, over the last minute; None in the first second."""
        (began, used), (now, used_now) = self._processor[0], self._processor[-1]
        return (used_now - used) / (now - began) if now > began else None


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
