"""The event loop's heartbeat: how late it beats is time that every request waited."""

import asyncio
import time
from collections.abc import Callable

# Seconds between beats: often enough for load shedding, and a thousandth of a core.
INTERVAL = 0.02


class Heartbeat:
    """Beats on one event loop and tells its observers how late it was.

    Attributes:
        at: when it beat last, in seconds of `time.perf_counter()`; another thread may read it.
    """

    def __init__(self) -> None:
        self.at = time.perf_counter()
        self._observers: list[Callable[[float], None]] = []

    def observe(self, observer: Callable[[float], None]) -> None:
        """Tell it the lateness of each beat, in seconds."""
        self._observers.append(observer)

    async def run(self) -> None:
        """Beat for ever; cancel it to end it."""
        # Not the loop's own clock: uvloop's stands still while callbacks run, in milliseconds.
        while True:
            due = time.perf_counter() + INTERVAL
            await asyncio.sleep(INTERVAL)
            self.at = time.perf_counter()
            lag = max(0.0, self.at - due)
            for observe in self._observers:
                observe(lag)
