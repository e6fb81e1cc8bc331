"""What a broken or hostile dependency sends, and what must come of it: never a 500."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from opentelemetry.trace import NoOpTracer
from starlette.responses import StreamingResponse

from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.client import Client
from steadfast_service.runtime.outbound.report import report

from ...support.process import until
from ...support.tls import hypercorn_server
from ...support.upstream_server import (
    PATIENT,
    Upstream,
    client_of,
    samples,
    upstream,
)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
# hypercorn leaves connections to the collector when it ends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

MALFORMED = {
    "not HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "a status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "a reason that is no text": b"HTTP/1.1 200 \xff\xfe\r\ncontent-length: 0\r\n\r\n",
    "a header without a name": b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "a header with a NUL": b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
    "a huge header": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"x: 1\r\n" * 50_000 + b"\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\nabc",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde",
    "a length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"
    b"transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "a cut chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    "nothing": b"",
}


# The settings, then on the first stream status 200 and half of a body, then its end.
HTTP2_HALF = b"\0\0\0\4\0\0\0\0\0\0\0\1\1\4\0\0\0\1\x88\0\0\4\0\0\0\0\0\1half"
HTTP2_ENDS = {
    "hangs up": b"",
    "resets the stream": b"\0\0\4\3\0\0\0\0\1\0\0\0\2",
    "goes away": b"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\2",
    "talks nonsense": b"\xff" * 100,
}


@asynccontextmanager
async def served(answer: Answer) -> AsyncGenerator[str]:
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answering(raw: bytes) -> Answer:
    """Read a request, answer with these bytes and hang up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    return answer


def answering_http2(raw: bytes) -> Answer:
    """The same over HTTP/2."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(24)
        frame = bytes(9)
        while frame[3] != 1:  # the headers
            frame = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(frame[:3], "big"))
        writer.write(raw)
        writer.close()

    return answer


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


def failures(client: Client) -> int:
    return client.pipeline.breaker.counts().failures


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_an_answer_that_is_not_http_is_the_dependencys_failure(raw: bytes) -> None:
    metrics = Metrics()
    async with served(answering(raw)) as url, client_of(url, metrics) as client:
        for number in (1, 2):
            with pytest.raises(DependencyUnavailable):
                await client.request("POST", "/a")
            assert failures(client) == number
        assert client.pipeline.active == 0
    found = samples(metrics, "http_client_attempts_total")
    assert found == {("shop", "error"): 2}


async def test_a_malformed_answer_is_tried_again() -> None:
    metrics = Metrics()
    raw = MALFORMED["not HTTP"]
    async with served(answering(raw)) as url, client_of(url, metrics) as client:
        with pytest.raises(DependencyUnavailable, match="a malformed answer"):
            await client.request("GET", "/a")
    assert samples(metrics, "http_client_attempts_total")["shop", "error"] == 3


@pytest.mark.parametrize("end", HTTP2_ENDS.values(), ids=HTTP2_ENDS.keys())
async def test_so_is_half_an_answer_of_http2(end: bytes) -> None:
    server = served(answering_http2(HTTP2_HALF + end))
    async with server as url, client_of(url, http2=True) as client:
        with pytest.raises(DependencyUnavailable):
            await client.request("POST", "/a")
        assert failures(client) == 1


async def test_a_stream_of_http2_that_goes_silent_ends_in_an_error_of_httpx(
    shop: Upstream,
) -> None:
    over = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield bytes(200_000)
        await over.wait()

    shop.always = StreamingResponse(parts())
    short: dict[str, Any] = dict.fromkeys(("attempt_timeout", "connect_timeout"), 0.5)
    async with hypercorn_server(shop) as url, client_of(url, http2=True, **short) as client:
        response = await client.request("GET", "/a", stream=True)
        with pytest.raises(httpx.ReadTimeout):
            await response.aread()
        await response.aclose()
        over.set()


# our own mistakes


@pytest.mark.parametrize("http2", [False, True])
async def test_a_header_that_cannot_be_sent_is_not_the_dependencys_failure(
    shop: Upstream, http2: bool
) -> None:
    async with hypercorn_server(shop) as url, client_of(url, http2=http2) as client:
        for value in ("a\r\nx-admin: 1", "a\0b"):
            with pytest.raises(ValueError, match=r"(?i)header"):
                await client.request("GET", "/a", headers={"x": value})
        counts = client.pipeline.breaker.counts()
        assert (counts.failures, counts.exclusions) == (0, 2)
        assert client.pipeline.active == 0
    assert shop.requests == []


@pytest.mark.parametrize("http2", [False, True])
async def test_what_goes_into_a_url_arrives_as_it_was(shop: Upstream, http2: bool) -> None:
    texts = ["/", "%2F", "%252e", "a b+c", "?&=#;", "é\u2028", "..", "\x7f", "{b}", "\\", "'\""]
    async with hypercorn_server(shop) as url, client_of(url, http2=http2) as client:
        for text in texts:
            value = f"x{text}"
            await client.request("GET", "/a/{b}/c", values={"b": value}, params={"q": value})
            scope = shop.requests[-1].scope
            assert scope["path"] == f"/a/{value}/c"
            assert parse_qsl(scope["query_string"].decode()) == [("q", value)]


def test_a_password_in_the_url_is_not_reported() -> None:
    url = "http://me:secret@shop/base"
    client = Client("shop", url, metrics=Metrics(), tracer=NoOpTracer())
    assert report(client.pipeline)["url"] == "http://shop/base"


# time, and the end


async def test_a_timeout_as_long_as_an_attempt_does_not_hide_an_outage(shop: Upstream) -> None:
    shop.gate.clear()
    same: dict[str, Any] = dict.fromkeys(("timeout", "attempt_timeout", "connect_timeout"), 0.1)
    async with client_of(shop.url, **same) as client:
        for _ in range(2):
            with pytest.raises(DeadlineExceeded):
                await client.request("POST", "/a")
        assert failures(client) == 2


async def test_an_upload_that_is_not_read_ends_with_its_attempt() -> None:
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nfirst")
        await over.wait()
        writer.close()

    async def upload() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65536)

    short: dict[str, Any] = dict.fromkeys(("attempt_timeout", "connect_timeout"), 0.2)
    async with served(answer) as url, client_of(url, **short) as client:
        async with asyncio.timeout(5):
            with pytest.raises(DeadlineExceeded):
                await client.request("POST", "/a", content=upload())
        assert client.pipeline.active == 0
        over.set()


@pytest.mark.parametrize("http2", [False, True])
async def test_closing_ends_the_calls_under_way_and_refuses_others(
    shop: Upstream, http2: bool
) -> None:
    shop.gate.clear()
    async with hypercorn_server(shop) as url, client_of(url, http2=http2, **PATIENT) as client:
        calls = [asyncio.create_task(client.request("POST", "/a")) for _ in range(20)]
        await until(lambda: len(shop.requests) == 20)
        await client.close()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        shop.gate.set()
        assert {type(one) for one in ended} == {DependencyUnavailable}
        with pytest.raises(DependencyUnavailable, match="the client is closed"):
            await client.request("POST", "/a")
        assert client.pipeline.active == 0
