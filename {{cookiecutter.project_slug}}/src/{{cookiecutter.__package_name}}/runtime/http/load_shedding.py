"""Layer 4: refuses early what would only make everything slower."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from ..observability.metrics import Metrics
from .problems import Problem


class LoadShedding:
    """A hard cap on requests in flight: 503 with `Retry-After`, before any work is done.

    Args:
        max_in_flight: requests served at once; the next is refused.
        exempt: paths that are always served, the probes.
    """

    def __init__(
        self, app: ASGIApp, *, max_in_flight: int, exempt: Collection[str], metrics: Metrics
    ) -> None:
        self.app = app
        self._max = max_in_flight
        self._exempt = frozenset(exempt)
        self._shed = metrics.requests_shed.labels("concurrency")
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self.app(scope, receive, send)
            return
        if self._in_flight >= self._max:
            self._shed.inc()
            problem = Problem(503, "The service is at its limit.", headers={"Retry-After": "1"})
            await problem.send(send)
            return
        self._in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_flight -= 1
