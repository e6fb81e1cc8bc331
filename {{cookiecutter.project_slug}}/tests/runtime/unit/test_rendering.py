"""A record as it is written: nothing that a caller passes can break it."""

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

from ...support.records import Records, Strange, record_logs

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
    assert datetime.fromisoformat(record["timestamp"]).tzinfo is UTC
    assert (record["odd"], record["lone"], record["amount"]) == (str(1 << 65), "a?b", 900)


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


def test_nor_does_one_that_cannot_be_described() -> None:
    record = {"timestamp": 0.0, "level": "info", "event": "placed", "value": Strange(), "n": 7}
    line = rendering.renderer("console", service="tested", colours=False)(record)
    assert b"placed" in line
    assert b"<Strange>" in line
    assert b"n=7" in line


def test_whatever_a_line_holds_it_stays_one_line(records: Records) -> None:
    structlog.get_logger().info("two\nlines", forged='\n{"level":"error"}')
    assert len(records.lines[0].splitlines()) == 1
    assert orjson.loads(records.lines[0])["event"] == "two\nlines"
