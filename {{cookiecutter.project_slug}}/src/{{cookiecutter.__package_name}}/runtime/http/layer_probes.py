"""The boundary between two layers, where it is seen whose time it is."""

import asyncio
from collections.abc import Awaitable
from statistics import median_low
from time import perf_counter_ns

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY = "layer costs"  # in the scope of a request that is measured
RUNS = 30  # that say what the probes themselves cost


class Measured:
    """A measured request: whose time it is now, and what each one has had.

    Place 0 is the server, the layers have 1 and above, the application the last.
    """

    __slots__ = ("_mark", "_owner", "reached", "spent", "task")

    def __init__(self, places: int) -> None:
        self.spent = [0] * places  # nanoseconds
        self.reached = 0  # the innermost place that it came to
        self.task = asyncio.current_task()
        self._owner = 0
        self._mark = perf_counter_ns()

    def to(self, place: int) -> None:
        """What has passed belongs to whoever had it; from now on it is this one's."""
        now = perf_counter_ns()
        self.spent[self._owner] += now - self._mark
        self._owner = place
        self._mark = perf_counter_ns()

    def resume(self) -> None:
        """What has passed since the last crossing was the probe's own."""
        self._mark = perf_counter_ns()


class Probe:
    """The boundary before one layer."""

    def __init__(self, app: ASGIApp, place: int) -> None:
        self.app = app
        self._place = place

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        request: Measured | None = scope.get(KEY)
        if request is None:
            return self.app(scope, receive, send)
        request.to(self._place)
        return self._measured(request, scope, receive, send)

    async def _measured(
        self, request: Measured, scope: Scope, receive: Receive, send: Send
    ) -> None:
        inside, outside = self._place, self._place - 1

        async def send_out(message: Message) -> None:
            request.to(outside)
            try:
                await send(message)
            finally:
                request.to(inside)

        async def receive_from_outside() -> Message:
            # Another task that listens for a disconnect takes nobody's time.
            if asyncio.current_task() is not request.task:
                return await receive()
            request.to(outside)
            try:
                return await receive()
            finally:
                request.to(inside)

        request.reached = max(request.reached, inside)
        request.resume()
        try:
            await self.app(scope, receive_from_outside, send_out)
        finally:
            request.to(outside)


class _Empty:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def _answer(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start"})
    await send({"type": "http.response.body"})


async def _drop(_: Message) -> None:
    pass


async def _nothing() -> Message:
    return {}


async def empty_layer() -> int:
    """What a layer that does nothing seems to cost, in nanoseconds: mostly the probes' own."""
    chain = Probe(_Empty(Probe(_answer, 2)), 1)
    costs = []
    for _ in range(RUNS):
        request = Measured(3)
        await chain({KEY: request}, _nothing, _drop)
        costs.append(request.spent[1])
    return median_low(costs)
