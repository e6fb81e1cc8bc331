"""A TCP proxy between the service and what it depends on: the network that breaks."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from .processes import HOST

# Linger for zero seconds: closing is then a reset, as of a host that has gone.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Passes bytes on to a port of this machine, until it is told otherwise.

    `delay` is what each piece of data waits, in seconds and each way; `silent` swallows them:
    connections are accepted and nothing ever comes back.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        self.silent = False
        self.accepted = 0
        self.ends: set[End] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Accept connections, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Front(self), HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Close the listener and reset what is connected: new connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection; new ones are accepted."""
        for end in list(self.ends):
            end.reset()

    def heal(self) -> None:
        """Pass everything on again; connections that were swallowed are reset."""
        self.delay = 0.0
        if self.silent:
            self.silent = False
            self.cut()


class End(asyncio.Protocol):
    """One side of a proxied connection."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._earliest = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.proxy.ends.add(self)
        for data in self._early:
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.proxy.silent or self.other is None:
            return
        loop = asyncio.get_running_loop()
        # Never before what came earlier: the delay may have changed meanwhile.
        self._earliest = max(self._earliest, loop.time() + self.proxy.delay)
        if self._earliest > loop.time():
            loop.call_at(self._earliest, self.other.write, data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Send it, once this side is connected."""
        if self.transport is None:
            self._early.append(data)
        elif not self.transport.is_closing():
            self.transport.write(data)

    def reset(self) -> None:
        """Drop the connection without a farewell."""
        if self.transport is not None:
            sock: socket.socket = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.proxy.ends.discard(self)
        if self.other is not None and self.other.transport is not None and not self.proxy.silent:
            self.other.transport.close()


class Front(End):
    """The caller's side; it brings the other one about."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.proxy.accepted += 1
        self.other = End(self.proxy)
        self.other.other = self
        self._task = asyncio.create_task(self._connect(self.other))

    async def _connect(self, back: End) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: back, HOST, self.proxy.target)
        except OSError:
            self.reset()


@asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy to this port, on a free one."""
    between = Proxy(target)
    await between.listen()
    try:
        yield between
    finally:
        between.refuse()
