"""Answers that cost next to nothing: under overload most answers are refusals."""

from collections.abc import Iterable

from starlette.types import Send

from ..context import RequestState
from .problems import MEDIA_TYPE, Problem

Header = tuple[bytes, bytes]


class Refusal:
    """A problem made once; only the request's id and a few headers differ.

    Args:
        status: HTTP status.
        detail: one sentence for the caller.
    """

    def __init__(self, status: int, detail: str) -> None:
        self._status = status
        # Outside of a request, so without an id.
        self._body = Problem(status, detail).body().removesuffix(b"}") + b',"request_id":"'
        self._type = (b"content-type", MEDIA_TYPE.encode())

    async def send(self, send: Send, state: RequestState | None, headers: Iterable[Header]) -> None:
        """The whole answer; marks the request as shed."""
        request_id = ""
        if state is not None:
            state.shed = True
            request_id = state.request_id  # never with a character that JSON would escape
        body = self._body + request_id.encode() + b'"}'
        length = (b"content-length", b"%d" % len(body))
        start = {
            "type": "http.response.start",
            "status": self._status,
            "headers": [self._type, length, *headers],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body})
