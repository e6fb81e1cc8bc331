"""Sampling of log records: silent requests, and the stories of those that went wrong."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.observability.logs import Pipeline

from ...support.records import Records, record_logs


@pytest.fixture
def story() -> tuple[Pipeline, Records]:
    return record_logs(story_size=4)


@pytest.fixture
def silent() -> Iterator[RequestState]:
    """A request that the sampling decision has left out."""
    state = RequestState(time.monotonic(), "a" * 32, "order-7")
    state.sampled = False
    token = current.set(state)
    yield state
    current.reset(token)


def test_a_silent_request_writes_nothing_and_is_counted(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    pipeline, records = story
    before = dict(pipeline.sampled)
    log = structlog.get_logger()
    log.info("one")
    log.warning("two")
    log.info("three")
    pipeline.forget(silent)
    pipeline.forget(silent)  # nothing is left to count
    assert records.lines == []
    assert pipeline.sampled["info"] - before["info"] == 2
    assert pipeline.sampled["warning"] - before["warning"] == 1


def test_a_story_is_told_in_order_with_its_own_times(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    pipeline, records = story
    log = structlog.get_logger().bind(logger="orders")
    times = []
    for n in range(3):
        before = datetime.now(UTC)
        log.info("step %d", n, n=n)
        times.append((before, datetime.now(UTC)))
    time.sleep(0.002)  # told later than any of them
    pipeline.tell(silent)
    log.info("after")
    assert records.events() == ["step 0", "step 1", "step 2", "after"]
    for record, (earliest, latest) in zip(records.all(), times, strict=False):
        at = datetime.fromisoformat(record["timestamp"])
        # A float of seconds keeps microseconds to within one.
        assert earliest.timestamp() - 2e-6 <= at.timestamp() <= latest.timestamp() + 2e-6
        assert (record["logger"], record["request_id"]) == ("orders", "order-7")
    assert not silent.held


def test_an_error_writes_at_once_and_brings_what_came_before(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    _, records = story
    log = structlog.get_logger()
    log.info("before")
    assert records.lines == []
    log.error("failed")
    assert records.events() == ["before", "failed"]
    log.info("after")
    assert records.events() == ["before", "failed", "after"]


def test_a_story_is_bounded_and_its_end_is_what_is_kept(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    pipeline, records = story
    for n in range(100):
        structlog.get_logger().info(f"step {n}")
    pipeline.tell(silent)
    assert records.events() == ["step 96", "step 97", "step 98", "step 99"]


def test_fields_bound_later_are_on_the_whole_story(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    pipeline, records = story
    structlog.get_logger().info("before")
    silent.bind(order_id="ord_1")
    pipeline.tell(silent)
    assert records.all()[0]["order_id"] == "ord_1"


def test_below_the_threshold_nothing_is_held(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    structlog.get_logger().debug("too quiet")
    assert silent.held is None


def test_outside_of_a_request_every_record_is_written(story: tuple[Pipeline, Records]) -> None:
    _, records = story
    structlog.get_logger().info("start")
    assert records.events() == ["start"]


def test_a_sampled_request_writes_as_it_goes(
    story: tuple[Pipeline, Records], silent: RequestState
) -> None:
    _, records = story
    silent.sampled = True
    structlog.get_logger().info("now")
    assert records.events() == ["now"]
