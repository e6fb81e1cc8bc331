"""What operations made by hand send: results, headers, texts, bytes, streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from steadfast_service.runtime.http.operations import bind, bind_stream
from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.openapi.model import Model
from steadfast_service.runtime.openapi.operation import (
    JSON,
    Answer,
    Header,
    Operation,
    Result,
)

from ...support.operations import (
    Keeper,
    TestClient,
    app_of,
    client_of,
    operation,
    send,
)


class Tea(Model):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Result):
    status: ClassVar[int] = 201
    media: ClassVar[str | None] = JSON
    body: Tea
    location: str
    left: int | None = None
    tags: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(Result):
    status: ClassVar[int] = 204
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Result):
    status: ClassVar[int] = 200
    media: ClassVar[str | None] = "text/plain"
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Any3XX(Result):
    status: int


MADE = (
    Header("location", "location", str, required=True),
    Header("left", "x-left", int),
    Header("tags", "x-tags", list[str]),
)
SEVERAL = operation(
    answers={
        "200": Answer("Drawn", {JSON: Tea, "text/plain": str}, results=(Drawn,)),
        "201": Answer("Made", {JSON: Tea}, headers=MADE, results=(Made,)),
        "204": Answer("Gone", headers=(Header("why", "x-why", str),), results=(Gone,)),
        "3XX": Answer("Elsewhere", results=(Any3XX,)),
    }
)


@pytest.mark.parametrize("check", [True, False])
async def test_each_result_has_its_status_headers_and_body(*, check: bool) -> None:
    made = Made(body=Tea(name="a"), location="/a?b=1", left=0, tags=["x", "y"])
    response = await send(SEVERAL, Keeper(made), check=check)
    assert (response.status_code, response.json()) == (201, {"name": "a"})
    expected = {"content-type": JSON, "location": "/a?b=1", "x-left": "0", "x-tags": "x,y"}
    assert expected.items() <= dict(response.headers).items()
    assert response.headers["content-length"] == "12"
    response = await send(SEVERAL, Keeper(Made(body=Tea(name="a"), location="/")), check=check)
    assert "x-left" not in response.headers
    response = await send(SEVERAL, Keeper(Drawn(body="\u00e9")), check=check)
    assert (response.status_code, response.content) == (200, "\u00e9".encode())
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("check", [True, False])
async def test_nothing_is_sent_as_nothing(*, check: bool) -> None:
    response = await send(SEVERAL, Keeper(Gone(why="old")), check=check)
    assert (response.status_code, response.content) == (204, b"")
    assert dict(response.headers) == {"x-why": "old"}
    response = await send(SEVERAL, Keeper(Any3XX(status=303)), check=check)
    assert (response.status_code, response.headers["content-length"]) == (303, "0")


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: a=b", "a\nb", "a\rb", "a\0b", "\u20ac"])
async def test_a_header_cannot_bring_another_one(text: str) -> None:
    for check in (True, False):
        made = Made(body=Tea(name="a"), location=text)
        response = await send(SEVERAL, Keeper(made), check=check)
        assert response.status_code == 500
        assert "set-cookie" not in response.headers
        headers = {"x-it": text}
        raised = operation(answers={"default": Answer("", {"application/problem+json": Any})})

        async def handler(headers: dict[str, str] = headers) -> Any:
            raise Problem(400, headers=headers)

        response = await send(raised, handler, check=check)
        assert response.status_code == 500
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("media", "value", "content_type"),
    [
        ("application/octet-stream", bytes(range(256)), "application/octet-stream"),
        ("*/*", b"", "application/octet-stream"),
        ("application/xml", b"<a/>", "application/xml"),
        ("text/html", "", "text/html; charset=utf-8"),
    ],
)
async def test_text_and_bytes(media: str, value: str | bytes, content_type: str) -> None:
    one = operation(answers={"200": Answer("", {media: type(value)})})
    response = await send(one, Keeper(value))
    assert response.content == (value if isinstance(value, bytes) else value.encode())
    assert response.headers["content-type"] == content_type


BYTES = "application/octet-stream"
STREAM: Operation[AsyncIterator[bytes]] = operation(
    method="GET", answers={"200": Answer("", {BYTES: bytes})}, stream=True
)


class Streaming:
    """A handler of chunks; it says when it was closed."""

    def __init__(self, *chunks: bytes | Exception | None) -> None:
        self.chunks = chunks
        self.closed = False

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self.chunks:
                if isinstance(chunk, Exception):
                    raise chunk
                if chunk is None:
                    await asyncio.sleep(60)
                else:
                    yield chunk
        finally:
            self.closed = True


async def test_a_stream_is_sent_in_parts() -> None:
    for chunks in ((b"a", b"", b"b"), (b"",), ()):
        streaming = Streaming(*chunks)
        app = app_of(bind_stream(STREAM, streaming))
        async with client_of(app) as client:
            response = await client.get("/it")
        assert (response.status_code, response.content) == (200, b"".join(chunks))
        assert response.headers["content-type"] == BYTES
        assert "content-length" not in response.headers
        assert streaming.closed


@pytest.mark.parametrize("error", [Problem(409), RuntimeError("broken")])
async def test_an_error_before_the_first_part_is_an_answer(error: Exception) -> None:
    streaming = Streaming(error)
    async with client_of(app_of(bind_stream(STREAM, streaming))) as client:
        response = await client.get("/it")
    assert response.status_code == (409 if isinstance(error, Problem) else 500)
    assert streaming.closed


def test_an_error_amid_the_parts_cuts_the_answer() -> None:
    streaming = Streaming(b"a", RuntimeError("broken"))
    with TestClient(app_of(bind_stream(STREAM, streaming))) as client, pytest.raises(RuntimeError):
        client.get("/it")
    assert streaming.closed


@pytest.mark.parametrize("version", ["2.0", "2.4"])
async def test_a_caller_who_has_gone_ends_the_stream(version: str) -> None:
    """With 2.4 a server tells it when it is sent to, before that only when it is asked."""
    streaming = Streaming(b"a", None)
    sent: list[Any] = []
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def answer(message: Any) -> None:
        sent.append(message)
        if message.get("body"):
            gone.set()
            if version == "2.4":
                raise OSError

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/it",
        "raw_path": b"/it",
        "headers": [],
    }
    scope |= {"query_string": b"", "root_path": "", "asgi": {"spec_version": version}}
    async with asyncio.timeout(5):
        try:
            await app_of(bind_stream(STREAM, streaming))(scope, receive, answer)
        except Exception as exc:  # noqa: BLE001 - starlette's own
            assert type(exc).__name__ == "ClientDisconnect"  # noqa: PT017
    assert streaming.closed


async def test_bodies_of_models_go_by_the_contracts_names() -> None:
    one = operation(answers={"200": Answer("", {JSON: list[Tea]})})
    response = await send(one, Keeper([Tea(name="a")]))
    assert response.json() == [{"name": "a"}]
    assert (await send(one, Keeper([]))).content == b"[]"
    assert bind(one, Keeper()).operation is one
