"""What sources that speak HTTP share: requests to one of several servers, that always end."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from ..options import ConfigOptions
from ..reading import MAX_BYTES, SourceError
from .address import Address, parse_address
from .certificates import Certificates

__all__ = ["Address", "Remote", "TimedOut", "parse_address"]

# Base64 and the JSON around it make more of the same entries.
MAX_ANSWER = 2 * MAX_BYTES

# The adapter to aiohttp lets some of its errors through, and one for a reason phrase in Latin-1.
_FAILURES = (httpx.HTTPError, aiohttp.ClientError, UnicodeEncodeError)


class TimedOut(SourceError):
    """What was asked for has not come in time; there may just be no change to tell of."""


class Remote:
    """The servers of one centre: the next one is asked when one cannot be reached.

    Raises:
        ValueError: a file of certificates cannot be used.
    """

    def __init__(self, address: Address, options: ConfigOptions) -> None:
        self.address = address
        self._options = options
        self._base = address.bases[0]
        self._limits: set[asyncio.Timeout] = set()  # of what waits now
        self._certificates = Certificates(options, used=address.bases[0].startswith("https"))
        trust = self._certificates.trust
        self._client = httpx.AsyncClient(
            # aiohttp's pool, as httpx's own does not survive that its requests are cancelled.
            transport=AiohttpTransport(
                verify=trust,
                client=lambda: aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)),
            ),
            # Each server gets its share of the time to accept; the rest is bounded as a whole.
            timeout=httpx.Timeout(None, connect=options.request_timeout / len(address.bases)),
            headers={"Accept-Encoding": "identity"},  # what is small cannot unpack to gigabytes
            trust_env=False,
        )

    async def request(
        self, method: str, path: str, *, seconds: float | None = None, **options: Any
    ) -> httpx.Response:
        """One request with its whole answer; whatever status it has is the caller's business.

        Args:
            seconds: for the whole of it; `request_timeout` unless it waits for a change.
            options: httpx's.

        Raises:
            TimedOut: it has not come in time.
            SourceError: no server gave a whole answer, of at most 2 MiB.
        """
        limit = self._options.request_timeout if seconds is None else seconds
        async with self._answer(method, path, limit, limit, options) as response:
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER:
                    raise SourceError(f"{response.url.host} answers with more than 2 MiB")
        return httpx.Response(
            response.status_code,
            headers={k: v for k, v in response.headers.items() if k != "content-encoding"},
            content=bytes(body),
        )

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, seconds: float, **options: Any
    ) -> AsyncGenerator[httpx.Response]:
        """One request whose answer comes bit by bit: read it by `aiter_raw`.

        Args:
            seconds: for the whole of it; its head has to come within `request_timeout`.
            options: httpx's.

        Raises:
            TimedOut: its time is over.
            SourceError: no server answered, or the answer broke.
        """
        limit = self._options.request_timeout
        async with self._answer(method, path, limit, seconds, options) as response:
            yield response

    async def close(self) -> None:
        """Close the connections, and end what waits for them."""
        for limit in self._limits:
            limit.reschedule(0)
        await self._client.aclose()

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, head: float, whole: float, options: Mapping[str, Any]
    ) -> AsyncGenerator[httpx.Response]:
        now = asyncio.get_running_loop().time()
        base, response = await self._head(method, path, now + min(head, whole), options)
        response.stream = _Bounded(response, lambda: self._until(now + whole, base))
        try:
            yield response
        except TimedOut:
            if whole <= head:  # a stream that goes on after it may just have had nothing to say
                self._leave(base)
            raise
        except _FAILURES as exc:
            self._leave(base)
            raise SourceError(f"{base}: {_reason(exc)}") from exc
        finally:
            await response.aclose()

    async def _head(
        self, method: str, path: str, end: float, options: Mapping[str, Any]
    ) -> tuple[str, httpx.Response]:
        for left in reversed(range(len(self.address.bases))):
            if self._client.is_closed:
                break
            base = self._base
            request = self._client.build_request(method, base + path, **options)
            try:
                async with self._until(end, base):
                    return base, await self._client.send(request, stream=True)
            except TimedOut:
                self._leave(base)
                raise
            except _FAILURES as exc:
                self._leave(base)
                self._certificates.renew()
                if not left:
                    raise SourceError(f"{base}: {_reason(exc)}") from exc
        raise SourceError("the source is closed")

    def _leave(self, base: str) -> None:
        """Ask the next server from now on, if another request has not already come to that."""
        if base == self._base:
            bases = self.address.bases
            self._base = bases[(bases.index(base) + 1) % len(bases)]

    @asynccontextmanager
    async def _until(self, end: float, base: str) -> AsyncGenerator[None]:
        limit = asyncio.timeout_at(end)
        self._limits.add(limit)
        try:
            async with limit:
                yield
        except TimeoutError as exc:
            raise TimedOut(f"{base} has not answered in time") from exc
        finally:
            self._limits.discard(limit)


class _Bounded(httpx.AsyncByteStream):
    """A body with an end in time.

    Each read is bounded for itself: one limit around them would also run while the reader is
    busy with what it has got, and interrupt that.
    """

    def __init__(
        self, response: httpx.Response, limit: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._inner = response.stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = aiter(self._inner)
        while True:
            async with self._limit():
                part = await anext(parts, None)
            if part is None:
                return
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _reason(exc: Exception) -> str:
    """What happened, without the addresses and objects that aiohttp adds to it."""
    while isinstance(exc.__cause__, Exception):
        exc = exc.__cause__
    inner = getattr(exc, "os_error", exc)
    if isinstance(inner, ConnectionError) and inner.errno:
        return os.strerror(inner.errno)
    return (str(inner) or type(inner).__name__).splitlines()[0][:200]
