"""Answers that are packed, cut, huge, or not what their headers say."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from steadfast_service.runtime.errors import DependencyUnavailable

from ...support.upstream_server import Upstream, client_of, upstream

PACKED = gzip.compress(b"x" * 1000)


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", b"abc", "a bad gzip"),
        ("gzip", PACKED[:-9], "a gzip that is cut"),
        ("gzip", PACKED + PACKED, "followed by something else"),
        ("gzip, gzip", gzip.compress(PACKED), "'gzip, gzip', which nobody asked for"),
        ("br", b"abc", "'br', which nobody asked for"),
    ],
    ids=["bad", "cut", "two in a row", "packed twice", "brotli"],
)
async def test_what_cannot_be_unpacked_is_refused(
    shop: Upstream, coding: str, body: bytes, words: str
) -> None:
    shop.always = Response(body, headers={"content-encoding": coding})
    async with client_of(shop.url) as client:
        with pytest.raises(DependencyUnavailable, match=words):
            await client.request("GET", "/a")
        assert client.pipeline.breaker.counts().failures == 1
    assert shop.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_bomb_does_not_go_off(shop: Upstream, times: int, stream: bool) -> None:
    bomb = bytes(64 << 20)
    for _ in range(times):
        bomb = gzip.compress(bomb, 9)
    codings = ", ".join(["gzip"] * times)
    shop.always = Response(bomb, 200 if times == 2 else 404, {"content-encoding": codings})
    async with client_of(shop.url, max_answer_bytes=100_000) as client:
        tracemalloc.start()
        try:
            with pytest.raises(DependencyUnavailable):
                await client.request("POST", "/a", stream=stream)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 << 20


async def test_an_answer_to_head_is_empty_whatever_its_headers_say(shop: Upstream) -> None:
    shop.always = Response(PACKED, headers={"content-encoding": "gzip"})
    async with client_of(shop.url, max_answer_bytes=10) as client:
        response = await client.request("HEAD", "/a")
    assert (response.status_code, response.content) == (200, b"")


async def test_an_error_is_read_whole_even_where_a_stream_was_wanted(shop: Upstream) -> None:
    shop.always = Response(b"x" * 1000, 503)
    async with client_of(shop.url, retry={"attempts": 1}) as client:
        response = await client.exchange("GET", "/a", stream=True)
        assert response.is_closed
        assert len(response.content) == 1000
