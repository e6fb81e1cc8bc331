"""The breaker against a list of all calls, from which everything is worked out anew."""

from dataclasses import dataclass
from math import floor
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from steadfast_service.runtime.outbound.breaker import Call, State
from steadfast_service.runtime.outbound.window import Counts

from ...support.breakers import (
    OPTIONS,
    TRIAL_TIMEOUT,
    breaker_on,
    breaker_options,
    refusal,
    status,
)
from ...support.clock import Clock

CLOSED, OPEN, HALF_OPEN = State.CLOSED, State.OPEN, State.HALF_OPEN
# Thresholds that change while it runs; the window's own changes are in test_window.py.
CHANGES = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([0.25, 0.5, 1.0]),
        "min_calls": st.integers(min_value=1, max_value=4),
        "open_for": st.sampled_from([1.0, 3.0, 8.0]),
        "trials": st.integers(min_value=1, max_value=3),
    }
)
Told = tuple[str, State, State]


@dataclass
class Made:
    """A call that went through."""

    call: Call
    begun: float
    generation: int
    outcome: str = ""


class Model:
    """The rules as they are said, without any shortcut."""

    def __init__(self, clock: Clock, options: dict[str, Any]) -> None:
        self.clock = clock
        self.options = options
        self.calls: list[Made] = []
        self.run: list[str] = []  # outcomes since the state changed or the window was empty
        self.state, self.since, self.generation = CLOSED, clock(), 0
        self.forced_until: float | None = None
        self.refused = 0
        self.told: list[Told] = []

    def move(self, state: State, at: float, forced_until: float | None = None) -> None:
        self.told.append(("payments", self.state, state))
        self.state, self.since, self.forced_until = state, at, forced_until
        self.generation += 1
        self.run = []

    def counted(self) -> list[Made]:
        return [made for made in self.calls if self.counts_now(made)]

    def counts_now(self, made: Made) -> bool:
        width = self.options["window"] / self.options["buckets"]
        leaves = floor(made.begun / width) * width + self.options["window"]
        return made.generation == self.generation and (
            self.state != CLOSED or self.clock() < leaves
        )

    def under_way(self) -> list[Made]:
        return [made for made in self.counted() if not made.outcome]

    def number(self, outcome: str) -> int:
        return sum(made.outcome == outcome for made in self.counted())

    def ends(self) -> tuple[float, State] | None:
        """When this state is over by itself, and what comes then."""
        if self.forced_until is not None:
            return self.forced_until, (HALF_OPEN if self.state == OPEN else CLOSED)
        if self.state == OPEN:
            return self.since + self.options["open_for"], HALF_OPEN
        if self.state == HALF_OPEN and self.under_way():
            return min(made.begun for made in self.under_way()) + TRIAL_TIMEOUT, OPEN
        return None

    def catch_up(self) -> None:
        while (end := self.ends()) and end[0] <= self.clock():
            at, state = end
            if state == self.state:
                self.forced_until = None
            else:
                self.move(state, at)
        if not self.counted():
            self.run = []

    def lets_through(self) -> bool:
        if self.state == HALF_OPEN:
            taken = len(self.under_way()) + self.number("success")
            return not self.under_way() or taken < self.options["trials"]
        return self.state == CLOSED

    def end(self, made: Made, outcome: str) -> None:
        counts = self.counts_now(made)
        made.outcome = outcome
        if not counts:
            return
        if outcome in ("success", "failure"):
            self.run.append(outcome)
        failures, successes = self.number("failure"), self.number("success")
        if self.state == HALF_OPEN and outcome == "failure":
            self.move(OPEN, self.clock())
        elif self.state == HALF_OPEN and outcome == "success":
            if successes >= self.options["trials"]:
                self.move(CLOSED, self.clock())
        elif outcome == "failure" and self.forced_until is None:
            calls = failures + successes
            enough = calls >= self.options["min_calls"]
            if enough and failures / calls >= self.options["threshold"]:
                self.move(OPEN, self.clock())

    def straight(self, outcome: str) -> int:
        length = 0
        while length < len(self.run) and self.run[-1 - length] == outcome:
            length += 1
        return length

    def counts(self) -> Counts:
        return Counts(
            len(self.counted()),
            self.number("success"),
            self.number("failure"),
            self.number("excluded"),
            self.straight("success"),
            self.straight("failure"),
            self.refused,
        )


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, outcomes, pauses, changes and forces."""

    @initialize(changes=CHANGES)
    def make(self, changes: dict[str, Any]) -> None:
        self.clock = Clock(0.0)
        self.model = Model(self.clock, OPTIONS | changes)
        self.breaker = breaker_on(self.clock, **self.model.options)
        self.told: list[Told] = []
        self.breaker.on_change(lambda *edge: self.told.append(edge))

    @rule(eighths=st.one_of(st.integers(1, 8), st.integers(1, 100)))
    def wait(self, eighths: int) -> None:
        self.clock.advance(eighths / 8)

    @rule()
    def begin(self) -> None:
        self.model.catch_up()
        if self.model.lets_through():
            call = self.breaker.calling()
            call.__enter__()
            self.model.calls.append(Made(call, self.clock(), self.model.generation))
        else:
            end = self.model.ends()
            assert end is not None
            assert refusal(self.breaker).retry_after == end[0] - self.clock() > 0
            self.model.refused += 1

    @precondition(lambda self: any(not made.outcome for made in self.model.calls))
    @rule(
        pick=st.randoms(use_true_random=False),
        outcome=st.sampled_from(["success", "failure", "failure", "excluded", "cancelled"]),
    )
    def end(self, pick: Any, outcome: str) -> None:
        made = pick.choice([made for made in self.model.calls if not made.outcome])
        self.model.catch_up()
        self.model.end(made, outcome)
        if outcome == "failure":
            made.call.failed()
        elif outcome == "excluded":
            made.call.excluded()
        made.call.__exit__(None, GeneratorExit() if outcome == "cancelled" else None, None)

    @rule(changes=CHANGES)
    def update(self, changes: dict[str, Any]) -> None:
        self.model.catch_up()
        self.model.options |= changes
        self.breaker.update(breaker_options(**self.model.options))

    @rule(state=st.sampled_from([OPEN, CLOSED]), seconds=st.sampled_from([0.5, 2.0, 10.0]))
    def force(self, state: State, seconds: float) -> None:
        self.model.catch_up()
        until = self.clock() + seconds
        if self.model.state == state:
            self.model.forced_until = until
        else:
            self.model.move(state, self.clock(), until)
        self.breaker.force(state, seconds)

    @rule()
    def release(self) -> None:
        self.model.catch_up()
        if self.model.forced_until is not None:
            self.model.forced_until = self.clock()
            self.model.catch_up()
        self.breaker.release()

    @rule()
    def look(self) -> None:
        """Not after each step: a change must come out the same whoever notices it."""
        self.model.catch_up()
        counts = self.model.counts()
        assert self.breaker.counts() == counts
        assert status(self.breaker) == self.model.state
        calls = counts.successes + counts.failures
        assert self.breaker.ratio() == (counts.failures / calls if calls else 0)
        until = self.model.forced_until
        forced = None if until is None else (self.model.state, until - self.clock())
        assert self.breaker.forced == forced

    @invariant()
    def tells_what_the_model_tells(self) -> None:
        assert self.told == self.model.told[: len(self.told)]

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.look()
            assert self.told == self.model.told


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(stateful_step_count=60, deadline=None)
