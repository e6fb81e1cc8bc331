"""A heartbeat that measures how late the event loop is."""

import asyncio
import time
from collections.abc import Callable

# Seconds between beats: often enough for load shedding, and a thousandth of a core.
INTERVAL = 0.02


async def measure_loop_lag(*observers: Callable[[float], None]) -> None:
    """Tell the observers the loop's lateness in seconds, for ever; cancel it to end it."""
    # Not the loop's own clock: uvloop's stands still while callbacks run, in milliseconds.
    while True:
        due = time.perf_counter() + INTERVAL
        await asyncio.sleep(INTERVAL)
        lag = max(0.0, time.perf_counter() - due)
        for observe in observers:
            observe(lag)
