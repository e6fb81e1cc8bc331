"""What etcd 3.6 answers, and what is no answer of etcd's at all."""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.etcd import Etcd
from steadfast_service.runtime.config.sources.etcd_api import Range, _lines

from .conftest import Opens, following, sign
from .gateway import Gateway, drip, failure, hang

PASSWORD = "a password"
HEADER = {"cluster_id": "7", "revision": "9"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    server = Gateway()
    async with server.serving():
        yield server


@pytest.fixture
def source(gateway: Gateway, opened: Opens) -> Etcd:
    return opened(f"etcd://app:a%20password@{gateway.host}/orders", request_timeout=0.5)


async def refusal(source: Etcd) -> str:
    """Why it cannot be read, in one line without a secret."""
    with pytest.raises(SourceError) as caught:
        await source.load()
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 300
    assert PASSWORD not in said
    return said


async def test_it_is_read_and_watched(gateway: Gateway, source: Etcd) -> None:
    gateway.put("orders/a", "1")
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        gateway.put("orders/a", "2")
        assert (await following(readings)).entries == {"a": b"2"}


async def test_its_refusals_are_understood(gateway: Gateway, source: Etcd) -> None:
    gateway.password = PASSWORD
    await source.load()
    gateway.token = "second"
    await source.load()
    assert gateway.requests[-1].headers["Authorization"] == "second"
    gateway.token, gateway.password = "third", "another password"
    assert "invalid user ID or password" in await refusal(source)
    gateway.instead = [failure(7, "permission denied")]
    assert "permission denied" in await refusal(source)
    gateway.instead = [failure(14, "no leader")]
    assert "no leader" in await refusal(source)
    gateway.instead = [failure(16, "invalid auth token")]  # and then there are no users any more
    gateway.password = ""
    await source.load()


async def test_what_is_compacted_speaks_against_nothing(gateway: Gateway, source: Etcd) -> None:
    gateway.put("orders/a", "1")
    await source.load()
    gateway.put("orders/a", "2")
    gateway.compacted = gateway.revision
    assert (await source.load()).continuous


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"error": {"code": 14, "message": "etcdserver: no leader"}}, "no leader"),
        ({"error": {"grpc_code": 14, "http_code": 503, "message": "is closing"}}, "is closing"),
        ({"result": {"header": HEADER, "canceled": True, "cancel_reason": "why"}}, "why"),
        (
            {"result": {"header": HEADER, "canceled": True, "compact_revision": "8"}},
            "compacted at 8",
        ),
        ({"result": {"header": {"cluster_id": "7"}, "created": True}}, "lost its revision"),
        ({"result": 1}, "not etcd's"),
        (None, "ended the watch"),
    ],
)
async def test_a_watch_says_why_it_ends(
    gateway: Gateway, source: Etcd, message: dict[str, Any] | None, reason: str
) -> None:
    since = await source.load()
    line = b"" if message is None else json.dumps(message).encode() + b"\n"
    async with aclosing(source.watch(since)) as readings:
        assert await sign(readings) is None
        gateway.instead = [Response(line, media_type="application/json")]
        with pytest.raises(SourceError, match=reason):
            await sign(readings)


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<html><h1>Welcome</h1></html>"),
        HTMLResponse("<html><h1>Bad gateway</h1></html>", 502),
        Response(b""),
        Response(b"\x00\xff"),
        Response(b'{"header": {"cluster_id": "7"', media_type="application/json"),
        PlainTextResponse("no\x07 way\nat all", 400),
        PlainTextResponse(f"you said {PASSWORD}" + "." * 10_000, 400),
        JSONResponse([]),
        JSONResponse({"kvs": []}),
        JSONResponse({"header": HEADER, "kvs": [{"key": "b3JkZXJzL2E=", "value": "%"}]}),
        JSONResponse({"header": HEADER, "kvs": [{"key": None}]}),
        JSONResponse({"code": 3, "message": f"what is\n{PASSWORD}"}, 400),
        JSONResponse({"code": "x" * 10_000}, 400),
        Response(b"." * 3_000_000),
        Response(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
        Response(status_code=307, headers={"Location": "http://127.0.0.1:1/"}),
        Response(b"{}", headers={"Content-Type": "x" * 5_000}),
        drip,
        hang,
    ],
)
async def test_what_is_not_etcd_is_refused_in_one_line(
    gateway: Gateway, source: Etcd, answer: Any
) -> None:
    gateway.always = answer
    start = time.monotonic()
    await refusal(source)
    assert time.monotonic() - start < 5  # a request may take 0.5 s


@pytest.mark.parametrize("token", ["a\r\nX-Injected: 1", "a b", "caf\u00e9", ""])
async def test_a_token_that_is_no_header_is_refused(
    gateway: Gateway, source: Etcd, token: str
) -> None:
    gateway.password, gateway.token = PASSWORD, token
    assert "not etcd's" in await refusal(source)


async def test_a_watch_that_never_begins_is_given_up(gateway: Gateway, opened: Opens) -> None:
    source = opened(f"etcd://{gateway.host}/orders", request_timeout=0.2, watch_timeout=300)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        gateway.instead = [hang]
        with pytest.raises(SourceError, match="has not answered"):
            await sign(readings)


async def test_a_message_without_an_end_is_given_up(gateway: Gateway, source: Etcd) -> None:
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        gateway.instead = [Response(b"." * 3_000_000)]
        with pytest.raises(SourceError, match="more than 2 MiB"):
            await sign(readings)


async def test_a_dripping_watch_is_renewed(gateway: Gateway, opened: Opens) -> None:
    source = opened(f"etcd://{gateway.host}/orders", watch_timeout=0.2)
    async with aclosing(source.watch(await source.load())) as readings:
        assert await sign(readings) is None
        gateway.instead = [drip]
        gateway.put("orders/a", "1")
        assert (await following(readings)).entries == {"a": b"1"}


@given(st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"x", b"\n")), max_size=20))
def test_lines_do_not_depend_on_how_they_are_cut(parts: list[bytes]) -> None:
    async def cut() -> AsyncGenerator[bytes]:
        for part in parts:
            yield part

    async def read() -> list[bytes]:
        lines = []
        with suppress(SourceError):
            async for line in _lines(httpx.Response(200, content=cut())):
                lines.append(line)  # noqa: PERF401 - it ends by raising
        return lines

    *lines, rest = b"".join(parts).split(b"\n")
    assert asyncio.run(read()) == ([*lines, rest] if rest else lines)


@given(st.dictionaries(st.binary(), st.binary()))
def test_any_bytes_are_read(entries: dict[bytes, bytes]) -> None:
    kvs = [
        {"key": base64.b64encode(key).decode(), "value": base64.b64encode(value).decode()}
        for key, value in entries.items()
    ]
    answer = Range.model_validate_json(json.dumps({"header": HEADER, "kvs": kvs}))
    assert {entry.key: entry.value for entry in answer.kvs} == entries
