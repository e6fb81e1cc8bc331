"""Sources that are looked at: file systems that hang or cheat, and who stops looking."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from steadfast_service.runtime.config.reading import Reading, SourceError
from steadfast_service.runtime.config.sources import polling

from ...support.config_files import LIMIT, watching
from ...support.process import until


class Scripted(polling.Polled):
    """A source whose looks come from `states`; a look hangs while `gate` is closed."""

    def __init__(self, states: Iterator[int]) -> None:
        super().__init__("/etc/orders.yaml", name="file")
        self.states = states
        self.content: bytes | OSError = b"1"
        self.gate = threading.Event()
        self.gate.set()
        self.looks = self.reads = 0

    @property
    def busy(self) -> int:
        return self._threads.busy

    def look(self) -> tuple[object, ...]:
        self.looks += 1
        self.gate.wait(LIMIT)
        return (next(self.states),)

    def read(self) -> Reading:
        self.reads += 1
        if isinstance(self.content, OSError):
            raise self.content
        return Reading({"orders.yaml": self.content}, self.content.decode())


async def test_a_file_system_that_hangs_is_lost_and_takes_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "STALLED", 0.2)
    source = Scripted(itertools.repeat(1))
    source.gate.clear()
    for _ in range(3):
        with pytest.raises(SourceError) as lost:
            await source.load()
        assert str(lost.value) == "/etc/orders.yaml has not answered within 0.2 s"
    assert (source.looks, source.busy) == (1, 1)
    source.gate.set()
    await until(lambda: not source.busy)
    assert (await source.load()).revision == "1"


async def test_what_is_never_the_same_while_it_is_read_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "UNREADABLE", 0.7)
    source = Scripted(itertools.count())
    with pytest.raises(SourceError) as given_up:
        await source.load()
    said = "/etc/orders.yaml: Changes faster than it can be read"
    assert str(given_up.value) == said
    assert source.reads > 1


async def test_a_change_that_no_look_shows_is_found_within_about_a_second() -> None:
    """File systems keep times to the second, or what they knew a moment ago."""
    source = Scripted(itertools.repeat(1))
    async with watching(source) as watch:
        assert await watch.either() is None
        source.content = b"2"
        began = time.monotonic()
        assert (await watch.next()).revision == "2"
        assert time.monotonic() - began < 3


async def test_an_error_while_it_changes_is_none() -> None:
    """Its file was deleted between the look and the read."""
    states = iter([1, 1, 2])
    source = Scripted(itertools.chain(states, itertools.repeat(2)))
    source.content = FileNotFoundError(2, "No such file or directory", "a")

    async def repair() -> None:
        await until(lambda: source.reads == 1)
        source.content = b"2"

    reading, _ = await asyncio.gather(source.load(), repair())
    assert reading.revision == "2"


async def test_an_error_though_nothing_changes_is_one() -> None:
    source = Scripted(itertools.repeat(1))
    source.content = OSError(5, "Input/output error", "a")
    with pytest.raises(SourceError) as refused:
        await source.load()
    assert str(refused.value) == "/etc/orders.yaml/a: Input/output error"


async def test_its_thread_ends_soon_after_a_watch_was_cancelled() -> None:
    source = Scripted(itertools.repeat(1))

    async def follow() -> None:
        async with watching(source) as watch:
            while True:
                await watch.either()

    for _ in range(3):
        task = asyncio.create_task(follow())
        looks = source.looks
        await until(lambda seen=looks: source.looks > seen + 3)  # type: ignore[misc]
        assert source.busy == 1
        task.cancel()
        began = time.monotonic()
        with suppress(asyncio.CancelledError):
            await task
        await until(lambda: not source.busy)
        assert time.monotonic() - began < polling.SIGN_OF_LIFE / 2
    assert (await source.load()).revision == "1"


async def test_cancelled_at_any_moment_it_can_be_watched_again() -> None:
    source = Scripted(itertools.repeat(1))
    for steps in range(12):
        task = asyncio.create_task(source.load())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    await until(lambda: not source.busy)
    assert (await source.load()).revision == "1"


async def test_the_event_loop_is_not_kept_waiting() -> None:
    source = Scripted(itertools.repeat(1))
    source.gate.clear()
    loading = asyncio.create_task(source.load())
    await until(lambda: source.looks == 1)
    began = time.monotonic()
    await asyncio.sleep(0)
    assert time.monotonic() - began < 1
    source.gate.set()
    assert (await loading).revision == "1"


def test_where_it_is_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Scripted(itertools.repeat(1))
    monkeypatch.chdir(tmp_path)
    assert source.where == "/etc/orders.yaml"
