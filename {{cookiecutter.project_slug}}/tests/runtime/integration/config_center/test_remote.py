"""What sources that speak HTTP share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.sources.remote import (
    Remote,
    TimedOut,
    parse_address,
)

from ....support.process import free_port
from ....support.upstream_server import Upstream, upstream

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]))


@asynccontextmanager
async def remote(hosts: str, **options: Any) -> AsyncIterator[Remote]:
    it = Remote(parse_address(f"etcd://{hosts}", port=1), ConfigOptions(**options))
    try:
        yield it
    finally:
        await it.close()


def host(server: Upstream) -> str:
    return server.url.removeprefix("http://")


def test_an_address_names_all_servers() -> None:
    address = parse_address("consuls://a,b.c:80,[::1]:81,[fe80::1]/x?dc=y", port=8500)
    assert address.bases == (
        "https://a:8500",
        "https://b.c:80",
        "https://[::1]:81",
        "https://[fe80::1]:8500",
    )
    assert (address.path, address.query) == ("x", {"dc": "y"})


def test_the_scheme_says_whether_it_is_tls() -> None:
    for scheme in ("etcd", "consul", "nacos"):
        assert parse_address(f"{scheme}://a", port=1).bases == ("http://a:1",)
        assert parse_address(f"{scheme}s://a", port=1).bases == ("https://a:1",)


@given(TEXT, TEXT, TEXT)
def test_credentials_and_path_may_have_any_character(user: str, password: str, path: str) -> None:
    quoted = f"{quote(user, safe='')}:{quote(password, safe='')}@host/{quote(path)}"
    address = parse_address(f"etcd://{quoted}", port=1)
    assert (address.user, address.password) == (user, password)
    assert address.path == path.rstrip("/")
    secret = parse_address(f"etcd://u:=={quote(password, safe='')}==@host/p", port=1)
    assert f"=={password}==" not in repr(secret) + secret.where


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    for url in (text, f"etcd://{text}", f"etcd://host{text}"):
        with suppress(ValueError):
            assert parse_address(url, port=1).where.isprintable()


async def test_what_waits_for_a_change_is_bounded_by_its_own_time() -> None:
    async with upstream() as server, remote(host(server), request_timeout=0.05) as it:
        server.gate.clear()
        waiting = asyncio.ensure_future(it.request("GET", "/", seconds=5))
        with pytest.raises(TimedOut):
            await it.request("GET", "/")
        server.gate.set()
        assert (await waiting).text == "fine"


async def test_servers_take_turns_when_one_fails() -> None:
    async with upstream() as one, upstream() as two:
        one.always, two.always = PlainTextResponse("one"), PlainTextResponse("two")
        hosts = f"127.0.0.1:{free_port()},{host(one)},{host(two)}"
        async with remote(hosts, request_timeout=0.3) as it:
            for _ in range(2):  # it stays with the one that answers
                assert (await it.request("GET", "/")).text == "one"
            one.gate.clear()
            with pytest.raises(TimedOut):
                await it.request("GET", "/")
            assert (await it.request("GET", "/")).text == "two"


async def test_too_large_an_answer_is_not_held() -> None:
    async with upstream() as server, remote(host(server)) as it:
        server.always = Response(bytes(2_100_000))
        with pytest.raises(SourceError, match="more than 2 MiB"):
            await it.request("GET", "/")


async def test_nothing_is_unpacked() -> None:
    async with upstream() as server, remote(host(server)) as it:
        server.always = Response(b"packed", headers={"Content-Encoding": "gzip"})
        assert (await it.request("GET", "/")).content == b"packed"
        assert server.requests[0].headers["Accept-Encoding"] == "identity"


async def drip() -> AsyncGenerator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.02)


async def test_the_next_server_is_asked_after_one_that_drips() -> None:
    async with upstream() as one, upstream() as two:
        one.always, two.always = StreamingResponse(drip()), PlainTextResponse("two")
        async with remote(f"{host(one)},{host(two)}", request_timeout=0.3) as it:
            with pytest.raises(TimedOut):
                await it.request("GET", "/")
            assert (await it.request("GET", "/")).text == "two"


async def test_many_cancelled_requests_do_no_harm() -> None:
    async with upstream() as server, remote(host(server), request_timeout=5) as it:
        server.gate.clear()
        for _ in range(5):
            storm = [asyncio.ensure_future(it.request("GET", "/")) for _ in range(100)]
            await asyncio.sleep(0.05)
            for one in storm:
                one.cancel()
            await asyncio.wait(storm)
        server.gate.set()
        assert (await it.request("GET", "/")).text == "fine"


async def test_what_waits_ends_when_it_is_closed() -> None:
    async with upstream() as server, remote(host(server)) as it:
        server.gate.clear()
        waiting = asyncio.ensure_future(it.request("GET", "/", seconds=60))
        while not server.requests:
            await asyncio.sleep(0)
        await it.close()
        with pytest.raises(SourceError):
            await waiting
        with pytest.raises(SourceError, match="closed"):
            await it.request("GET", "/")
