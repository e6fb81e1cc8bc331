"""The watchdog of the event loop: a thread that looks at the loop's heartbeat.

It sees a loop that is held while it is held, takes the stack of its thread then, and so knows
the line. It costs the loop nothing; ten looks a second take a thousandth of a core.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ...observability.heartbeat import INTERVAL, Heartbeat
from .stall_place import Place, place, see

# Seconds between looks, and how much shorter that is than the threshold, for short ones.
LOOK = 0.1
LOOKS_PER_THRESHOLD = 2.5
SHORTEST_LOOK = 0.02


@dataclass(slots=True, eq=False)
class Stall:
    """The loop held by one line. Instants are seconds of `time.perf_counter()`."""

    at: float  # Unix time of the beginning
    began: float
    place: Place
    seconds: float | None = None  # None: it goes on


class Listener(Protocol):
    """Who hears of stalls, in the watchdog's thread."""

    def began(self, stall: Stall) -> None: ...
    def ended(self, stall: Stall) -> None: ...
    def looked(self) -> None:
        """At every look."""


class StallWatch:
    """The watchdog of one loop; made in its thread.

    Args:
        heartbeat: of the loop.
        started: whether to look already; imports hold the loop at start-up, and nobody waits.
    """

    def __init__(
        self, heartbeat: Heartbeat, started: Callable[[], bool], listener: Listener
    ) -> None:
        self.threshold = 0.0
        self._heartbeat = heartbeat
        self._started = started
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        # Held while nothing changes. An event would do the same at three times the cost.
        self._unchanged = threading.Lock()
        self._unchanged.acquire()
        self._closed = False
        self._stall: Stall | None = None
        self._back: float | None = None  # when the loop beat first after the stall began
        # The loop was late until here for a reason of its own: nothing before counts.
        self._excused = 0.0
        heartbeat.observe(self._beat)
        self._thread = threading.Thread(target=self._run, name="stall-watchdog", daemon=True)
        self._thread.start()

    def update(self, threshold: float) -> None:
        """Tell stalls that last so many seconds; 0: none, and the thread sleeps."""
        self.threshold = threshold
        self._wake()

    def close(self) -> None:
        """End the thread. It is a daemon: one that writes to a stuck log holds nothing up."""
        self._closed = True
        self._wake()
        self._thread.join(0.2)

    def _wake(self) -> None:
        with suppress(RuntimeError):  # it is awake already
            self._unchanged.release()

    def _beat(self, _: float) -> None:
        if self._stall is not None and self._back is None:
            self._back = self._heartbeat.at

    def _run(self) -> None:
        used = time.process_time()
        while not self._closed:
            pause = -1.0  # for ever
            if self.threshold:
                pause = max(SHORTEST_LOOK, min(LOOK, self.threshold / LOOKS_PER_THRESHOLD))
            began = time.perf_counter()
            if self._unchanged.acquire(timeout=pause):
                self._excused = time.perf_counter()  # under another threshold from now on
                self._over()
                used = time.process_time()
                continue
            now, used_before, used = time.perf_counter(), used, time.process_time()
            late = now - began - pause
            # Whoever stops the process or takes its processor away holds the watchdog too, and
            # so does C code that keeps the interpreter's lock; but that uses the processor.
            if late > self.threshold / 2 and used - used_before < late / 4:
                self._excused = now
                if self._stall is not None:
                    self._stall.began += late
            self._look(now)

    def _over(self) -> bool:
        """Whether there is no stall now; one that has ended is told."""
        if self._stall is None:
            return True
        if self._back is None:
            return False
        self._stall.seconds = max(0.0, self._back - self._stall.began)
        ended, self._stall, self._back = self._stall, None, None
        self._listener.ended(ended)
        return True

    def _look(self, now: float) -> None:
        if not self._over():
            self._listener.looked()
            return
        beat = self._heartbeat.at
        since = max(beat + INTERVAL, self._excused)
        if not self._started():
            self._excused = now
        elif now - since >= self.threshold:
            self._begin(beat, since)
        self._listener.looked()

    def _begin(self, beat: float, since: float) -> None:
        frame = sys._current_frames()[self._loop_thread]  # noqa: SLF001 - the only way
        seen = see(frame, self._loop)
        if self._heartbeat.at != beat:  # just over: what is seen may be innocent
            return
        where = place(seen)
        if where is None:
            return
        stall = Stall(time.time() - (time.perf_counter() - since), since, where)
        self._back, self._stall = None, stall
        if self._heartbeat.at != beat:  # it ended while this was written down
            self._back = self._heartbeat.at
        self._listener.began(stall)
