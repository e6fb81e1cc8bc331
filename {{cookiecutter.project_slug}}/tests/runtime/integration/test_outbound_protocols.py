"""Connections of a dependency that are encrypted, or speak HTTP/2."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import (
    DependencyUnavailable,
    StartupError,
)
from steadfast_service.runtime.outbound.client import Client

from ...support.process import until
from ...support.tls import Authority, hypercorn_server
from ...support.upstream_server import PATIENT, Upstream, client_of, upstream

# hypercorn leaves connections to the collector when it ends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def protocol(client: Client, shop: Upstream) -> str:
    """That of the next request, as the server sees it."""
    assert (await client.request("GET", "/a")).text == "fine"
    version: str = shop.requests[-1].scope["http_version"]
    return version


# TLS


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    shop: Upstream, authority: Authority
) -> None:
    async with (
        hypercorn_server(shop, authority.certificate) as url,
        client_of(url) as client,
    ):
        with pytest.raises(DependencyUnavailable, match="certificate"):
            await client.request("POST", "/a")
    assert shop.requests == []


async def test_one_of_a_trusted_authority_is_accepted(
    shop: Upstream, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.trusted(monkeypatch)
    async with (
        hypercorn_server(shop, authority.certificate) as url,
        client_of(url) as client,
    ):
        assert await protocol(client, shop) == "1.1"


async def test_a_handshake_has_a_limit_of_its_own(authority: Authority) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"https://127.0.0.1:{port}"
        async with client_of(url, tls_timeout=0.1) as client:
            with pytest.raises(DependencyUnavailable, match="handshake"):
                await client.request("POST", "/a")


async def test_an_address_that_never_accepts_has_another() -> None:
    # Its backlog is full, so that the next connection is neither accepted nor refused.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(3)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        async with client_of(f"http://127.0.0.1:{port}", connect_timeout=0.1) as client:
            with pytest.raises(DependencyUnavailable):
                await client.request("POST", "/a")
        for one in queued:
            one.close()


# HTTP/2


async def test_http2_where_it_is_asked_for(
    shop: Upstream, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.trusted(monkeypatch)
    async with (
        hypercorn_server(shop, authority.certificate) as url,
        client_of(url, http2=True) as client,
    ):
        assert await protocol(client, shop) == "2"
        await asyncio.gather(*(client.request("POST", "/a", json=1) for _ in range(50)))
    assert len(shop.connections) == 1


async def test_http2_without_tls_starts_at_once(shop: Upstream) -> None:
    async with hypercorn_server(shop) as url, client_of(url, http2=True) as client:
        assert await protocol(client, shop) == "2"


async def test_http2_is_whole_after_a_storm_too(shop: Upstream) -> None:
    async with (
        hypercorn_server(shop) as url,
        client_of(url, http2=True, **PATIENT) as client,
    ):
        for _ in range(5):
            shop.gate.clear()
            before = len(shop.requests)
            calls = [asyncio.create_task(client.request("GET", "/a")) for _ in range(90)]
            await until(lambda: len(shop.requests) >= before + 20)  # noqa: B023
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            shop.gate.set()
        answers = await asyncio.gather(*(client.request("GET", "/a") for _ in range(90)))
        assert [answer.status_code for answer in answers] == [200] * 90


async def test_http2_speaks_of_errors_as_the_other_does(shop: Upstream) -> None:
    shop.gate.clear()
    short: dict[str, Any] = {"attempt_timeout": 0.2, "connect_timeout": 0.2}
    async with hypercorn_server(shop) as url, client_of(url, http2=True, **short) as client:
        with pytest.raises(DeadlineExceeded):
            await client.request("POST", "/a")
    async with client_of("http://127.0.0.1:1", http2=True) as client:
        with pytest.raises(DependencyUnavailable):
            await client.request("POST", "/a")


async def test_http2_that_is_not_installed_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyreqwest.client", None)
    with pytest.raises(StartupError, match=r"APP_DEPENDENCIES__SHOP__HTTP2.*extra http2"):
        async with client_of("http://127.0.0.1:1", http2=True):
            pass
