"""A heartbeat that measures how late the event loop is."""

import asyncio
from collections.abc import Callable

# Seconds between beats: 4 timers a second cost nothing and see any stall longer than that.
INTERVAL = 0.25


async def measure_loop_lag(observe: Callable[[float], None]) -> None:
    """Observe the loop's lateness in seconds, for ever; cancel it to end it."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL
        await asyncio.sleep(INTERVAL)
        observe(max(0.0, loop.time() - due))
