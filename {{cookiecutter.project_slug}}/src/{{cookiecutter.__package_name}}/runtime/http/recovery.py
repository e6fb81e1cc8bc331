"""Layer 3: an unhandled exception becomes a 500 problem, and its stack is logged once."""

import asyncio

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from ..context import current
from .problems import Problem, internal_error


class Recovery:
    """Nothing of the exception reaches the caller; a response under way is cut off.

    FastAPI answers for what its own handlers raise and passes the exception on; it is
    logged here all the same, so that there is one place for it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._caught = 0
        self._log = structlog.get_logger().bind(logger="recovery")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            # Only the server cancels from outside: the grace of a shutdown has run out.
            state = current.get()
            if scope["type"] != "http" or state is None or state.status:
                raise
            problem = Problem(503, "The service is stopping.", headers={"Retry-After": "1"})
            await problem.send(send)
        except Exception:
            state = current.get()
            if scope["type"] != "http" or state is None:
                raise
            self._caught += 1
            self._log.exception("unhandled exception", method=scope["method"], path=scope["path"])
            if not state.status:
                await internal_error().send(send)

    def report(self) -> dict[str, int]:
        """How many exceptions nobody else had handled."""
        return {"unhandled_exceptions": self._caught}
