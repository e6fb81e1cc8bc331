"""Blocking work off the event loop, in a bounded number of threads.

A cancelled await cannot stop its thread. So a slot is held until the thread has ended,
not until its caller has gone: without that, a stalled disk and impatient clients grow
threads without bound.
"""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


class Threads:
    """A bounded pool of (daemon) threads; a wait for a slot counts against the deadline.

    Args:
        slots: threads at most.
    """

    def __init__(self, slots: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._limiter = anyio.CapacityLimiter(slots)
        self.busy = 0

    async def run(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run `work` in a thread that sees this task's context variables."""
        await self._slots.acquire()
        self.busy += 1
        loop = asyncio.get_running_loop()
        unclaimed = [True]  # popped once: by the thread when it starts, or by us when it never will

        def release() -> None:
            self.busy -= 1
            self._slots.release()

        def call() -> T:
            unclaimed.pop()
            try:
                return work(*args, **kwargs)
            finally:
                with suppress(RuntimeError):  # the loop closed while the thread ran on
                    loop.call_soon_threadsafe(release)

        try:
            return await anyio.to_thread.run_sync(
                call, abandon_on_cancel=True, limiter=self._limiter
            )
        except asyncio.CancelledError:
            with suppress(IndexError):
                unclaimed.pop()
                release()
            raise

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """An `async def` with the signature of `function`; one that is async is left alone."""
        if inspect.iscoroutinefunction(function):
            return function

        @wraps(function)
        async def in_thread(*args: Any, **kwargs: Any) -> Any:
            return await self.run(function, *args, **kwargs)

        return in_thread
