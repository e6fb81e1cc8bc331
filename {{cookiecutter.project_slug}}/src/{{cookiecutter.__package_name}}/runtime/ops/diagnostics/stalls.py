"""`/debug/stalls`: what held the event loop, line by line; and the records that tell it at once."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from ...config.groups import Group
from ...config.live import Live
from ...instants import iso
from ...observability.metrics import Metrics
from ...shutdown import Closing
from ..documents import Content, Document
from .stall_watch import Stall, StallWatch

KEPT = 20
# Seconds in which one line is told once. A loop that stalls ten times a second fills no disk.
TELL_EVERY = 10.0
MAX_LINES = 100  # that are counted meanwhile


class Stalls:
    """The last of them, their number, and what the log says about them.

    It is told in the watchdog's thread and read in the event loop's.
    """

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self._kept: deque[Stall] = deque(maxlen=KEPT)
        self._told: Stall | None = None
        self._goes_on: Stall | None = None
        self._repeated: dict[str, list[float]] = {}  # line: told until, times since, their seconds
        self._log = structlog.get_logger().bind(logger="event loop")

    def began(self, stall: Stall) -> None:
        """Log it while it goes on: what holds the loop may never end."""
        self.count += 1
        self._kept.append(stall)
        self._goes_on = stall
        self._tell(stall)

    def _tell(self, stall: Stall) -> None:
        where = stall.place
        if where.line in self._repeated or len(self._repeated) >= MAX_LINES:
            return
        self._repeated[where.line] = [time.monotonic() + TELL_EVERY, 0, 0.0]
        self._told = stall
        self._log.warning(
            "event loop blocked",
            seconds=round(time.perf_counter() - stall.began, 3),
            **_fields(where._asdict()),
        )

    def ended(self, stall: Stall) -> None:
        """Say how long it was, if its beginning was told."""
        assert stall.seconds is not None
        self._goes_on = None
        self.seconds += stall.seconds
        if stall is self._told:
            what = {"line": stall.place.line, "request_id": stall.place.request_id}
            seconds = round(stall.seconds, 3)
            self._log.warning("event loop free again", seconds=seconds, **_fields(what))
        elif repeated := self._repeated.get(stall.place.line):
            repeated[1] += 1
            repeated[2] += stall.seconds

    def looked(self) -> None:
        """Tell what was only counted, when its time is over."""
        now = time.monotonic()
        for line, (until, times, seconds) in tuple(self._repeated.items()):
            if now < until:
                continue
            if times:
                self._repeated[line] = [now + TELL_EVERY, 0, 0.0]
                what = {"line": line, "times": int(times), "seconds": round(seconds, 3)}
                self._log.warning("event loop blocked again", **what)
            else:
                del self._repeated[line]
        # It was not told, for its line had just been, and it may never end.
        if self._goes_on is not None and self._goes_on is not self._told:
            self._tell(self._goes_on)

    def report(self, threshold: float) -> Content:
        """The document."""
        return {
            "threshold_seconds": threshold,
            "count": self.count,
            "seconds_total": round(self.seconds, 3),
            "stalls": [_report(stall) for stall in reversed(tuple(self._kept))],
        }


def _report(stall: Stall) -> Mapping[str, Any]:
    seconds = None if stall.seconds is None else round(stall.seconds, 3)
    return {"at": iso(stall.at), "seconds": seconds, **stall.place._asdict()}


def _fields(what: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in what.items() if value is not None}


def open_stalls(
    closing: Closing, metrics: Metrics, live: Live[Group], started: Callable[[], bool]
) -> Document:
    """What is shown, and the watchdog that fills it.

    Args:
        live: `stall_threshold` in seconds; 0: no look is taken.
        started: whether start-up is over.
    """
    stalls = Stalls()
    watch = StallWatch(metrics.heartbeat, started, stalls)

    def update(*, stall_threshold: float, **_: object) -> None:
        watch.update(stall_threshold)

    live.follow(update)
    closing.add("stall watchdog", watch.close)
    text = "Times that one piece of code held the event loop for longer than the threshold."
    metrics.counter("event_loop_stalls", text, (), lambda: [((), stalls.count)])
    text = "How long these held it."
    metrics.counter("event_loop_stall_seconds", text, (), lambda: [((), stalls.seconds)])
    return Document(
        "/debug/stalls",
        "what held the event loop, line by line",
        lambda: stalls.report(watch.threshold),
    )
