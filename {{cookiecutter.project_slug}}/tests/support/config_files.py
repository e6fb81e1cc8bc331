"""Settings on disk as operators, editors and Kubernetes change them, and a watch to see it."""

import asyncio
import itertools
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from steadfast_service.runtime.config.reading import Reading, Source

LIMIT = 10.0  # seconds; far above what a loaded machine needs


class Volume:
    """A mounted ConfigMap: the kubelet writes a new folder and swaps the symlink `..data`."""

    def __init__(self, mount: Path, entries: Mapping[str, bytes]) -> None:
        self.mount = mount
        self._numbers = itertools.count()
        mount.mkdir()
        self.swap(entries)

    def swap(self, entries: Mapping[str, bytes]) -> None:
        """Replace all of it, as `pkg/volume/util/atomic_writer.go` does, in its order."""
        data, temporary = self.mount / "..data", self.mount / "..data_tmp"
        old = data.resolve() if data.is_symlink() else None
        folder = self.mount / f"..2026_11_24_12_00_00.{next(self._numbers)}"
        folder.mkdir()
        for name, value in entries.items():
            (folder / name).write_bytes(value)
        temporary.symlink_to(folder.name)
        temporary.rename(data)
        for name in entries:
            if not (self.mount / name).is_symlink():
                (self.mount / name).symlink_to(f"..data/{name}")
        for link in self.mount.iterdir():
            if not link.name.startswith("..") and link.name not in entries:
                link.unlink()
        if old is not None:
            shutil.rmtree(old)


class Watch:
    """The readings of a source, as they come."""

    def __init__(self, readings: AsyncGenerator[Reading | None]) -> None:
        self._readings = readings

    async def either(self) -> Reading | None:
        """The next one, or the next sign of life."""
        async with asyncio.timeout(LIMIT):
            return await anext(self._readings)

    async def next(self) -> Reading:
        """The next one with something in it."""
        async with asyncio.timeout(LIMIT):
            while (reading := await anext(self._readings)) is None:
                pass
        return reading

    async def until(self, entries: Mapping[str, bytes]) -> list[Reading]:
        """All of them until one holds this; fails when none comes."""
        seen = [await self.next()]
        while seen[-1].entries != entries:
            seen.append(await self.next())
        return seen


@asynccontextmanager
async def watching(source: Source, since: Reading | None = None) -> AsyncIterator[Watch]:
    """Watch from a reading on, or from what it holds now."""
    readings = source.watch(since or await source.load())
    try:
        yield Watch(readings)
    finally:
        await readings.aclose()


@asynccontextmanager
async def repeating(step: Callable[[int], None], pause: float) -> AsyncIterator[None]:
    """Call `step` with 0, 1, 2 and so on in a thread of its own, `pause` seconds apart."""
    stop = threading.Event()

    def run() -> None:
        for number in itertools.count():
            step(number)
            if stop.wait(pause):
                return

    running = asyncio.create_task(asyncio.to_thread(run))
    try:
        yield
    finally:
        stop.set()
        await running
