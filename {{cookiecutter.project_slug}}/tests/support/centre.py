"""What the stand-ins for configuration centres share: they count, they wait, they misbehave."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.reading import Reading
from steadfast_service.runtime.http.server import loopback

from .process import LIMIT, free_port

PAGE = HTMLResponse("<html><h1>Welcome</h1></html>")
LOST_PAGE = HTMLResponse("<html><h1>Not found</h1></html>", 404)
BAD_GATEWAY = HTMLResponse("<html><h1>Bad gateway</h1></html>", 502)


class Centre:
    """An HTTP server with a memory; a subclass says what it answers.

    Attributes:
        requests: what it was asked.
        instead: answers in place of its own, each given once.
        always: an answer in place of every one of its own.
        waiting: requests that it holds now.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[Request] = []
        self.instead: list[ASGIApp] = []
        self.always: ASGIApp | None = None
        self.waiting = 0
        self._changed = asyncio.Event()
        self._over = asyncio.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer, always on the same port; at the end what it holds is cut off, as by a crash."""
        self._over.clear()
        async with loopback(self, self.port):
            yield
            self._over.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request)
        with suppress(ClientDisconnect):
            await (await self._choose(request))(scope, receive, send)

    async def _choose(self, request: Request) -> ASGIApp:
        if self.instead:
            return self.instead.pop(0)
        try:
            return self.always or await self.answer(request)
        except ConnectionAbortedError:
            return cut_off

    async def answer(self, request: Request) -> Response:
        """What the real one would say."""
        raise NotImplementedError

    def changed(self) -> None:
        """Wake up who waits."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def hold(self, request: Request) -> None:
        """Wait for the next change, and no longer than the caller does.

        Raises:
            ClientDisconnect: the caller has gone.
            ConnectionAbortedError: the server has.
        """
        self.waiting += 1
        coroutines = (self._changed.wait(), self._over.wait(), request.receive())
        ends = [asyncio.ensure_future(one) for one in coroutines]
        try:
            await asyncio.wait(ends, return_when="FIRST_COMPLETED")
        finally:
            self.waiting -= 1
            for one in ends:
                one.cancel()
        if self._over.is_set():
            raise ConnectionAbortedError
        if ends[2].done():
            raise ClientDisconnect


async def cut_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin an answer and end the connection in the middle of it."""
    headers = [(b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"[{", "more_body": True})


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept the request and never answer, like a host that is gone behind a firewall."""
    await receive()


class Drip:
    """A good status, then a byte now and then for ever."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = [(k.encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self._headers}
        await send(start)
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.wait({gone}, timeout=0.02)


def impatient(**changes: Any) -> ConfigOptions:
    """Options of a source that gives up soon."""
    return ConfigOptions(**{"request_timeout": 1, "watch_timeout": 2, **changes})


async def following(
    readings: AsyncGenerator[Reading | None],
) -> Reading:
    """The next change."""
    async with asyncio.timeout(LIMIT):
        while (reading := await anext(readings)) is None:
            pass
    return reading


async def sign(readings: AsyncGenerator[Reading | None]) -> Reading | None:
    """The next sign of life, whatever it says."""
    async with asyncio.timeout(LIMIT):
        return await anext(readings)
