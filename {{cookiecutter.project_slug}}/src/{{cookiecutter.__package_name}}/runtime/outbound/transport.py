"""The connections to one dependency, behind httpx's interface.

HTTP/1.1 over aiohttp's pool: httpx's own stops answering after a storm of cancellations
(httpcore issue 830), and deadlines cancel by design. HTTP/2, where the settings ask for it,
over reqwest: httpx's and httpx2's leave the streams of cancelled calls open.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
from aiohappyeyeballs import start_connection
from httpx_aiohttp import AiohttpTransport

from ..errors import StartupError
from .answer import ACCEPTED
from .options import Dependency


def open_transport(dependency: str, options: Dependency) -> httpx.AsyncBaseTransport:
    """The pool of one dependency, with certificates verified.

    By `SSL_CERT_FILE` or `SSL_CERT_DIR`; else by certifi's authorities, and with HTTP/2 by the
    system's.

    Raises:
        StartupError: HTTP/2 is asked for and not installed.
    """
    if options.http2:
        return _http2(dependency, options)
    return Translated(_http1(options), (aiohttp.ClientError, UnicodeEncodeError))


def timeouts(options: Dependency) -> dict[str, Any]:
    """httpx's extension that sets a request's limits; reqwest would add them up."""
    limits = httpx.Timeout(options.attempt_timeout, connect=options.connect_timeout)
    return {} if options.http2 else {"timeout": limits.as_dict()}


def _http1(options: Dependency) -> httpx.AsyncBaseTransport:
    trust = httpx.create_ssl_context()  # 20 ms: now, not while the first call waits
    return AiohttpTransport(verify=trust, client=lambda: _session(options, trust))


def _http2(dependency: str, options: Dependency) -> httpx.AsyncBaseTransport:
    """Encrypted connections agree on it by ALPN and may fall back to HTTP/1.1; plain ones
    start with it at once, as between the services of a mesh.
    """
    try:
        from pyreqwest.client import ClientBuilder
        from pyreqwest.compatibility.httpx import HttpxTransport
        from pyreqwest.exceptions import PyreqwestError
    except ImportError as exc:
        raise StartupError(
            f"APP_DEPENDENCIES__{dependency.upper()}__HTTP2: {exc.name} is not installed;"
            " install this service with its extra http2"
        ) from exc
    builder = (
        ClientBuilder()
        .http2(True)
        .default_headers(ACCEPTED)
        .no_proxy()
        .follow_redirects(False)
        .connect_timeout(timedelta(seconds=options.connect_timeout))
        .read_timeout(timedelta(seconds=options.attempt_timeout))
        .max_connections(options.max_connections)
        .pool_idle_timeout(timedelta(seconds=options.idle_timeout))
    )
    for unpacked in (builder.gzip, builder.brotli, builder.zstd, builder.deflate):
        unpacked(False)  # httpx does that, within the bound of an answer
    if options.url.startswith("http:"):
        builder.http2_prior_knowledge()
    return Translated(HttpxTransport(builder.build()), (PyreqwestError,))


def _session(options: Dependency, trust: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=Connector(
            tls_timeout=options.tls_timeout,
            limit=options.max_connections,
            limit_per_host=options.max_per_host,
            keepalive_timeout=options.idle_timeout,
            ssl=trust,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=ACCEPTED,
    )


class Translated(httpx.AsyncBaseTransport):
    """A transport that fails with httpx's errors only; the adapters let others through.

    Args:
        failures: of the library underneath. aiohttp's adapter cannot encode a reason phrase
            that is no text, hence its UnicodeEncodeError.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, failures: tuple[type[Exception], ...]
    ) -> None:
        self._inner = inner
        self._failures = failures
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._closed:  # a call that outlives the service
            raise httpx.ConnectError("the client is closed")
        try:
            response = await self._inner.handle_async_request(request)
        except self._failures as exc:
            raise translated(exc) from exc
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = Body(response.stream, self._failures)
        return response

    async def aclose(self) -> None:
        self._closed = True
        await self._inner.aclose()


class Body(httpx.AsyncByteStream):
    """A body that fails in the same way."""

    def __init__(self, inner: httpx.AsyncByteStream, failures: tuple[type[Exception], ...]) -> None:
        self._inner = inner
        self._failures = failures

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                yield part
        except self._failures as exc:
            raise translated(exc) from exc

    async def aclose(self) -> None:
        await self._inner.aclose()


def translated(exc: Exception) -> httpx.TransportError:
    """What the other libraries' error is in httpx."""
    if isinstance(exc, TimeoutError):
        return httpx.ReadTimeout("the answer stopped")
    if isinstance(exc, aiohttp.ClientError | UnicodeEncodeError):
        return httpx.RemoteProtocolError("a malformed answer")
    return httpx.ReadError(str(exc.args[0]))  # reqwest's; the rest of them is internal


class Connector(aiohttp.TCPConnector):
    """aiohttp's pool with a limit of its own for TLS handshakes.

    aiohttp has one for connecting and shaking hands together. A peer that accepts and then
    says nothing is another failure than one that cannot be reached, and is told apart here.

    Args:
        tls_timeout: seconds.
    """

    def __init__(self, *, tls_timeout: float, **options: Any) -> None:
        super().__init__(**options)
        self._tls_timeout = tls_timeout

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[Any],
        req: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = self._tls_timeout
        try:
            async with asyncio.timeout(timeout.sock_connect):
                sock = await start_connection(
                    addr_infos,
                    happy_eyeballs_delay=self._happy_eyeballs_delay,
                    interleave=self._interleave,
                    loop=self._loop,
                )
            return await self._loop.create_connection(*args, **options, sock=sock)
        except ssl.SSLCertVerificationError as exc:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, exc) from exc
        except ssl.SSLError as exc:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, exc) from exc
        except TimeoutError:
            raise
        except OSError as exc:
            # The limit of the handshake says what it is, and has no number.
            known = exc if exc.strerror else OSError(exc.errno or 0, str(exc))
            raise client_error(req.connection_key, known) from exc
