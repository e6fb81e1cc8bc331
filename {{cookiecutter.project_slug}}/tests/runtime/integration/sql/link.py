"""A network between client and server that fails on demand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.engine import URL


class Link:
    """Carries bytes to the server of a URL; `url` is the same over this way.

    Attributes:
        silent: connections are accepted and stay open, and nothing arrives any more.
        lose: the first message with these bytes ends its connection.
        lose_answer: the first answer after these bytes ends its connection instead.
    """

    def __init__(self, to: URL) -> None:
        self._to = (to.host, to.port or 5432)
        self.url = to
        self.silent = False
        self.lose = self.lose_answer = b""
        self._dead: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()

    def silence(self) -> None:
        """What is open now never hears of the other side again; new connections work."""
        self._dead |= self._open

    async def carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """One connection, until one side of it ends."""
        server, requests = await asyncio.open_connection(*self._to)
        self._open.add(answers)
        lost = asyncio.Event()

        async def up() -> None:
            while data := await client.read(65536):
                if self.lose and self.lose in data:
                    self.lose = b""
                    return
                if self.lose_answer and self.lose_answer in data:
                    self.lose_answer = b""
                    lost.set()
                if not self._swallows(answers):
                    requests.write(data)

        async def down() -> None:
            while data := await server.read(65536):
                if lost.is_set():
                    return
                if not self._swallows(answers):
                    answers.write(data)

        ways = [asyncio.create_task(way()) for way in (up, down)]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open.discard(answers)
            for writer in (answers, requests):
                writer.transport.abort()

    def _swallows(self, answers: asyncio.StreamWriter) -> bool:
        return self.silent or answers in self._dead


@asynccontextmanager
async def link(to: URL) -> AsyncIterator[Link]:
    """A link to the server of this URL."""
    it = Link(to)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(it.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    it.url = to.set(host=host, port=port)
    try:
        yield it
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
