"""One log record: what it says, and that nothing a caller passes can break it."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.observability import logs, rendering

from ..support.records import Records, record_logs


class Strange:
    """An object whose description fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no description")


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.datetimes()
    | st.complex_numbers()
    | st.builds(object),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec=None)) | st.integers() | st.binary() | st.none(),
            inner,
            max_size=3,
        )
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=6,
)
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(
    lambda name: name not in {"event", "exc_info", "self", "level", "timestamp", "service"}
)


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


@given(st.dictionaries(names, values, max_size=4), values)
@example({"big": 1 << 65}, None)
@example({"lone": "\ud800"}, "\udfff")
@example({"bytes": b"\xff"}, {1: 2, b"k": "v"})
@example({"strange": object()}, {"a", "b"})
@example({"request_id": 7, "logger": None, "exception": []}, float("nan"))
def test_no_value_breaks_a_record(fields: dict[str, Any], argument: Any) -> None:
    _, records = record_logs()
    structlog.get_logger().info("event %s", repr(argument), **fields)
    [record] = records.all()
    assert record["level"] == "info"
    assert record["event"].startswith("event ")
    assert fields.keys() <= record.keys()


def test_nor_does_an_object_that_cannot_be_described(records: Records) -> None:
    structlog.get_logger().info("event", value=Strange(), order="ord_1")
    [record] = records.all()
    assert record["event"] == "event"
    assert record["order"] == "ord_1"
    assert record["value"] == "<Strange>"


def test_one_odd_value_leaves_the_others_as_they_are(records: Records) -> None:
    structlog.get_logger().info("event", odd=1 << 65, lone="a\ud800b", amount=900)
    [record] = records.all()
    assert datetime.fromisoformat(record["timestamp"])
    assert (record["odd"], record["lone"], record["amount"]) == (str(1 << 65), "a?b", 900)


def test_nor_does_a_message_that_does_not_fit_its_arguments(records: Records) -> None:
    structlog.get_logger().info("100% of %d", "many")
    structlog.get_logger().info("%s", Strange())
    # Past pytest's own handler, which raises.
    [bridge] = [h for h in logging.getLogger().handlers if isinstance(h, logs._Bridge)]
    for message, args in (("%d of %d", (1,)), ("%(n)d left", ({"n": 3},))):
        bridge.handle(logging.LogRecord("library", logging.INFO, "", 0, message, args, None))
    assert records.events() == ["100% of %d ('many',)", "%s <tuple>", "%d of %d (1,)", "3 left"]


@pytest.mark.parametrize("field", sorted(rendering.SECRET_FIELDS - {"set-cookie"}))
def test_secrets_are_masked(records: Records, field: str) -> None:
    structlog.get_logger().info("event", **{field: "hunter2"})
    assert records.all()[0][field] == "***"
    assert b"hunter2" not in records.lines[0]


def test_secrets_are_masked_wherever_they_were_bound(records: Records) -> None:
    state = RequestState(time.monotonic(), "a" * 32, "id")
    state.bind(token="hunter2")
    reset = current.set(state)
    structlog.get_logger().bind(password="hunter2").info("event", **{"set-cookie": "hunter2"})
    current.reset(reset)
    assert b"hunter2" not in records.lines[0]


def test_an_exception_comes_with_its_stack(records: Records) -> None:
    log = structlog.get_logger()
    try:
        raise LookupError("no such order")
    except LookupError as exc:
        log.exception("failed", order="ord_1")
        log.error("failed", exc_info=exc)
        log.error("failed", exc_info=sys.exc_info())
        log.warning("failed", exc_info=True)
        log.warning("failed", exc_info=False)
    *told, untold = records.all()
    for record in told:
        assert "exc_info" not in record
        assert record["exception"].startswith("Traceback (most recent call last)")
        assert record["exception"].endswith("LookupError: no such order")
    assert told[0]["level"] == "error"
    assert "exception" not in untold


@pytest.mark.parametrize("threshold", ["debug", "info", "warning", "error"])
def test_below_the_threshold_nothing_is_written(threshold: str) -> None:
    _, records = record_logs(level=threshold)
    for level in logs.LEVELS:
        getattr(structlog.get_logger(), level)("event")
    levels = list(logs.LEVELS)
    assert [record["level"] for record in records.all()] == levels[levels.index(threshold) :]


def test_written_records_are_counted_by_level() -> None:
    pipeline, _ = record_logs()
    before = dict(pipeline.written)
    log = structlog.get_logger()
    log.debug("below")
    log.info("one")
    log.info("two")
    log.error("three")
    counted = {level: pipeline.written[level] - before[level] for level in logs.LEVELS}
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


def test_for_people_a_record_is_one_readable_line(records: Records) -> None:
    render = rendering.renderer("console", service="tested", colours=False)
    logs.configure(records, render, level="info", story_size=4)
    state = RequestState(time.monotonic(), "a" * 32, "order-7")
    reset = current.set(state)
    structlog.get_logger().info("order placed", amount=900, token="hunter2")
    current.reset(reset)
    line = records.lines[0].decode()
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} \[info +\] order placed", line)
    assert "amount=900" in line
    assert "request_id=order-7" in line
    assert "hunter2" not in line
    assert "\x1b" not in line
    assert line.count("\n") == 1


def test_in_colour_where_it_is_asked_for() -> None:
    render = rendering.renderer("console", service="tested", colours=True)
    assert b"\x1b[" in render({"timestamp": 0.0, "level": "info", "event": "event"})


@given(st.dictionaries(names, values, max_size=4))
@example({"lone": "\ud800"})
def test_no_value_breaks_it_either(fields: dict[str, Any]) -> None:
    record = {"timestamp": time.time(), "level": "info", "event": "event", **fields}
    assert b"event" in rendering.renderer("console", service="tested", colours=False)(record)


def test_whatever_a_line_holds_it_stays_one_line(records: Records) -> None:
    structlog.get_logger().info("two\nlines", forged='\n{"level":"error"}')
    assert len(records.lines[0].splitlines()) == 1
    assert orjson.loads(records.lines[0])["event"] == "two\nlines"
