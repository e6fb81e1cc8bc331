"""The configuration centre of a drill: what may be done to it, and a file in its place."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..package import PACKAGE

GARBAGE: Mapping[str, bytes] = {
    "a value that the schema refuses": b"http: {request_timeout: soon}\n",
    "binary": bytes(range(256)),
    "half a document": b"http: {request_ti",
}


class Centre(Protocol):
    """Holds one setting, `APP_HTTP__REQUEST_TIMEOUT`.

    Attributes:
        name: for the scorecard.
        url: for `APP_CONFIG__SOURCE`.
        kinds: of garbage.
    """

    name: str
    url: str
    kinds: Sequence[str]

    async def put(self, value: float) -> None:
        """From now on it is this many seconds, and whatever was fed is gone."""

    async def feed(self, kind: str) -> None:
        """Replace what it holds by garbage of this kind."""

    async def kill(self) -> None:
        """It is gone at once."""

    async def start(self) -> None:
        """Until it is back, with the data that it had."""


@runtime_checkable
class Server(Centre, Protocol):
    """One that is reached through a network and keeps its data itself."""

    def partition(self) -> None:
        """What the service and it send each other is swallowed, and neither is told."""

    def heal(self) -> None:
        """New connections get through; those of before stay silent for ever (half-open)."""

    async def wipe(self) -> None:
        """Kill it and start it empty."""


class FileCentre:
    """A file: that it is gone is as near as it comes to a server that is down.

    Args:
        why: it takes the place of a server.
    """

    kinds: Sequence[str] = tuple(GARBAGE)

    def __init__(self, folder: Path, why: str) -> None:
        self.name = f"a file: {why}"
        self._path = folder / "centre.yaml"
        self.url = self._path.as_uri()
        self._content = b""

    async def put(self, value: float) -> None:
        self._content = f"http:\n  request_timeout: {value}\n".encode()
        await self.start()

    async def feed(self, kind: str) -> None:
        await asyncio.to_thread(self._path.write_bytes, GARBAGE[kind])

    async def kill(self) -> None:
        await asyncio.to_thread(self._path.unlink)

    async def start(self) -> None:
        await asyncio.to_thread(self._replace)

    def _replace(self) -> None:
        """At no moment is there half of it."""
        written = self._path.with_suffix(".new")
        written.write_bytes(self._content)
        written.replace(self._path)


@asynccontextmanager
async def open_centre(folder: Path) -> AsyncIterator[Centre]:
    """The real one where a drill can run it; else a file, and `name` says why."""
    centres = importlib.import_module(f"{PACKAGE}.runtime.config.centres").CENTRES
    if "etcd" not in centres:
        servers = centres.keys() - {"file"}
        reason = f"no drill runs {min(servers)}" if servers else "this service has no other"
        yield FileCentre(folder, reason)
        return
    etcd = importlib.import_module(f"{__package__}.etcd")
    if not etcd.installed():
        yield FileCentre(folder, "no etcd is installed here")
        return
    async with etcd.etcd_centre(folder) as centre:
        yield centre
