"""`/time`: deadlines, and where the time of requests goes."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp

from ..http.deadline_guard import DeadlineGuard
from ..http.layer_costs import find_layer, layers_of
from ..http.operations import OperationRoute
from ..observability.histograms import quantile
from ..observability.history import Lookback, column_sums, every, milliseconds
from ..observability.metrics import UNMATCHED, Metrics
from ..shutdown import Closing
from .documents import Document

WINDOW = 300  # seconds that are looked back
STEP = 30.0  # seconds between two of the moments that are kept
MINUTE, MINUTE_STEP = 60.0, 5.0  # the same for the deadlines that passed
ROUTES = 50  # that are shown

Route = tuple[str, str]  # method and template
Part = tuple[str, str]  # name and kind


class _Moment(NamedTuple):
    """What was counted up to then; counts by bucket, and seconds."""

    counts: Mapping[tuple[str, ...], list[int]]
    requests: Mapping[tuple[str, ...], float]
    parts: Mapping[Part, float]


class TimeSpent:
    """What the histograms say of the last five minutes.

    Work of one request that runs at once counts for each of its parts, and so does work of
    no request, such as a job's. Then the parts are more than their share of the requests'
    time, in sum even more than all of it, and our own is less than it was: never below 0.
    """

    def __init__(self, metrics: Metrics, app: ASGIApp) -> None:
        self._metrics = metrics
        self._inside = layers_of(app)[-1]
        self._guard = find_layer(app, DeadlineGuard)
        self._declared: dict[Route, float | None] | None = None
        # From the start on: that is what it is a lookback to until five minutes are over.
        self._before = Lookback(WINDOW, _Moment({}, {}, {}))
        self._exceeded = Lookback(MINUTE, 0)

    def look(self, _: float) -> None:
        """Keep what it is now, for a comparison in five minutes."""
        counts = {
            labels: series.counts.copy()
            for labels, series in self._metrics.request_duration.series.items()
        }
        self._before.add(_Moment(counts, self._request_seconds(), dict(self._parts())))

    def look_at_deadlines(self, _: float) -> None:
        """The same for how many have passed, in a minute."""
        self._exceeded.add(self._deadlines_exceeded())

    def report(self) -> dict[str, Any]:
        """What `/time` shows, in what JSON can say."""
        elapsed, before = self._before.oldest()
        total = self._deadlines_exceeded()
        return {
            "window_seconds": round(elapsed),
            "request_timeout": self._request_timeout(),
            "routes": self._routes(before),
            "spent": self._spent(before),
            "exceeded": {"total": total, "last_minute": total - self._exceeded.oldest()[1]},
        }

    def _spent(self, before: _Moment) -> dict[str, Any]:
        streams = {route for route, limit in self._deadlines().items() if limit is None}
        all_seconds = sum(
            seconds - before.requests.get(labels, 0.0)
            for labels, seconds in self._request_seconds().items()
            if labels[:2] not in streams
        )
        parts = [
            (name, kind, seconds - before.parts.get((name, kind), 0.0))
            for (name, kind), seconds in self._parts()
        ]
        own = max(0.0, all_seconds - sum(seconds for _, _, seconds in parts))
        return {
            "request_seconds": round(all_seconds, 3),
            "parts": [
                {
                    "name": name,
                    "kind": kind,
                    "seconds": round(seconds, 3),
                    "share": round(seconds / all_seconds, 4) if all_seconds else None,
                }
                for name, kind, seconds in [*parts, ("this process", "own", own)]
            ],
        }

    def _routes(self, before: _Moment) -> list[dict[str, Any]]:
        parts: dict[Route, list[list[int]]] = {}
        for labels, series in self._metrics.request_duration.series.items():
            if labels[1] != UNMATCHED:
                old = before.counts.get(labels) or [0] * len(series.counts)
                part = [now - then for now, then in zip(series.counts, old, strict=True)]
                parts.setdefault((labels[0], labels[1]), []).append(part)
        rows = []
        bounds = self._metrics.request_duration.bounds
        for (method, route), several in parts.items():
            counts = column_sums(several)
            if not any(counts):
                continue
            deadline = self._deadlines().get((method, route), self._request_timeout())
            p99 = quantile(bounds, counts, 0.99)
            rows.append(
                {
                    "method": method,
                    "route": route,
                    "deadline_seconds": deadline,
                    "p50_ms": milliseconds(quantile(bounds, counts, 0.5)),
                    "p99_ms": milliseconds(p99),
                    "p99_share": round(p99 / deadline, 4) if p99 and deadline else None,
                }
            )
        rows.sort(key=lambda row: row["p99_share"] or 0.0, reverse=True)
        return rows[:ROUTES]

    def _parts(self) -> Iterator[tuple[Part, float]]:
        """Every part with its seconds since the start."""
        dependencies: dict[str, float] = {}
        for labels, series in self._metrics.client_duration.series.items():
            dependencies[labels[0]] = dependencies.get(labels[0], 0.0) + series.total
        for name, seconds in dependencies.items():
            yield (name, "dependency"), seconds
        for name, kind, histogram in self._metrics.waits:
            yield (name, kind), sum(series.total for series in histogram.series.values())

    def _request_seconds(self) -> dict[tuple[str, ...], float]:
        durations = self._metrics.request_duration.series
        return {labels: series.total for labels, series in durations.items()}

    def _request_timeout(self) -> float | None:
        return self._guard.report()["request_timeout"] if self._guard is not None else None

    def _deadlines(self) -> Mapping[Route, float | None]:
        """What the contract declares; None for a stream, which has none."""
        if self._declared is None:
            self._declared = dict(_declared(self._inside))
        return self._declared

    def _deadlines_exceeded(self) -> int:
        families = self._metrics.deadline_exceeded.collect()
        samples = (sample for family in families for sample in family.samples)
        return int(sum(one.value for one in samples if one.name.endswith("_total")))


def _declared(app: Any) -> Iterator[tuple[Route, float | None]]:
    for context in iter_route_contexts(getattr(app, "routes", ())):
        route = context.original_route
        if isinstance(route, OperationRoute):
            operation = route.served.operation
            if operation.stream or operation.deadline is not None:
                deadline = None if operation.stream else operation.deadline
                yield (operation.method, context.path_format or operation.path), deadline


def open_time_spent(closing: Closing, metrics: Metrics, app: ASGIApp) -> Document:
    """What is shown, of the last five minutes or since the start."""
    spent = TimeSpent(metrics, app)
    closing.task("time spent", every(STEP, spent.look))
    closing.task("deadlines", every(MINUTE_STEP, spent.look_at_deadlines))
    text = "deadlines, and where the time of requests goes"
    return Document("/time", text, spent.report, every=5)
