"""What a fault may be."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from steadfast_service.runtime.config.problems import InvalidSettings
from steadfast_service.runtime.faults import Fault
from steadfast_service.settings import open_settings


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({}, "a fault needs one of"),
        ({"route": "GET /api/orders", "percentage": 5}, "a fault needs one of"),
        ({"dependency": "payments"}, "a fault needs one of"),
        ({"dependency": "payments", "fail": True, "route": "GET /x"}, "delay and fail only"),
        ({"dependency": "payments", "abort_status": 503}, "delay and fail only"),
        ({"dependency": "payments", "body_delay": 1}, "delay and fail only"),
        ({"fail": True}, "fail needs the dependency"),
        ({"abort_status": 200}, "an error status"),
        ({"abort_status": 399}, "an error status"),
        ({"abort_status": 600}, "an error status"),
        ({"abort_status": -1}, "an error status"),
        ({"abort_status": 503, "percentage": 0}, "greater than 0"),
        ({"abort_status": 503, "percentage": 100.1}, "less than or equal to 100"),
        ({"abort_status": 503, "percentage": float("nan")}, "finite number"),
        ({"abort_status": 503, "expires_in": 0}, "greater than 0"),
        ({"abort_status": 503, "expires_in": 3601}, "less than or equal to 3600"),
        ({"abort_status": 503, "expires_in": float("inf")}, "finite number"),
        ({"delay": float("nan")}, "finite number"),
        ({"delay": -1}, "greater than or equal to 0"),
        ({"delay": 1, "route": "/api/orders"}, "should match pattern"),
        ({"delay": 1, "route": "GET /a b"}, "should match pattern"),
        ({"delay": 1, "route": "GET /a\n"}, "should match pattern"),
        ({"delay": 1, "latency": 1}, "not permitted"),
    ],
)
def test_what_is_no_fault_is_refused(fault: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Fault(**fault)
    [error] = refusal.value.errors()
    assert reason in error["msg"]


def test_a_bad_rule_is_one_line_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = '[{"abort_status": 503}, {"abort_status": 600}, {}]'
    monkeypatch.setenv("APP_FAULTS__RULES", rules)
    with pytest.raises(InvalidSettings) as refusal:
        asyncio.run(open_settings())
    first, second = refusal.value.problems
    assert first.startswith("APP_FAULTS__RULES__1__ABORT_STATUS: an error status")
    assert second.startswith("APP_FAULTS__RULES__2: a fault needs one of")


SECONDS = st.floats(0, 3600).filter(lambda value: value == 0 or value > 1e-9)


@given(
    delay=SECONDS,
    body_delay=SECONDS,
    abort_status=st.just(0) | st.integers(400, 599),
    percentage=st.floats(0, 100, exclude_min=True),
)
def test_a_mark_is_one_word_of_a_header(**fault: Any) -> None:
    if not (fault["delay"] or fault["body_delay"] or fault["abort_status"]):
        with pytest.raises(ValidationError):
            Fault(**fault)
        return
    mark = Fault(**fault).mark
    assert mark.isascii()
    assert mark.isprintable()
    assert not set(mark) & set(" ,")
    assert Fault(**fault) == Fault.model_validate_json(Fault(**fault).model_dump_json())
