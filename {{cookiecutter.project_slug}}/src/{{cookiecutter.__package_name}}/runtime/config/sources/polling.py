"""What sources on disk share: they are looked at every 50 ms.

That works everywhere: on network and overlay file systems, through the symlinks that Kubernetes
swaps, and where the 128 inotify instances that a user of a node has are taken. Measured on two
shared cores: a file or a mounted volume costs 0.3 to 0.7 % of a core, nearly all of it waking up,
and 20 files in a plain folder 1 %. The event loop wakes up once a second.
"""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from pathlib import Path

from ...threads import Threads
from ..reading import Reading, SourceError

# Between two looks. A file that is written in place is taken for whole once two looks in a row
# agree: editors and `cp` pause for far less, and a change still is in force within 0.2 s.
INTERVAL = 0.05
WRITTEN_FOR = 0.5  # seconds that one under way is waited for; a file written for ever is read too
UNREADABLE = 5.0  # seconds, after which one that changes during each attempt to read it is given up
# Seconds after which it is read though it looks the same: some file systems keep times to the
# second, network ones their answers for a while. Also how often it is said that nothing is new.
SIGN_OF_LIFE = 1.0
STALLED = 10.0  # seconds until a file system that does not answer counts as lost

State = tuple[object, ...] | str  # what tells it from every other one; or why it cannot be seen


class Polled(ABC):
    """A source on disk.

    Args:
        path: its file or folder.
        name: of the layer.
    """

    remote = False

    def __init__(self, path: str | Path, *, name: str) -> None:
        self.name = name
        self.path = Path(path).absolute()
        self.where = str(self.path)
        self._threads = Threads(1)

    @abstractmethod
    def look(self) -> tuple[object, ...]:
        """What differs after each change; cheap.

        Raises:
            OSError: there is nothing that could be read.
        """

    @abstractmethod
    def read(self) -> Reading:
        """Read it, once.

        Raises:
            OSError: it cannot be read.
        """

    async def load(self) -> Reading:
        """Read it as soon as nobody writes it.

        Raises:
            SourceError: it is missing, too large, may not be read or is something else.
        """
        reading = await self._next(None)
        assert reading is not None  # every one has another revision than None
        return reading

    async def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        """Yield it after each change of its content, and None about each second without one.

        Raises:
            SourceError: as `load`, if two looks in a row find it so: editors that replace a file
                delete the old one a moment before.
        """
        known = since.revision
        while True:
            reading = await self._next(known)
            if reading is not None:
                known = reading.revision
            yield reading

    async def close(self) -> None:  # noqa: B027 - of every source, and of these there is nothing
        """It holds nothing between two looks."""

    async def _next(self, known: str | None) -> Reading | None:
        stop = threading.Event()
        try:
            async with asyncio.timeout(STALLED):
                return await self._threads.run(self._wait, known, stop)
        except TimeoutError as exc:
            raise SourceError(f"{self.where} has not answered within {STALLED:g} s") from exc
        finally:
            stop.set()

    def _wait(self, known: str | None, stop: threading.Event) -> Reading | None:
        """The next reading of another revision than `known`; None after a while without one."""
        began = changed = time.monotonic()
        last = unchanged = None
        while True:
            state, now = self._state(), time.monotonic()
            if state == unchanged:
                changed = now
                if now - began >= SIGN_OF_LIFE:
                    return None
            elif state == last or now - changed >= WRITTEN_FOR:
                reading = self._read_in(state)
                if reading is not None and reading.revision != known:
                    return reading
                if reading is not None and state != last:
                    return None  # touched again and again, the same each time
                if reading is not None:
                    unchanged = state
                elif now - changed >= UNREADABLE:
                    raise SourceError(f"{self.where}: Changes faster than it can be read")
            last = state
            if stop.wait(INTERVAL):
                return None

    def _state(self) -> State:
        try:
            return self.look()
        except OSError as exc:
            return self._reason(exc)

    def _read_in(self, state: State) -> Reading | None:
        """What it holds in this state; None if it is no longer in it."""
        if isinstance(state, str):
            raise SourceError(state)
        try:
            reading = self.read()
        except OSError as exc:
            if self._state() != state:
                return None
            raise SourceError(self._reason(exc)) from exc
        return reading if self._state() == state else None

    def _reason(self, exc: OSError) -> str:
        inner = exc.filename if isinstance(exc.filename, str) else ""
        return f"{self.path / inner}: {exc.strerror}"
