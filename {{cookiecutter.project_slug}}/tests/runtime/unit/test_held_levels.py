"""Levels that an operator holds for a while, whatever the settings say."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
import uvloop

from steadfast_service.runtime.observability.logs import Pipeline

from ...support.process import until
from ...support.records import Records, ours, record_logs

Log = tuple[Pipeline, Records]
SHORT, LONG = 0.05, 3600.0


@pytest.fixture
def log() -> Iterator[Log]:
    yield record_logs()
    record_logs()  # takes back what was set of the process's loggers


async def test_an_operator_outranks_the_settings_until_the_time_is_over(log: Log) -> None:
    pipeline, records = log
    pipeline.levels.hold("orders", "debug", SHORT)
    ours("orders").debug("held")
    # A reload meanwhile does not undo it.
    pipeline.update(level="info", story_size=64, levels={"orders": "error"})
    ours("orders").debug("held")
    report = pipeline.levels.report("orders")
    assert (report["level"], report["settings"]) == ("debug", "error")
    assert 0 <= report["held"]["seconds_left"] <= SHORT
    await until(lambda: pipeline.levels.report("orders")["held"] is None)
    ours("orders").warning("too quiet")  # what the settings say by now
    ours("orders").error("over")
    assert records.events() == ["held", "held", "over"]


async def test_it_ends_without_anything_being_logged(log: Log) -> None:
    pipeline, _ = log
    theirs = logging.getLogger("lab.silent")
    pipeline.levels.hold("lab", "debug", SHORT)
    assert theirs.isEnabledFor(logging.DEBUG)
    await until(lambda: not theirs.isEnabledFor(logging.DEBUG))
    assert logging.getLogger("lab").level == logging.NOTSET


async def test_another_one_takes_its_place_and_its_end(log: Log) -> None:
    pipeline, _ = log
    levels = pipeline.levels
    levels.hold("again", "debug", SHORT)
    levels.release("again")
    levels.hold("again", "debug", LONG)
    levels.hold("longer", "debug", SHORT)
    levels.hold("longer", "error", LONG)
    levels.hold("shorter", "debug", LONG)
    levels.hold("shorter", "error", 2 * SHORT)  # ends after the first of the others would have
    assert levels.report("shorter")["level"] == "error"
    await until(lambda: levels.report("shorter")["held"] is None)
    assert levels.report("shorter")["level"] == "info"
    longer = levels.report("longer")
    assert longer["level"] == "error"
    assert levels.report("again")["level"] == "debug"
    assert LONG - 60 < longer["held"]["seconds_left"] <= LONG


async def test_it_can_be_ended_at_any_time(log: Log) -> None:
    pipeline, _ = log
    levels = pipeline.levels
    assert not levels.release("orders")
    for name in ("orders", "stock"):
        levels.hold(name, "debug", LONG)
    assert levels.release("orders")
    assert not levels.release("orders")
    assert levels.report("orders")["level"] == "info"
    assert levels.report("stock")["level"] == "debug"
    levels.hold("orders", "debug", LONG)
    assert sorted(levels.release_all()) == ["orders", "stock"]
    assert levels.report("stock")["level"] == "info"
    assert levels.release_all() == []


@pytest.mark.parametrize("name", ["", "root"])
async def test_the_root_has_two_names(log: Log, name: str) -> None:
    pipeline, records = log
    pipeline.levels.hold(name, "debug", LONG)
    ours("orders").debug("one")
    structlog.get_logger().debug("two")
    logging.getLogger("lab").debug("three")
    logging.getLogger().debug("four")
    assert records.events() == ["one", "two", "three", "four"]
    assert pipeline.levels.report("")["name"] == "root"
    assert pipeline.levels.release("root" if not name else "")
    pipeline.update(level="info", levels={name: "error"}, story_size=64)
    assert not logging.getLogger().isEnabledFor(logging.WARNING)


async def test_an_unknown_level_holds_nothing(log: Log) -> None:
    pipeline, _ = log
    with pytest.raises(ValueError, match="no such level"):
        pipeline.levels.hold("orders", "loud", LONG)
    assert pipeline.levels.report("orders")["held"] is None


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_service_that_is_gone_holds_nothing(log: Log, loop: Any) -> None:
    pipeline, _ = log

    async def hold() -> None:
        pipeline.levels.hold("lab", "debug", LONG)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(hold())
    assert record_logs()[0] is pipeline
    assert pipeline.levels.report("lab")["held"] is None
    assert logging.getLogger("lab").level == logging.NOTSET
