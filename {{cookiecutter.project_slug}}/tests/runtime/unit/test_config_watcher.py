"""A source is followed through every outage, politely."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from steadfast_service.runtime.config.configuration import Configuration
from steadfast_service.runtime.config.reading import SourceError
from steadfast_service.runtime.config.watcher import Pauses, follow
from steadfast_service.settings import Settings

from ...support.process import until
from ...support.records import record_logs
from ...support.sources import Scripted, reading, state


@asynccontextmanager
async def following() -> AsyncIterator[tuple[Configuration[Settings], Scripted]]:
    one = state("centre", reading("1", log__level="warning"))
    config = Configuration(Settings, [one])
    source = one.source
    assert isinstance(source, Scripted)
    task = asyncio.create_task(follow(source, one.reading, config, Pauses(0.001, 0.002)))
    try:
        yield config, source
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        assert task.done()


def level(config: Configuration[Settings], wanted: str) -> bool:
    return config.settings.log.level == wanted


async def test_changes_arrive_and_signs_of_life_count() -> None:
    async with following() as (config, source):
        before = config.states["centre"].heard
        source.say(None)
        await until(lambda: config.states["centre"].heard > before)
        source.say(reading("2", log__level="debug"))
        await until(lambda: level(config, "debug"))
        assert source.loads == 0  # what is known need not be read again


async def test_what_changes_between_the_first_read_and_the_watch_is_not_lost() -> None:
    one = state("centre", reading("1", log__level="warning"))
    config = Configuration(Settings, [one])
    assert isinstance(one.source, Scripted)
    one.source.now = reading("2", log__level="error")
    task = asyncio.create_task(follow(one.source, one.reading, config, Pauses(0.001, 0.002)))
    await until(lambda: level(config, "error"))
    task.cancel()


async def test_an_outage_is_told_and_what_changed_meanwhile_arrives() -> None:
    async with following() as (config, source):
        source.down = "connection refused"
        source.say(SourceError("connection reset"))
        await until(lambda: bool(config.states["centre"].error))
        await until(lambda: source.loads > 5)
        assert config.settings.log.level == "warning"
        assert config.journal.counts["lost"] == 1  # once for the outage
        source.now, source.down = reading("9", log__level="error"), ""
        await until(lambda: level(config, "error"))
        assert (config.status, config.journal.counts["back"]) == ("ok", 1)


async def test_a_defect_of_a_source_is_an_outage_of_it() -> None:
    _, records = record_logs()
    async with following() as (config, source):
        source.say(ZeroDivisionError("oh"))
        await until(lambda: config.journal.counts["back"] == 1)
        assert config.journal.refusals[0].reasons == ("ZeroDivisionError: oh",)
        assert records.of("a source of settings failed")[0]["source"] == "centre"
        source.say(reading("2", log__level="debug"))
        await until(lambda: level(config, "debug"))


def test_pauses_double_with_full_jitter_up_to_a_limit() -> None:
    asked: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    pauses = Pauses(0.2, 1.0, draw)
    assert list(itertools.islice(pauses, 5)) == [0.2, 0.4, 0.8, 1.0, 1.0]
    pauses.reset()
    assert next(pauses) == 0.2
    assert {low for low, _ in asked} == {0}
    assert next(Pauses(0.2, 1.0, lambda *_: 0.0)) > 0  # no busy loop
