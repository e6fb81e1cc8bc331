"""The loggers: what a record carries, and who may write one."""

import logging
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.observability import logs
from steadfast_service.runtime.observability.levels import LEVELS

from ...support.records import Records, Strange, record_logs


def test_a_record_has_what_a_search_needs(records: Records) -> None:
    before = datetime.now(UTC)
    structlog.get_logger().bind(logger="orders").info("order placed", amount=900)
    [record] = records.all()
    at = datetime.fromisoformat(record.pop("timestamp"))
    assert before <= at <= datetime.now(UTC)
    assert record == {
        "level": "info",
        "event": "order placed",
        "logger": "orders",
        "amount": 900,
        "service": "tested",
    }
    assert records.lines[0].endswith(b"\n")
    assert records.lines[0].count(b"\n") == 1


def test_in_a_request_it_also_has_the_request_s_ids(records: Records) -> None:
    state = RequestState(time.monotonic(), "a" * 32, "order-7")
    state.bind(customer="cus_1")
    state.bind(basket=2)
    token = current.set(state)
    structlog.get_logger().info("inside")
    current.reset(token)
    structlog.get_logger().info("outside")
    inside, outside = records.all()
    assert inside["request_id"] == "order-7"
    assert inside["trace_id"] == "a" * 32
    assert inside["span_id"] == state.span_id
    assert re.fullmatch("[0-9a-f]{16}", inside["span_id"])
    assert (inside["customer"], inside["basket"]) == ("cus_1", 2)
    assert not outside.keys() & {"request_id", "trace_id", "span_id", "customer"}


def test_nor_does_a_message_that_does_not_fit_its_arguments(records: Records) -> None:
    structlog.get_logger().info("100% of %d", "many")
    structlog.get_logger().info("%s", Strange())
    # Past pytest's own handler, which raises.
    [bridge] = [h for h in logging.getLogger().handlers if isinstance(h, logs._Bridge)]
    for message, args in (("%d of %d", (1,)), ("%(n)d left", ({"n": 3},))):
        bridge.handle(logging.LogRecord("library", logging.INFO, "", 0, message, args, None))
    assert records.events() == ["100% of %d ('many',)", "%s <tuple>", "%d of %d (1,)", "3 left"]


@pytest.mark.parametrize("threshold", ["debug", "info", "warning", "error"])
def test_below_the_threshold_nothing_is_written(threshold: str) -> None:
    _, records = record_logs(level=threshold)
    for level in LEVELS:
        getattr(structlog.get_logger(), level)("event")
    levels = list(LEVELS)
    assert [record["level"] for record in records.all()] == levels[levels.index(threshold) :]


def test_written_records_are_counted_by_level() -> None:
    pipeline, _ = record_logs()
    before = dict(pipeline.written)
    log = structlog.get_logger()
    log.debug("below")
    log.info("one")
    log.info("two")
    log.error("three")
    counted = {level: pipeline.written[level] - before[level] for level in LEVELS}
    assert counted == {"debug": 0, "info": 2, "warning": 0, "error": 1, "critical": 0}


def test_third_party_records_come_the_same_way(records: Records) -> None:
    theirs = logging.getLogger("some.library")
    theirs.info("connected to %s in %d ms", "db", 7)
    theirs.debug("too quiet")
    try:
        raise OSError("reset")
    except OSError:
        theirs.exception("lost it")
    logging.getLogger("httpx").info("what our own record says already")
    first, second = records.all()
    assert first["event"] == "connected to db in 7 ms"
    assert first["logger"] == "some.library"
    assert second["level"] == "error"
    assert second["exception"].endswith("OSError: reset")


def test_a_processor_may_drop_a_record() -> None:
    def drop(_: Any, __: str, ___: Any) -> Any:
        raise structlog.DropEvent

    pipeline, records = record_logs()
    before = dict(pipeline.written)
    structlog.configure(processors=[drop, pipeline.process])
    structlog.get_logger().info("event")
    assert records.lines == []
    assert pipeline.written == before


def test_numeric_levels_find_their_name() -> None:
    _, records = record_logs(level="debug")
    for number in (5, 10, 25, 30, 45, 60):
        structlog.get_logger().log(number, "event")
    levels = [record["level"] for record in records.all()]
    assert levels == ["debug", "debug", "info", "warning", "error", "critical"]


def test_loggers_made_before_follow_a_new_configuration() -> None:
    _, first = record_logs()
    log = structlog.get_logger().bind(logger="early")
    log.info("one")
    _, second = record_logs()
    log.info("two")
    assert (first.events(), second.events()) == (["one"], ["two"])
