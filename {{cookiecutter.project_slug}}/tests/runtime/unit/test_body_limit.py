"""The limit on bodies, whatever says how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from steadfast_service.runtime.http.body_limit import BodyLimit

MAX = 10


async def read(parts: list[bytes], headers: list[tuple[bytes, bytes]], kind: str = "http") -> bytes:
    """What the application gets of a body in these parts."""
    got = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            got.append(message["body"])
            more = message["more_body"]

    waiting = list(parts)

    async def receive() -> Message:
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            raise HTTPException(message["status"])

    await BodyLimit(app, max_bytes=MAX)({"type": kind, "headers": headers}, receive, send)
    return b"".join(got)


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5), st.booleans())
async def test_up_to_the_limit_it_arrives_whole_beyond_it_not_at_all(
    parts: list[bytes], announced: bool
) -> None:
    body = b"".join(parts)
    length = [(b"content-length", str(len(body)).encode())] if announced else []
    headers = [(b"host", b"x"), *length]
    if len(body) <= MAX:
        assert await read(parts, headers) == body
        return
    with pytest.raises(HTTPException) as caught:
        await read(parts, headers)
    assert caught.value.status_code == 413


async def test_what_is_not_a_request_has_no_limit() -> None:
    assert await read([b"x" * 100], [], "lifespan") == b"x" * 100
