"""Layer 5: no request outlives its deadline, and none works for a caller that has gone."""

import asyncio

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import deadlines
from ..context import RequestState, current
from ..observability.metrics import Metrics
from ..time_limits import TimeLimits
from ..watchdog import Cause, Watchdog
from .problems import deadline_exceeded


class DeadlineGuard:
    """Sets the deadline, and answers 504 when it passes.

    A response that has started cannot become a 504: it is cut off, so that the caller does
    not take a part for the whole. Routes declared as streams have an idle limit instead.

    Args:
        limits: `request_timeout` is read when a request comes in.
    """

    def __init__(
        self, app: ASGIApp, *, limits: TimeLimits, watchdog: Watchdog, metrics: Metrics
    ) -> None:
        self.app = app
        self._limits = limits
        self._watchdog = watchdog
        self._exceeded = metrics.deadline_exceeded
        self._log = structlog.get_logger().bind(logger="deadline")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = current.get()
        if scope["type"] != "http" or state is None:
            await self.app(scope, receive, send)
            return
        deadlines.apply(state, self._limits.request_timeout)
        if state.deadline <= state.begun:
            self._exceeded.inc()
            await deadline_exceeded().send(send)
            return
        watch = self._watchdog.enter(state, receive)
        try:
            try:
                await self.app(scope, watch, send)
            finally:
                self._watchdog.leave(watch)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if watch.cause is None or (task is not None and task.cancelling()):
                raise  # somebody else ends this task: the server, at the end of its grace
        if watch.cause is not None:
            await self._end(watch.cause, state, send)
        if state.status == 504:  # ours, or a share of the deadline that a dependency used up
            self._exceeded.inc()

    def report(self) -> dict[str, float]:
        """The limits, in seconds."""
        return {
            "request_timeout": self._limits.request_timeout,
            "stream_idle_timeout": self._limits.stream_idle_timeout,
        }

    async def _end(self, cause: Cause, state: RequestState, send: Send) -> None:
        if state.completed or cause is Cause.CLIENT_GONE:
            return
        if not state.status:
            await deadline_exceeded().send(send)
            return
        # Returning without the last part makes the server close the connection.
        self._log.warning("response cut off", cause=cause.value)
