"""Who may have a connection: a bounded wait, first come first served, that can be seen."""

import asyncio
import time

from ..errors import DependencyUnavailable
from ..observability.histograms import LoopHistogram

# Seconds. A free connection is 0; beyond 5 s the default deadline has ended the wait.
WAIT_BUCKETS = (0.0, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Slots:
    """The right to one of `size` connections.

    The pool's own queue never has to wait behind this one. It waits inside its checkout,
    where nothing counts it, and in Python 3.11 by a `wait_for` that can swallow a
    cancellation.

    Args:
        size: connections at most.
        wait: seconds to wait for one; who waits already does so by what it was.
    """

    def __init__(self, size: int, wait: float) -> None:
        self.size = size
        self.wait = wait
        self.taken = 0
        self.waiting = 0
        self.timeouts = 0
        self.histogram = LoopHistogram(
            "database_pool_wait_seconds", "Time waited for a connection.", (), WAIT_BUCKETS
        )
        self._observe = self.histogram.labels().observe
        self._free = asyncio.Semaphore(size)

    async def acquire(self) -> None:
        """Take a slot.

        Raises:
            DependencyUnavailable: none became free within the wait.
        """
        if self._free.locked():
            await self._acquire_later()
        else:
            await self._free.acquire()
            self._observe(0.0)
        self.taken += 1

    async def _acquire_later(self) -> None:
        began = time.monotonic()
        self.waiting += 1
        try:
            async with asyncio.timeout(self.wait):
                await self._free.acquire()
        except TimeoutError:
            self.timeouts += 1
            raise DependencyUnavailable("database", "no free connection") from None
        finally:
            self.waiting -= 1
            self._observe(time.monotonic() - began)

    def release(self) -> None:
        """Give it back; who has waited longest gets it."""
        self.taken -= 1
        self._free.release()
