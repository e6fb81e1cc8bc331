"""Bounds on what uvicorn waits for without one: a request's head, and a body nobody reads.

A client that opens connections and never finishes a head (slowloris) would keep each of
them for ever, and one whose head never ends would grow the process: uvicorn's timeouts
begin after the first answer, and its parser has no limit.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Seconds from the connection or the head's first byte on: many round trips of a bad mobile
# network, and too short to hold thousands of connections with a few bytes a second.
HEAD_TIMEOUT = 10.0
MAX_HEAD_BYTES = 65_536  # above what common load balancers let through


class SlowClients(HttpToolsProtocol):
    """uvicorn's protocol, with those bounds. A request in one piece costs no timer."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
            self._wait()
        elif self.cycle.response_complete and self.cycle.more_body:
            self._wait()  # it has its answer, and still sends the body
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head and self._head_bytes:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            head = b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(b"HTTP/1.1 " + status + head)
            self.transport.close()
