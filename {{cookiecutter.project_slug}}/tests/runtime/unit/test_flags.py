"""Who has a feature, and why."""

from collections.abc import Mapping
from typing import Any

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from pydantic import TypeAdapter, ValidationError

from steadfast_service.runtime.flags.bucketing import within
from steadfast_service.runtime.flags.flag import FlagName

from ...support.flags import flag, opened, request

BETA = {"headers": {"X-Beta": ("1", "yes")}, "claims": {"plan": ("pro",)}}


@pytest.mark.parametrize(
    ("fields", "on", "reason"),
    [
        ({}, True, Reason.STATIC),
        ({"percentage": 100}, True, Reason.STATIC),
        ({"percentage": 0}, False, Reason.STATIC),
        ({"enabled": False}, False, Reason.DISABLED),
        ({"enabled": False, "percentage": 100, **BETA}, False, Reason.DISABLED),
        ({"percentage": 0, **BETA}, False, Reason.DEFAULT),
        ({"percentage": 100, **BETA}, True, Reason.DEFAULT),
        ({"percentage": 50}, within(50, "new", "cus_1"), Reason.SPLIT),
        ({"percentage": 50, **BETA}, within(50, "new", "cus_1"), Reason.SPLIT),
    ],
)
async def test_a_flag_is_decided_with_its_reason(
    fields: dict[str, Any], on: bool, reason: Reason
) -> None:
    async with opened(new=flag(**fields)) as it:
        details = it.ask(default=not on)
    assert (details.value, details.reason, details.error_code) == (on, reason, None)
    assert details.variant == ("on" if on else "off")


async def test_a_flag_that_is_disabled_is_off_for_those_who_are_named() -> None:
    async with opened(new=flag(enabled=False, percentage=0, **BETA)) as it:
        with request((b"x-beta", b"1"), principal={"plan": "pro"}):
            assert it.ask().reason == Reason.DISABLED


@pytest.mark.parametrize(
    ("headers", "on"),
    [
        ([(b"x-beta", b"1")], True),
        ([(b"x-beta", b"0"), (b"host", b"1"), (b"x-beta", b"yes")], True),
        ([(b"x-beta", b"YES")], False),
        ([(b"x-beta", b"1, yes")], False),
        ([(b"x-beta", b"")], False),
        ([(b"x-beta", b"\xff")], False),
        ([(b"x-beta-2", b"1")], False),
        ([], False),
    ],
)
async def test_a_header_switches_it_on(headers: list[tuple[bytes, bytes]], on: bool) -> None:
    async with opened(new=flag(percentage=0, **BETA)) as it:
        with request(*headers):
            details = it.ask()
    assert details.value is on
    assert details.reason == (Reason.TARGETING_MATCH if on else Reason.DEFAULT)


async def test_one_header_in_two_spellings_has_the_values_of_both() -> None:
    wanted = {"X-Beta": ("1",), "x-beta": ("2",)}
    async with opened(new=flag(percentage=0, headers=wanted)) as it:
        for value in (b"1", b"2"):
            with request((b"x-beta", value)):
                assert it.ask().value


@pytest.mark.parametrize(
    ("claim", "wanted", "on"),
    [
        ("pro", "pro", True),
        ("Pro", "pro", False),
        (["free", "pro"], "pro", True),
        ([], "pro", False),
        ("free pro", "pro", False),
        (7, "7", True),
        (0.5, "0.5", True),
        ([7, 8], "8", True),
        (True, "true", True),
        (True, "True", False),
        (True, "1", False),
        (False, "false", True),
        (None, "None", False),
        ({"pro": True}, "pro", False),
        ([["pro"]], "pro", False),
    ],
)
async def test_a_claim_switches_it_on(claim: object, wanted: str, on: bool) -> None:
    async with opened(new=flag(percentage=0, claims={"plan": (wanted,)})) as it:
        with request(principal={"plan": claim}):
            assert it.ask().value is on
        for principal in ({"other": claim}, {}, None):
            with request(principal=principal):
                assert not it.ask().value


async def test_the_caller_is_the_key_where_none_is_given() -> None:
    async with opened(new=flag(percentage=50)) as it:
        for number in range(50):
            with request(principal={"sub": f"sub_{number}"}):
                of_caller = it.client.get_boolean_value("new", False)
                of_customer = it.ask().value
            assert of_caller is within(50, "new", f"sub_{number}")
            assert of_customer is within(50, "new", "cus_1")


@pytest.mark.parametrize("principal", [None, {}, {"sub": ""}, {"sub": 7}, {"sub": ["a"]}])
@pytest.mark.parametrize("default", [False, True])
async def test_without_a_key_a_share_cannot_be_decided(
    principal: Mapping[str, Any] | None, default: bool
) -> None:
    flags = {"new": flag(percentage=50), "every": flag(), "none": flag(percentage=0)}
    async with opened(**flags) as it:
        with request(principal=principal):
            details = it.client.get_boolean_details("new", default, EvaluationContext(""))
            assert it.client.get_boolean_value("every", False)
            assert not it.client.get_boolean_value("none", True)
    assert (details.value, details.reason) == (default, Reason.ERROR)
    assert details.error_code is ErrorCode.TARGETING_KEY_MISSING


async def test_who_is_named_needs_no_key() -> None:
    async with opened(new=flag(percentage=50, **BETA)) as it:
        with request((b"x-beta", b"1")):
            assert it.client.get_boolean_value("new", False)


async def test_a_flag_may_be_called_as_it_likes() -> None:
    for name in ("self", "flags", "class", "a" * 64, "a1_2b"):
        async with opened(**{TypeAdapter(FlagName).validate_python(name): flag()}) as it:
            assert it.ask(name).value


@pytest.mark.parametrize(
    "name", ["", "A", "new-checkout", "a__b", "a_", "_a", "1a", "a.b", "a\n", "a" * 65]
)
def test_a_name_that_a_variable_cannot_spell_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(FlagName).validate_python(name)


@pytest.mark.parametrize(
    "fields",
    [
        {"percentage": -0.1},
        {"percentage": 100.1},
        {"percentage": float("nan")},
        {"share": 5},
        {"headers": {"X Beta": ["1"]}, "percentage": 0},
        {"headers": {"X-Beta": ["\u00e9"]}, "percentage": 0},
        {"headers": {"X-Beta": "1"}, "percentage": 0},
        {"claims": {"plan": [7]}, "percentage": 0},
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        flag(**fields)


@pytest.mark.parametrize("rule", ["headers", "claims"])
def test_what_the_others_get_has_to_be_said(rule: str) -> None:
    with pytest.raises(ValidationError, match="percentage is needed beside"):
        flag(**{rule: {"a": ["1"]}})
    assert flag(**{rule: {"a": ["1"]}, "percentage": 0}).percentage == 0
