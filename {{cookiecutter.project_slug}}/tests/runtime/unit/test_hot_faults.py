"""The settings' faults and the operators': a change replaces the settings' own, and no other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.active_faults import (
    MAX_ACTIVE,
    ActiveFaults,
    RefusedFault,
)
from steadfast_service.runtime.faults import Fault
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.settings import Faults

from ...support.changing import Changing
from ...support.clock import Clock

SLOW, DOWN, TEAPOT = Fault(delay=1), Fault(abort_status=503), Fault(abort_status=418)


class Bench:
    """Active faults that follow settings."""

    def __init__(self, *rules: Fault) -> None:
        self.clock = Clock()
        self.faults = ActiveFaults(("payments",), Metrics(), clock=self.clock, draw=lambda: 0.0)
        self.settings = Changing(Faults(rules=rules))
        self.faults.open(self.settings, lambda: ("GET /a",))

    def change(self, *rules: Fault) -> None:
        self.settings.change(rules=rules)

    def on(self) -> list[Fault]:
        return [one.fault for one in self.faults.all()]

    def reports(self) -> list[dict[str, Any]]:
        return [self.faults.report(one) for one in self.faults.all()]

    def hit(self) -> Fault | None:
        return self.faults.for_request("GET", "/a")


@pytest.mark.usefixtures("records")
def test_a_change_replaces_the_settings_own_and_no_other() -> None:
    bench = Bench(SLOW)
    bench.faults.add(TEAPOT)
    bench.change(DOWN)
    assert bench.on() == [DOWN, TEAPOT]
    assert [one["source"] for one in bench.reports()] == ["settings", "operator"]
    assert bench.hit() == DOWN
    bench.change()
    assert bench.hit() == TEAPOT
    assert len(bench.faults.requests) == 1


@pytest.mark.usefixtures("records")
def test_what_is_unchanged_goes_on_with_its_time_and_its_count() -> None:
    bench = Bench(SLOW)
    bench.hit()
    bench.clock.advance(100)
    bench.change(DOWN, SLOW)
    down, slow = bench.reports()
    assert (slow["id"], slow["seconds_left"], slow["struck"]) == ("1", 500, 1)
    assert (down["fault"]["abort_status"], down["seconds_left"]) == (503, 600)
    assert bench.hit() == DOWN  # the first of the list


def test_what_is_over_stays_over_until_its_rule_changes() -> None:
    bench = Bench(SLOW, DOWN)
    bench.faults.remove("2")
    bench.clock.advance(600)
    bench.change(SLOW, DOWN, TEAPOT)
    assert bench.on() == [TEAPOT]
    bench.change()
    bench.change(SLOW)
    assert bench.on() == [SLOW]


def test_an_equal_fault_of_an_operator_is_another() -> None:
    bench = Bench(SLOW)
    bench.faults.add(SLOW)
    bench.change()
    assert [one["source"] for one in bench.reports()] == ["operator"]


def test_the_same_rule_twice_is_two_faults() -> None:
    bench = Bench(SLOW, SLOW)
    assert bench.on() == [SLOW, SLOW]
    bench.change(SLOW)
    assert [one["id"] for one in bench.reports()] == ["1"]


def test_a_rule_about_nothing_of_ours_is_left_out_said_once_and_keeps_no_other_from_ending() -> (
    None
):
    bench = Bench(SLOW)
    typo = Fault(route="GET /b", delay=1)
    with pytest.raises(RefusedFault, match="APP_FAULTS__RULES__1__ROUTE: no such route"):
        bench.change(DOWN, typo, Fault(dependency="mail", fail=True), TEAPOT)
    assert bench.on() == [DOWN, TEAPOT]
    bench.change(typo, TEAPOT)
    assert bench.on() == [TEAPOT]


def test_nor_do_too_many() -> None:
    rules = [Fault(delay=1 + n) for n in range(MAX_ACTIVE)]
    bench = Bench(*rules)
    with pytest.raises(RefusedFault, match="APP_FAULTS__RULES__0: 50 faults are on"):
        bench.change(DOWN, *rules)
    assert bench.on() == rules
    bench.change(TEAPOT, *rules[1:])
    assert bench.on() == [TEAPOT, *rules[1:]]


faults = st.sampled_from([SLOW, DOWN, TEAPOT, Fault(dependency="payments", fail=True)])


@given(st.lists(st.tuples(st.lists(faults, max_size=5), faults | st.none()), max_size=10))
def test_after_any_changes_the_settings_rules_are_on_in_their_order(
    steps: list[tuple[list[Fault], Fault | None]],
) -> None:
    bench, added = Bench(), list[Fault]()
    for rules, operators in steps:
        if operators is not None:
            bench.faults.add(operators)
            added.append(operators)
        bench.change(*rules)
        assert bench.on() == [*rules, *added]
        ids = [one.id for one in bench.faults.all()]
        assert len(set(ids)) == len(ids)
