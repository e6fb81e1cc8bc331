"""Routes that know their own limits.

A route declares what it needs where it is registered, under the names that the contract
uses too: `openapi_extra={"x-deadline": 30}` for its own deadline in seconds,
`{"x-stream": True}` for a response without a fixed end. A `def` endpoint runs in the
bounded pool of `Threads`, not in an unbounded one.
"""

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from .. import deadlines
from ..context import current
from ..threads import Threads


def route_class(threads: Threads) -> type[APIRoute]:
    """The class for `APIRouter(route_class=...)`, bound to the pool for blocking endpoints."""

    class Route(APIRoute):
        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            super().__init__(path, threads.wrap(endpoint), **options)
            declared = self.openapi_extra or {}
            self._deadline: float | None = declared.get("x-deadline")
            self._stream: bool = declared.get("x-stream", False)
            self._plain = self._deadline is None and not self._stream

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            if not self._plain and (state := current.get()) is not None:
                if self._deadline is not None:
                    deadlines.apply(state, self._deadline)
                state.stream = self._stream
            await super().handle(scope, receive, send)

    return Route
