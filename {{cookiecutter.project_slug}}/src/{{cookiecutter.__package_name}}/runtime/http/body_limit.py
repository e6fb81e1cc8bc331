"""Bounds the body of a request: 413 as a problem, by announced length or while it is read."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import Problem


class BodyLimit:
    """Ends requests whose body is too large.

    FastAPI's own limit answers an announced length in plain text, past every handler.

    Args:
        max_bytes: of the body; one byte more is refused.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self._max = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length":
                # The server has checked the number and reads no byte beyond it.
                if int(value) > self._max:
                    await Problem(413).send(send)
                    return
                break
        else:
            receive = self._counted(receive)
        await self.app(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max:
                raise HTTPException(413)
            return message

        return counted
