"""OpenFeature's client over the settings in force."""

import queue
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason
from openfeature.provider import ProviderStatus

from steadfast_service.runtime.flags.flag import Flag
from steadfast_service.runtime.flags.provider import SettingsProvider

from ...support.flags import flag, opened, request

names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
some_text = st.text("abc1 \ud800\xff", max_size=3)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | some_text,
    lambda inner: st.lists(inner) | st.dictionaries(some_text, inner),
    max_leaves=5,
)
values = st.lists(st.sampled_from(["a", "1", "true", "a b"]), max_size=2).map(tuple)
any_flag = st.builds(
    Flag,
    enabled=st.booleans(),
    percentage=st.floats(0, 100),
    headers=st.dictionaries(st.sampled_from(["a", "A", "b"]), values),
    claims=st.dictionaries(some_text, values),
)


@pytest.mark.parametrize("default", [False, True])
async def test_a_flag_that_is_missing_is_the_default_of_the_code(default: bool) -> None:
    async with opened() as it:
        details = it.ask(default=default)
        later = await it.client.get_boolean_details_async("new", default)
    assert (details.value, details.reason) == (later.value, later.reason)
    assert (details.value, details.reason) == (default, Reason.ERROR)
    assert details.error_code is later.error_code is ErrorCode.FLAG_NOT_FOUND


async def test_a_flag_is_a_boolean_and_nothing_else() -> None:
    async with opened(new=flag()) as it:
        ask = it.client
        asked: list[tuple[FlagEvaluationDetails[Any], Any]] = [
            (ask.get_string_details("new", "a"), "a"),
            (ask.get_integer_details("new", 3), 3),
            (ask.get_float_details("new", 0.5), 0.5),
            (ask.get_object_details("new", {"a": 1}), {"a": 1}),
            (await ask.get_string_details_async("new", "a"), "a"),
            (await ask.get_integer_details_async("new", 3), 3),
            (await ask.get_float_details_async("new", 0.5), 0.5),
            (await ask.get_object_details_async("new", ["a"]), ["a"]),
        ]
        unknown = ask.get_string_details("other", "a")
    assert [details.value for details, _ in asked] == [default for _, default in asked]
    assert {details.error_code for details, _ in asked} == {ErrorCode.TYPE_MISMATCH}
    assert unknown.error_code is ErrorCode.FLAG_NOT_FOUND


@given(
    flags=st.dictionaries(names, any_flag, max_size=2),
    name=names | some_text,
    headers=st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=2))),
    principal=st.none() | st.dictionaries(some_text | st.just("sub"), json),
    key=some_text | json,
    attributes=st.dictionaries(some_text, json),
    default=st.booleans(),
)
async def test_whatever_comes_in_there_is_an_answer(
    flags: dict[str, Flag],
    name: str,
    headers: list[tuple[bytes, bytes]],
    principal: dict[str, Any] | None,
    key: Any,
    attributes: Any,
    default: bool,
) -> None:
    provider = SettingsProvider()
    provider.update(**flags)
    for asked in (name, *flags):
        for context in (None, EvaluationContext(key, attributes)):
            with request(*headers, principal=principal):
                details = provider.resolve_boolean_details(asked, default, context)
                again = await provider.resolve_boolean_details_async(asked, default, context)
            assert details == again
            missing = details.error_code is ErrorCode.FLAG_NOT_FOUND
            assert missing is (asked not in flags)
            if details.error_code is None:
                assert details.variant == ("on" if details.value else "off")
            else:
                assert (details.value, details.variant) == (default, None)


async def test_a_change_is_in_force_at_once_and_told_to_subscribers() -> None:
    told: queue.Queue[EventDetails] = queue.Queue()
    before = {"kept": flag(), "new": flag(percentage=0), "gone": flag()}
    async with opened(**before) as it:
        event = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
        it.client.add_handler(event, told.put)
        assert not it.ask().value
        it.change(kept=flag(), new=flag(), added=flag())
        assert it.ask().value
        assert it.ask("gone").error_code is ErrorCode.FLAG_NOT_FOUND
        first = told.get(timeout=30)
        it.change(**it.live.now)  # nothing changed: nobody is told
        it.change()
        second = told.get(timeout=30)
        it.client.remove_handler(event, told.put)
    assert first.flags_changed == ["added", "gone", "new"]
    assert second.flags_changed == ["added", "kept", "new"]
    assert first.provider_name == "settings"


async def test_two_services_in_one_process_do_not_meet() -> None:
    default = api.get_client().provider
    async with opened(new=flag()) as one, opened(new=flag(percentage=0)) as other:
        assert (one.ask().value, other.ask().value) == (True, False)
        assert api.get_client().provider is default
        assert not api.get_client().get_boolean_value("new", False)
        assert not api.get_hooks()
        assert one.counted(flag="new", variant="on", reason="static") == 1
        assert one.counted(flag="new", variant="off", reason="static") is None


async def test_it_is_ready_at_once_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("starts a thread"))
    async with opened(new=flag()) as it:
        monkeypatch.undo()
        assert it.client.get_provider_status() is ProviderStatus.READY
        assert it.ask().value


async def test_once_closed_it_answers_the_defaults_of_the_code() -> None:
    threads = set(threading.enumerate())
    async with opened(new=flag()) as it:
        provider = it.client.provider
        assert it.ask().value
    assert not it.ask().value
    assert it.ask(default=True).value
    assert it.client.provider is not provider
    for thread in set(threading.enumerate()) - threads:
        thread.join(30)
    assert set(threading.enumerate()) <= threads
