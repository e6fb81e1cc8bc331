"""How much a process may do at once, found by watching what it does.

A fixed limit is wrong somewhere: too high for work that costs a millisecond of CPU, too
low for work that waits a second for a dependency. This one asks two questions, ten times
a second:

- Is the process saturated? It would use more than 90 % of a core (with one interpreter
  lock there is hardly more), or its event loop runs late, or work waits for a place in a
  pool. Waiting for a slow dependency saturates nothing, and so is no reason to refuse.
- If it is, does work queue inside? Then it takes longer than it took before. By Little's
  law, work in flight = rate x time: at the same rate, less in flight means less time.

While both are so the limit falls in proportion; when not, it grows again.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import structlog

WINDOW = 0.1  # seconds between two decisions, 5 beats of the event loop's heartbeat
SATURATED = 0.9  # of a core; an even busier process still has some wait for the kernel in it
# Saturated, work may take so many times what it takes otherwise. At 1 a random burst would
# be refused; what is above 2 is latency without a gain in throughput.
STRETCH = 2.0
SAMPLE = 10  # pieces of work that make a mean
CALM = 1.0  # seconds without saturation, and the overload is over
BURST = 64  # room in a calm process: work of 2 ms clears it in an eighth of a second
RESERVED = 0.2  # of the limit, for critical work
MAX_RETRY_AFTER = 60  # seconds


def cpu_demand() -> float:
    """CPU seconds of this process, and those that its main thread was ready but had no core.

    A throttled container, or one beside noisy neighbours, is saturated long before it uses
    a core. Linux counts that; elsewhere only what was used is seen.
    """
    try:
        waited = int(Path("/proc/self/schedstat").read_bytes().split()[1])
    except OSError:
        waited = 0
    return time.process_time() + waited / 1e9


class ConcurrencyLimit:
    """Counts what is in flight, and says how much may be. It belongs to one event loop.

        if limit.in_flight < limit.ordinary:  # or limit.limit, for critical work
            begun = limit.enter()
            try: ...
            finally: limit.leave(begun)
        else:
            limit.refused += 1

    Attributes:
        limit: the number in flight from which everything is refused.
        ordinary: the number from which all but critical work is refused.
        retry_after: seconds until what is refused now could be done: the time that takes
            what is in flight, and as much as was refused in the last second, at the rate of
            the last second. If all come back after it, the process has done with the rest.

    Args:
        max_in_flight: never more; a cap on memory rather than on work.
        min_in_flight: never less.
        target_lag: of the event loop, seconds; it is saturated above. 0: no adapting.
        reserve: keep a fifth of the limit for critical work.
        waiting: how much work waits for a place in a pool; none, unless there is one.
        clock, demand: seconds of time, and of CPU time that this process wanted to have.
    """

    def __init__(
        self,
        *,
        max_in_flight: int,
        min_in_flight: int,
        target_lag: float,
        reserve: bool = False,
        waiting: Callable[[], int] = int,
        clock: Callable[[], float] = time.monotonic,
        demand: Callable[[], float] = cpu_demand,
    ) -> None:
        self.in_flight = 0
        self.refused = 0
        self.retry_after = 1
        self._target = target_lag
        self._waiting, self._clock, self._demand = waiting, clock, demand
        self._finished, self._spent = 0, 0.0
        self._sampled = (0, 0.0)  # those two at the last mean
        self._usual = 0.0  # seconds that work takes without saturation; 0: not known yet
        self._peak = 0  # of in_flight in this window
        # The least that was late and queued in this window, and how often that was seen.
        self._late, self._queued, self._beats = math.inf, math.inf, 0
        self._window = self._second = clock()
        self._saturated_at = self._settled_at = -math.inf  # nothing says that it ever was
        self._stretch = 1.0  # STRETCH, once what is usual is known and no guess
        self._wanted = demand()
        self._counted = (0, 0)  # finished and refused at the beginning of this second
        self._log = structlog.get_logger().bind(logger="shedding")
        self.limit: float = BURST
        self.update(
            max_in_flight=max_in_flight,
            min_in_flight=min_in_flight,
            target_lag=target_lag,
            reserve=reserve,
        )

    def update(
        self, *, max_in_flight: int, min_in_flight: int, target_lag: float, reserve: bool
    ) -> None:
        """Hold what comes next to other bounds. What is in flight and was learned stays.

        Above a lower limit nothing is cut short: nothing more begins until there is room.
        """
        self.max_in_flight = max_in_flight
        self._floor = min(min_in_flight, max_in_flight)
        self._ordinary_share = 1 - RESERVED if reserve else 1.0
        if target_lag and not self._target:  # what was usual before it was off is long ago
            self._usual, self._stretch = 0.0, 1.0
            self._sampled = self._finished, self._spent
        self._target = target_lag
        self._set(self.limit if target_lag else max_in_flight)

    @property
    def saturated(self) -> bool | None:
        """Whether the process was saturated of late; None while the limit does not adapt."""
        return self._clock() - self._saturated_at < CALM if self._target else None

    def enter(self) -> float:
        """One more in flight. Returns the instant, for `leave`."""
        self.in_flight += 1
        if self.in_flight > self._peak:
            self._peak = self.in_flight
        return self._clock()

    def leave(self, begun: float) -> None:
        """It is finished, however it ended."""
        self.in_flight -= 1
        self._finished += 1
        self._spent += self._clock() - begun

    def beat(self, lag: float) -> None:
        """The event loop was late by `lag` seconds; its heartbeat says so 50 times a second."""
        # The least of several: a pause of the garbage collector is no queue.
        self._late = min(self._late, lag)
        self._queued = min(self._queued, self._waiting())
        self._beats += 1
        now = self._clock()
        if now - self._window < WINDOW or self._beats < 2:
            return
        wanted = self._demand()
        share = (wanted - self._wanted) / (now - self._window)
        if self._target:
            self._decide(now, share > SATURATED or self._late > self._target or self._queued > 0)
        if now - self._second >= 1:
            self._tell(now, share)
        self._window, self._wanted = now, wanted
        self._late, self._queued, self._beats = math.inf, math.inf, 0
        self._peak = self.in_flight

    def _decide(self, now: float, saturated: bool) -> None:
        number, mean = self._sample()
        limited = self._peak >= self.ordinary
        if not saturated:
            calm = now - self._saturated_at >= CALM
            self._learn(mean, 0.2 if calm else 0.05)
            self._stretch = STRETCH
            if calm:
                self._set(max(BURST, 4 * self._peak, 2 * number, 0.9 * self.limit))
            elif limited:
                self._set(1.1 * self.limit + 1)
            return
        self._saturated_at = now
        if mean < self._usual or not self._usual:
            self._learn(mean, 0.5)
        if now < self._settled_at:
            return
        change = min(1.0, self._target / self._late) if self._late else 1.0
        if mean:
            change = min(change, self._stretch * self._usual / mean)
        if change < 1:
            self._set(min(self.limit, self._peak) * max(change, 0.5))
            self._settled_at = now + mean  # what was begun before is not its effect
        elif limited:
            self._set(1.05 * self.limit + 0.5)

    def _sample(self) -> tuple[int, float]:
        """How much was finished of late, and its mean time; nothing while it is too little."""
        finished, spent = self._sampled
        number = self._finished - finished
        if number < SAMPLE:
            return 0, 0.0
        self._sampled = self._finished, self._spent
        return number, (self._spent - spent) / number

    def _learn(self, mean: float, weight: float) -> None:
        if mean:
            self._usual += (mean - self._usual) * (weight if self._usual else 1)

    def _set(self, limit: float) -> None:
        self.limit = min(max(limit, self._floor), self.max_in_flight)
        self.ordinary = max(1, math.floor(self.limit * self._ordinary_share))

    def _tell(self, now: float, share: float) -> None:
        """Once a second: what to tell the refused, and the log while there are some."""
        seconds = now - self._second
        finished, refused = self._finished - self._counted[0], self.refused - self._counted[1]
        self._second, self._counted = now, (self._finished, self.refused)
        backlog = self.in_flight + refused / seconds
        wait = backlog * seconds / finished if finished else backlog
        self.retry_after = min(max(1, math.ceil(wait)), MAX_RETRY_AFTER)
        if refused:
            self._log.warning(
                "shedding load",
                refused=refused,
                finished=finished,
                seconds=round(seconds, 1),
                limit=int(self.limit),
                in_flight=self.in_flight,
                loop_lag_ms=round(self._late * 1000, 1),
                cpu_share=round(share, 2),
            )
