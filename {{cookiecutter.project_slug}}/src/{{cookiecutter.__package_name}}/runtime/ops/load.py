"""`/load`: what is in flight, the limit, what is refused."""

import time
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

from prometheus_client import Counter
from starlette.types import ASGIApp

from ..http.layer_costs import find_layer
from ..http.load_shedding import LoadShedding
from ..http.rate_limit import RateLimit
from ..observability.history import every
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .documents import Document

INTERVAL = 1.0  # seconds between two looks
WINDOW = 300  # looks that the history goes back
NOW = 10  # looks that a rate of now is a mean of
# Why a request was refused, as the metric says it, and as the page does.
REASONS = {"concurrency": "concurrency", "overload": "overload", "rate": "rate_limit"}


class Load:
    """Looks once a second at what the layer counts anyway."""

    def __init__(self, shedding: LoadShedding | None, refused: Counter) -> None:
        self._shedding = shedding
        self._counter = refused
        self._before = 0.0
        # Unix time, seconds since the look before, in flight, limit, refused.
        self._history: deque[tuple[float, float, int | None, int | None, float]] = deque(
            maxlen=WINDOW
        )

    def refused(self) -> dict[str, int]:
        """How many requests were refused since the start, by reason."""
        numbers = dict.fromkeys(REASONS.values(), 0)
        for family in self._counter.collect():
            for sample in family.samples:
                reason = REASONS.get(sample.labels.get("reason", ""))
                if reason is not None and sample.name.endswith("_total"):
                    numbers[reason] = int(sample.value)
        return numbers

    def look(self, elapsed: float) -> None:
        """Take in the `elapsed` seconds since the last look."""
        refused = sum(self.refused().values())
        in_flight = limit = None
        if self._shedding is not None:
            report = self._shedding.report()
            in_flight, limit = report["in_flight"], report["limit"]
        self._history.append((time.time(), elapsed, in_flight, limit, refused - self._before))
        self._before = refused

    def report(self) -> dict[str, Any]:
        """What `/load` shows of it, in what JSON can say."""
        newest = list(islice(reversed(self._history), NOW))
        elapsed = sum(one[1] for one in newest) or 1.0
        now = self._shedding.report() if self._shedding is not None else {}
        names = ("in_flight", "limit", "ordinary", "max_in_flight", "open_streams")
        return {
            **{name: now.get(name) for name in (*names, "retry_after", "saturated")},
            "refused": self.refused(),
            "refused_per_second": round(sum(one[4] for one in newest) / elapsed, 2),
            "history": {
                "at": [round(one[0], 1) for one in self._history],
                "in_flight": [one[2] for one in self._history],
                "limit": [one[3] for one in self._history],
                "refused": [round(one[4] / one[1], 2) for one in self._history],
            },
        }


def open_load(closing: Closing, metrics: Metrics, app: ASGIApp) -> Document:
    """What is shown; the refused of the history are per second."""
    load = Load(find_layer(app, LoadShedding), metrics.requests_shed)
    rate_limit = find_layer(app, RateLimit)
    closing.task("load", every(INTERVAL, load.look))

    def read() -> Mapping[str, Any]:
        rates = rate_limit.report() if rate_limit is not None else {}
        shown = {name: rates.get(name) for name in ("limit", "enforced")}
        return {**load.report(), "rate_limit": shown}

    return Document("/load", "what is in flight, the limit, what is refused", read)
