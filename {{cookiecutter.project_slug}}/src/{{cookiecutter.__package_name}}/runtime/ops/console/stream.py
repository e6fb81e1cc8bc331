"""Server-sent events: sections whose HTML has changed, to everybody who watches."""

import asyncio
import contextvars
import time
from contextlib import suppress
from datetime import UTC, datetime

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...http.problems import Problem
from .headers import NOT_KEPT
from .page import Page

TICK = 1.0  # seconds
REST = 0.25  # at least so long between two looks, however long a look takes
MAX_WATCHERS = 100  # each costs a connection and a copy of what has changed
# A browser that has not taken anything for so long counts no more; it may have no power left.
GIVE_UP_AFTER = 30.0
LAST_WORDS = 0.2  # seconds, for the end of a response at shutdown
HEADERS = {**NOT_KEPT, "content-type": "text/event-stream", "x-accel-buffering": "no"}


class Watcher:
    """One browser. What it has not taken yet is kept once per section, the newest."""

    def __init__(self, pending: dict[str, bytes]) -> None:
        self.sending_since = 0.0  # of the monotonic clock; 0: it waits for us
        self.given_up = False
        self._pending = pending
        self._wake = asyncio.Event()

    def tell(self, events: dict[str, bytes]) -> None:
        """Send these, instead of older ones of the same names."""
        self._pending.update(events)
        self._wake.set()

    async def run(self, send: Send) -> None:
        """Send what there is, until it has been given up."""
        await self._send(send, b"retry: 2000\n\n")
        while not self.given_up:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
            events = b"".join(self._pending.values())
            self._pending.clear()
            await self._send(send, events)

    async def _send(self, send: Send, body: bytes) -> None:
        # Returns when the connection takes more: a slow one is written to as fast as it reads.
        self.sending_since = time.monotonic()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self.sending_since = 0.0


class Stream:
    """All watchers, and the one clock that works for them: it stops when nobody watches.

    Everybody gets the same bytes, each section is made once per tick at most.
    """

    def __init__(self, page: Page) -> None:
        self.watchers: set[Watcher] = set()
        self._page = page
        self._ticking: asyncio.Task[None] | None = None
        self._closed: asyncio.Future[None] | None = None
        self._sent: dict[str, tuple[str, bytes]] = {}  # HTML and event of each section
        self._log = structlog.get_logger().bind(logger="console")

    def response(self) -> Response:
        """The stream for one more.

        Raises:
            Problem: 503 when there are too many, or at the end of the process.
        """
        closed = self._closed is not None and self._closed.done()
        if closed or len(self.watchers) >= MAX_WATCHERS:
            raise Problem(
                503,
                "Too many watch already, or this is about to end.",
                headers={"Retry-After": "10"},
            )
        return _Watching(self)

    def close(self) -> None:
        """End all streams."""
        self._future().cancel()
        if self._ticking is not None:
            self._ticking.cancel()

    async def watch(self, receive: Receive, send: Send) -> None:
        """Until the browser goes, we close, or it has been given up."""
        watcher = Watcher({name: event for name, (_, event) in self._sent.items()})
        self.watchers.add(watcher)
        if self._ticking is None:
            self._ticking = asyncio.create_task(
                self._tick_while_watched(), name="console stream", context=contextvars.Context()
            )
        tasks = {
            asyncio.create_task(watcher.run(send), name="console watcher"),
            asyncio.create_task(_gone(receive), name="console watcher leaves"),
        }
        try:
            await asyncio.wait({*tasks, self._future()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watchers.discard(watcher)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _future(self) -> "asyncio.Future[None]":
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        return self._closed

    async def _tick_while_watched(self) -> None:
        try:
            while self.watchers:
                began = time.monotonic()
                try:
                    await self._tick()
                except Exception:  # noqa: BLE001 - the next look may go well
                    self._log.exception("console tick failed")
                await asyncio.sleep(max(TICK - (time.monotonic() - began), REST))
        finally:
            self._sent.clear()  # what was sent long ago is not what the next one needs
            self._ticking = None

    async def _tick(self) -> None:
        self._give_up(time.monotonic() - GIVE_UP_AFTER)
        await self._page.refresh()
        changed = await self._changed()
        now = datetime.now(UTC).strftime("%H:%M:%S UTC")
        # Also when nothing has changed: by this a browser knows that it is still told.
        changed["at"] = _event("at", {"at": now, "page": await self._page.version()})
        for watcher in self.watchers:
            watcher.tell(changed)

    async def _changed(self) -> dict[str, bytes]:
        changed = {}
        for name, section in self._page.sections.items():
            html = await self._page.section(section)
            if name not in self._sent or self._sent[name][0] != html:
                event = _event("section", {"name": name, "html": html})
                self._sent[name] = (html, event)
                changed[name] = event
            await asyncio.sleep(0)  # requests that wait meanwhile go first
        return changed

    def _give_up(self, before: float) -> None:
        for watcher in {one for one in self.watchers if 0 < one.sending_since < before}:
            # It still waits for its connection, at no cost; should that move again, it ends.
            watcher.given_up = True
            self.watchers.discard(watcher)


class _Watching(Response):
    def __init__(self, stream: Stream) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        if scope["method"] != "HEAD":
            await self._stream.watch(receive, send)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(kind: str, data: dict[str, str]) -> bytes:
    # JSON is one line, so that no line break in the HTML can end the event.
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
