"""A thread that looks again and again at what the others do, and knows what that costs."""

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

# Of one core, while it runs. Where a look takes longer, there are fewer looks.
MAX_SHARE: Final = 0.02
# A thread that wants the interpreter waits this many seconds before it takes it from another.
# With Python's usual 5 ms the event loop comes to a natural pause first: a look would find it
# between two requests, always, and never at work.
SWITCH_INTERVAL: Final = 0.0001


class Sampler:
    """Looks `rate` times a second, at uneven times, so that no regular work hides from it.

    Args:
        look: called in the sampler's thread with the seconds since the look before.
        rate: looks a second.
    """

    def __init__(self, look: Callable[[float], None], rate: int) -> None:
        self.looks = 0
        self.longest = 0.0
        self._look = look
        self._period = 1 / rate
        self._spent = 0.0
        self._seconds = 0.0
        self._failure: Exception | None = None
        # A lock, not an event: waiting for it takes no Python code, and so no time of others.
        self._running = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="profile sampler", daemon=True)

    async def run(self, seconds: float) -> None:
        """Look for so long; cancelled, it ends at once."""
        usual = sys.getswitchinterval()
        self._running.acquire()
        self._thread.start()
        try:
            sys.setswitchinterval(min(usual, SWITCH_INTERVAL))
            await asyncio.sleep(seconds)
        finally:
            # Here, before another may begin: the thread may be in the middle of a look.
            sys.setswitchinterval(usual)
            self._running.release()
        await asyncio.to_thread(self._thread.join)
        if self._failure is not None:
            raise self._failure

    def cost(self) -> dict[str, Any]:
        """Processor time of the looks, and how many there were in a second."""
        seconds = self._seconds or 1.0
        return {
            "overhead_ms": round(self._spent * 1000, 2),
            "share_of_core": round(self._spent / seconds, 5),
            "longest_look_ms": round(self.longest * 1000, 3),
            "looks_per_second": round(self.looks / seconds, 1),
        }

    def _run(self) -> None:
        began = time.perf_counter()
        try:
            self._sample(began)
        except Exception as exc:  # noqa: BLE001 - raised again where the profile is awaited
            self._failure = exc.with_traceback(None)  # which holds the frames of that look
        finally:
            self._seconds = time.perf_counter() - began

    def _sample(self, before: float) -> None:
        period, mean = self._period, 0.0
        # Its own processor time, waking up included.
        spent = time.thread_time()
        while not self._running.acquire(timeout=period * (0.5 + random.random())):  # noqa: S311
            now = time.perf_counter()
            self._look(now - before)
            self.looks += 1
            before = now
            took = time.thread_time() - spent
            spent += took
            self._spent += took
            self.longest = max(self.longest, took)
            mean += (took - mean) / min(self.looks, 10)
            period = max(self._period, mean / MAX_SHARE)
