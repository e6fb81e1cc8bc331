"""Layers of a chain that are slow in one place each, and two applications inside them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SLOW = 0.01  # seconds; a busy machine takes some of them away from any layer


def spin() -> None:
    end = time.perf_counter() + SLOW
    while time.perf_counter() < end:
        pass


class Plain:
    """Does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Passing(Plain):
    """Is no coroutine function."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:  # type: ignore[override]
        return self.app(scope, receive, send)


class SlowBefore(Plain):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        spin()
        await self.app(scope, receive, send)


class SlowAfter(Plain):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            spin()


class SlowSending(Plain):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def slowly(message: Message) -> None:
            spin()
            await send(message)

        await self.app(scope, receive, slowly)


class SlowReceiving(Plain):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def slowly() -> Message:
            message = await receive()
            spin()
            return message

        await self.app(scope, slowly, send)


class Slotted:
    """Has no dictionary, and so no room for one in a class that takes its place."""

    __slots__ = ("app",)

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends from a task of its own while another one listens for a disconnect."""

    async def parts() -> Any:
        for _ in range(3):
            yield b"part"
            await asyncio.sleep(0)

    await StreamingResponse(parts())(scope, receive, send)


def chain(app: ASGIApp, *kinds: Callable[[ASGIApp], Any]) -> ASGIApp:
    for kind in reversed(kinds):
        app = kind(app)
    return app


async def call(app: ASGIApp, path: str = "/") -> list[Message]:
    """What it sends; after its request the caller stays, and says nothing more."""
    sent: list[Message] = []
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "path": path, "method": "GET"}
    await app(scope, receive, send)
    return sent
