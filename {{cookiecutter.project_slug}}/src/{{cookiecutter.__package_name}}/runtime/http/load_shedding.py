"""Layer 4: refuses early what would only make everything slower."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from ..concurrency_limit import ConcurrencyLimit
from ..config.groups import Group
from ..config.live import Live
from ..context import current
from ..observability.metrics import Metrics
from ..route_match import RouteSet
from .operations import OperationRouter
from .refusal import Refusal


class LoadShedding:
    """503 with `Retry-After`, before any work is done; critical routes are refused last.

    Args:
        limit: how many requests may be in flight.
        critical: the routes that its reserve is for.
        streams: routes without a fixed end. Open ones are mostly idle, so they do not count
            as work in flight; there may be as many of them as the limit can ever be.
        exempt: paths that are always served, the probes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: ConcurrencyLimit,
        critical: RouteSet,
        streams: RouteSet,
        exempt: Collection[str],
        metrics: Metrics,
    ) -> None:
        self.app = app
        self._limit = limit
        self._critical = critical
        self._streams = streams
        self._open_streams = 0
        self._exempt = frozenset(exempt)
        self._at_cap = metrics.requests_shed.labels("concurrency")
        self._overload = metrics.requests_shed.labels("overload")
        self._refusal = Refusal(503, "The service has more to do than it can.")
        metrics.gauge(
            "http_server_in_flight_limit",
            "Requests that may be in flight now.",
            lambda: limit.limit,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self.app(scope, receive, send)
            return
        limit = self._limit
        if self._streams and self._streams.matches(scope["method"], scope["path"]):
            await self._stream(scope, receive, send)
            return
        if limit.in_flight >= limit.ordinary and not (
            limit.in_flight < limit.limit and self._critical.matches(scope["method"], scope["path"])
        ):
            at_cap = limit.in_flight >= limit.max_in_flight
            await self._refuse(self._at_cap if at_cap else self._overload, send)
            return
        begun = limit.enter()
        try:
            await self.app(scope, receive, send)
        finally:
            limit.leave(begun)

    def report(self) -> dict[str, Any]:
        """What is in flight, and how much may be."""
        limit = self._limit
        return {
            "in_flight": limit.in_flight,
            "limit": int(limit.limit),
            "ordinary": limit.ordinary,
            "max_in_flight": limit.max_in_flight,
            "open_streams": self._open_streams,
            "refused": limit.refused,
            "retry_after": limit.retry_after,
            "saturated": limit.saturated,
        }

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._open_streams >= self._limit.max_in_flight:
            await self._refuse(self._at_cap, send)
            return
        self._open_streams += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open_streams -= 1

    async def _refuse(self, reason: Counter, send: Send) -> None:
        self._limit.refused += 1
        reason.inc()
        after = (b"retry-after", b"%d" % self._limit.retry_after)
        await self._refusal.send(send, current.get(), [after])


def open_shedding(
    metrics: Metrics,
    router: OperationRouter,
    waiting: Callable[[], int],
    live: Live[Group],
) -> partial[LoadShedding]:
    """The layer; its limit adapts at each beat of the heartbeat.

    Args:
        router: the contract's, for what it marks as critical and as streams.
        waiting: how many wait for a place in the narrowest pool of this process.
        live: `max_in_flight`, `min_in_flight` and `target_lag` as `ConcurrencyLimit` has them;
            `critical_routes`, more of them, as `METHOD /path/{template}`.
    """
    critical = RouteSet(router.critical_routes)
    bounds = {name: value for name, value in live.now if name != "critical_routes"}
    limit = ConcurrencyLimit(**bounds, waiting=waiting)

    def update(*, critical_routes: Iterable[str], **bounds: Any) -> None:
        critical.replace([*router.critical_routes, *critical_routes])
        limit.update(**bounds, reserve=bool(critical))

    live.follow(update)
    metrics.heartbeat.observe(limit.beat)
    streams = RouteSet(router.stream_routes)
    return partial(LoadShedding, limit=limit, critical=critical, streams=streams, metrics=metrics)
