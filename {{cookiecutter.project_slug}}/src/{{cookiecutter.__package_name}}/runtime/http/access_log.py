"""Layer 2: one log record per request, and the rate, errors and duration by route."""

import time
from collections.abc import Collection

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from ..context import RequestState, current
from ..observability.failures import Failure
from ..observability.logs import Pipeline
from ..observability.metrics import UNMATCHED, Metrics
from ..time_limits import TimeLimits

# nginx's status for a caller that hung up; there was nobody left to answer.
CLIENT_CLOSED_REQUEST = 499


class AccessLog:
    """Records the outcome of each request and decides what becomes of its held records.

    Failed (5xx) and slow requests are always written, with their story, and the last of them
    are kept. Of the others the sampled ones are written, and so of those that were shed: under
    overload they are most of all, and have no story. Paths in `quiet` (the probes) are counted
    but never logged.

    Args:
        limits: `slow_request` is read when a request ends.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        pipeline: Pipeline,
        limits: TimeLimits,
        quiet: Collection[str],
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._pipeline = pipeline
        self._limits = limits
        self._quiet = frozenset(quiet)
        self._log = structlog.get_logger().bind(logger="access")
        self._active = 0
        metrics.gauge(
            "http_server_active_requests", "Requests being served now.", lambda: self._active
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = current.get()
        if scope["type"] != "http" or state is None:
            await self.app(scope, receive, send)
            return
        self._active += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._active -= 1
            self._record(scope, state)

    def report(self) -> dict[str, float]:
        """Requests being served now, and the seconds from which one counts as slow."""
        return {"active": self._active, "slow_request": self._limits.slow_request}

    def _record(self, scope: Scope, state: RequestState) -> None:
        seconds = (state.completed or time.monotonic()) - state.begun
        status = state.status or (CLIENT_CLOSED_REQUEST if state.client_gone else 500)
        route = route_template(scope)
        self._metrics.observe_request(scope["method"], route, status, seconds)
        if scope["path"] in self._quiet:
            self._pipeline.forget(state)
            return
        failed = status >= 500 and not state.shed
        slow = seconds >= self._limits.slow_request
        if failed or slow:
            self._pipeline.tell(state)
        elif not state.sampled:
            self._pipeline.sampled["info"] += 1
            self._pipeline.forget(state)
            return
        client = scope["client"][0] if scope.get("client") else None
        write = self._log.warning if failed else self._log.info
        write(
            "request",
            method=scope["method"],
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            client=client,
        )
        if failed or slow:
            self._metrics.failures.add(
                Failure(
                    time.time(),
                    scope["method"],
                    scope["path"],
                    route,
                    status,
                    seconds,
                    slow,
                    client,
                    state.request_id,
                    state.trace_id,
                    tuple(state.story or ()),
                )
            )


def route_template(scope: Scope) -> str:
    """The template of the route that answered; one shared name where none did."""
    # FastAPI keeps the full template of an included router's route here, prefix and all.
    context = scope.get("fastapi", {}).get("effective_route_context")
    route = context if context is not None else scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    if isinstance(template, str):
        return template
    # Starlette's own routes do not show their template; one without parameters is its path.
    return scope["path"] if "endpoint" in scope and not scope.get("path_params") else UNMATCHED
