"""The connections to one dependency, behind httpx's interface.

HTTP/1.1 over aiohttp's pool: httpx's own stops answering after a storm of cancellations
(httpcore issue 830), and deadlines cancel by design. HTTP/2, where the settings ask for it,
over reqwest: httpx's and httpx2's leave the streams of cancelled calls open.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from ..errors import StartupError
from .answer import ACCEPTED
from .connector import Connector
from .options import Dependency


class Translated(httpx.AsyncBaseTransport, ABC):
    """A transport that fails with httpx's errors only; the adapters let others through.

    Args:
        failures: of the library underneath.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, failures: tuple[type[Exception], ...]
    ) -> None:
        self._inner = inner
        self._failures = failures
        self._closed = False

    @abstractmethod
    def update(self, options: Dependency) -> None:
        """Keep connections by these from now on; calls under way end as they began."""

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


def open_transport(dependency: str, options: Dependency) -> Translated:
    """The pool of one dependency, with certificates verified.

    By `SSL_CERT_FILE` or `SSL_CERT_DIR`; else by certifi's authorities, and with HTTP/2 by the
    system's.

    Raises:
        StartupError: HTTP/2 is asked for and not installed.
    """
    return Http2(dependency, options) if options.http2 else Http1(options)


def timeouts(options: Dependency) -> dict[str, Any]:
    """httpx's extension that sets a request's limits; reqwest would add them up."""
    limits = httpx.Timeout(options.attempt_timeout, connect=options.connect_timeout)
    return {} if options.http2 else {"timeout": limits.as_dict()}


class Http1(Translated):
    """aiohttp's pool, whose limits change in place."""

    def __init__(self, options: Dependency) -> None:
        self._options = options
        self._connector: Connector | None = None  # before the first call
        self._trust = httpx.create_ssl_context()  # 20 ms: now, not while the first call waits
        inner = AiohttpTransport(verify=self._trust, client=self._session)
        # The adapter cannot encode a reason phrase that is no text.
        super().__init__(inner, (aiohttp.ClientError, UnicodeEncodeError))

    def update(self, options: Dependency) -> None:
        self._options = options
        if self._connector is not None:
            self._connector.resize(
                limit=options.max_connections,
                limit_per_host=options.max_per_host,
                keepalive_timeout=options.idle_timeout,
            )

    def _session(self) -> aiohttp.ClientSession:
        options = self._options
        self._connector = Connector(
            tls_timeout=options.tls_timeout,
            limit=options.max_connections,
            limit_per_host=options.max_per_host,
            keepalive_timeout=options.idle_timeout,
            ssl=self._trust,
        )
        return aiohttp.ClientSession(
            connector=self._connector, cookie_jar=aiohttp.DummyCookieJar(), headers=ACCEPTED
        )


class Http2(Translated):
    """reqwest's client. It cannot change: another takes its place, in 5 ms, for later calls.

    The one before closes its connections when its last call has ended.
    """

    def __init__(self, dependency: str, options: Dependency) -> None:
        try:
            inner = _reqwest(options)
            from pyreqwest.exceptions import PyreqwestError
        except ImportError as exc:
            raise StartupError(
                f"APP_DEPENDENCIES__{dependency.upper()}__HTTP2: {exc.name} is not installed;"
                " install this service with its extra http2"
            ) from exc
        self._limits = _limits(options)
        super().__init__(inner, (PyreqwestError,))

    def update(self, options: Dependency) -> None:
        if _limits(options) != self._limits:
            self._inner, self._limits = _reqwest(options), _limits(options)


def _limits(options: Dependency) -> tuple[float, ...]:
    """What reqwest's client is built with and could differ from the one before."""
    return (
        options.connect_timeout,
        options.attempt_timeout,
        options.max_connections,
        options.idle_timeout,
    )


def _reqwest(options: Dependency) -> httpx.AsyncBaseTransport:
    """Encrypted connections agree on HTTP/2 by ALPN and may fall back to HTTP/1.1; plain ones
    start with it at once, as between the services of a mesh.
    """
    from pyreqwest.client import ClientBuilder
    from pyreqwest.compatibility.httpx import HttpxTransport

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
    return HttpxTransport(builder.build())


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
