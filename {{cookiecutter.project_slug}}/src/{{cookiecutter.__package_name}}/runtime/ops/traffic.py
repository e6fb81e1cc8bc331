"""`/traffic`: rate, errors and latency of every route, now and over the last minutes."""

import time
from collections import deque
from collections.abc import Mapping
from heapq import nlargest
from itertools import islice
from typing import Any

from starlette.types import ASGIApp

from ..http.access_log import AccessLog
from ..http.layer_costs import find_layer
from ..observability.histograms import LoopHistogram, Series
from ..observability.history import Flow, column_sums, every, milliseconds
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .documents import Document

INTERVAL = 1.0  # seconds between two looks
WINDOW = 300  # looks that the history of all routes goes back
ROUTE_WINDOW = 60  # the same of one route
NOW = 10  # looks that a rate of now is a mean of
# Routes that have a history, about 20 kB each. Which ones is looked at every `NOW` looks.
ROUTES = 50


class _Route:
    """One route and method: its series, and its history while it is among the busiest."""

    __slots__ = ("errors", "flow", "method", "name", "requests", "score", "series")

    def __init__(self, method: str, name: str) -> None:
        self.method, self.name = method, name
        self.series: dict[str, _Seen] = {}  # by status
        self.flow: Flow | None = None
        self.requests = self.errors = 0  # of this look
        self.score = 0  # requests since the busiest were last chosen

    def counts(self) -> list[int]:
        """By bucket, since the start."""
        return column_sums(seen.series.counts for seen in self.series.values())


class _Seen:
    """One series, and how many requests it had at the last look."""

    __slots__ = ("failed", "number", "route", "series")

    def __init__(self, series: Series, route: _Route, *, failed: bool) -> None:
        self.series, self.route, self.failed = series, route, failed
        self.number = 0


class Traffic:
    """Looks at the histogram of requests once a second; a request itself pays nothing.

    Args:
        durations: by method, route and status.
    """

    def __init__(self, durations: LoopHistogram) -> None:
        self._durations = durations
        self._bounds = durations.bounds
        self._nothing = [0] * (len(self._bounds) + 1)
        self._routes: dict[tuple[str, str], _Route] = {}
        self._seen: list[_Seen] = []  # in the order of the histogram, which forgets none
        self._tracked: list[_Route] = []
        self._looks = 0
        self._all = Flow(self._bounds, self._nothing, ROUTE_WINDOW)
        # Unix time, requests and errors per second, p50 and p99 in milliseconds.
        self._history: deque[tuple[float, float, float, float | None, float | None]] = deque(
            maxlen=WINDOW
        )

    def look(self, elapsed: float) -> None:
        """Take in what was observed in the `elapsed` seconds since the last look."""
        requests, errors = self._take_in()
        counts = column_sums(one.series.counts for one in self._seen) if requests else None
        second = self._all.add(elapsed, requests, errors, counts)
        p50 = milliseconds(second.quantile(self._bounds, 0.5))
        point = (second.rate, round(errors / elapsed, 2), p50, second.p99_ms(self._bounds))
        self._history.append((round(time.time(), 1), *point))
        for route in self._tracked:
            assert route.flow is not None
            counts = route.counts() if route.requests else None
            route.flow.add(elapsed, route.requests, route.errors, counts)
            route.requests = route.errors = 0
        self._looks += 1
        if self._looks % NOW == 0 and len(self._routes) > ROUTES:
            self._choose()

    def _take_in(self) -> tuple[int, int]:
        """Give each route what it got; returns how many requests there were and how many failed."""
        series = self._durations.series
        if len(series) > len(self._seen):
            for labels, one in islice(series.items(), len(self._seen), None):
                self._seen.append(self._meet(labels, one))
        requests = errors = 0
        for seen in self._seen:
            number = sum(seen.series.counts)
            got = number - seen.number
            if not got:
                continue
            seen.number = number
            route = seen.route
            requests += got
            route.requests += got
            route.score += got
            if seen.failed:
                errors += got
                route.errors += got
        return requests, errors

    def _meet(self, labels: tuple[str, ...], series: Series) -> _Seen:
        method, name, status = labels
        route = self._routes.get((method, name))
        if route is None:
            route = self._routes[method, name] = _Route(method, name)
            if len(self._tracked) < ROUTES:
                self._track(route)
        seen = route.series[status] = _Seen(series, route, failed=status >= "500")
        return seen

    def _track(self, route: _Route) -> None:
        """Follow it from now on."""
        route.requests = route.errors = 0
        route.flow = Flow(self._bounds, route.counts() or self._nothing, ROUTE_WINDOW)
        self._tracked.append(route)

    def _choose(self) -> None:
        """Follow those that are the busiest now; of two alike the one that has a history."""
        busiest = nlargest(ROUTES, self._routes.values(), lambda r: (r.score, r.flow is not None))
        for route in {*self._tracked} - {*busiest}:
            route.flow = None
        self._tracked = [route for route in self._tracked if route.flow is not None]
        for route in busiest:
            if route.flow is None:
                self._track(route)
        for route in self._routes.values():
            route.score = 0

    def report(self) -> dict[str, Any]:
        """What `/traffic` shows of it, in what JSON can say."""
        at, rate, errors, p50, p99 = zip(*self._history, strict=True) if self._history else [()] * 5
        rows = [self._row(route, route.flow) for route in self._tracked if route.flow is not None]
        rows.sort(key=lambda row: (row["rate"], row["requests"]), reverse=True)
        history = {"at": at, "rate": rate, "errors": errors, "p50_ms": p50, "p99_ms": p99}
        return {
            "interval_seconds": INTERVAL,
            "window_seconds": WINDOW,
            "now": {**_now(self._all), "p95_ms": self._all.quantiles(0.95)[0]},
            "history": {name: list(values) for name, values in history.items()},
            "routes": rows,
            "more_routes": len(self._routes) - len(self._tracked),
        }

    def _row(self, route: _Route, flow: Flow) -> dict[str, Any]:
        statuses = {status: seen.number for status, seen in sorted(route.series.items())}
        now = _now(flow)
        del now["errors_per_second"]
        return {
            "method": route.method,
            "route": route.name,
            "requests": sum(statuses.values()),
            "errors": sum(number for status, number in statuses.items() if status >= "500"),
            "statuses": statuses,
            **now,
            "history": {
                "rate": [one.rate for one in flow.seconds],
                "p99_ms": [one.p99_ms(self._bounds) for one in flow.seconds],
            },
        }


def _now(flow: Flow) -> dict[str, float | None]:
    rate, errors = flow.rates(NOW)
    p50, p99 = flow.quantiles(0.5, 0.99)
    return {
        "rate": round(rate, 2),
        "errors_per_second": round(errors, 2),
        "error_ratio": round(errors / rate, 4) if rate else None,
        "p50_ms": p50,
        "p99_ms": p99,
    }


def open_traffic(closing: Closing, metrics: Metrics, app: ASGIApp) -> Document:
    """What is shown; rates are of the last ten seconds, latencies of the last minute."""
    traffic = Traffic(metrics.request_duration)
    closing.task("traffic", every(INTERVAL, traffic.look))
    access_log = find_layer(app, AccessLog)

    def read() -> Mapping[str, Any]:
        report = traffic.report()
        report["now"]["active"] = access_log.report()["active"] if access_log else None
        return report

    text = "rate, errors and latency of every route, now and over the last minutes"
    return Document("/traffic", text, read)
