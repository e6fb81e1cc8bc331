"""What a breaker does in each of its states.

Each is an object of its own, made when the state begins: a call remembers the one that let
it through, and its outcome counts for no other. A state that ends by itself says when
(`due`); no timer runs, whoever comes next finds it over.
"""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pybreaker import (
    STATE_CLOSED,
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitClosedState,
    CircuitHalfOpenState,
    CircuitOpenState,
)

if TYPE_CHECKING:
    from .breaker_circuit import Circuit

Outcome = Literal["success", "failure", "excluded", "neutral"]


class Closed(CircuitClosedState):
    """Every call goes through, until enough of those in the window have failed."""

    guarded: ClassVar[bool] = False  # it refuses nothing, so it is not asked
    next: ClassVar[str] = STATE_CLOSED

    def __init__(self, circuit: "Circuit", now: float) -> None:
        super().__init__(circuit)
        self._circuit = circuit
        self.since = now
        self.due = math.inf

    def admit(self, call: object, now: float) -> float:
        """Seconds to wait: none."""
        return 0.0

    def settle(self, call: object, outcome: Outcome, now: float) -> None:
        """Decide after an outcome, which has been counted."""
        if outcome == "failure" and self._circuit.trips:
            self._circuit.move(STATE_OPEN, now)


class Open(CircuitOpenState):
    """No call goes through before `due`."""

    guarded: ClassVar[bool] = True
    next: ClassVar[str] = STATE_HALF_OPEN

    def __init__(self, circuit: "Circuit", now: float) -> None:
        super().__init__(circuit)
        self.since = now
        self.due = now + circuit.reset_timeout

    def admit(self, call: object, now: float) -> float:
        """Seconds until the first trial."""
        return self.due - now

    def settle(self, call: object, outcome: Outcome, now: float) -> None:
        """No call was let through that could end."""


class HalfOpen(CircuitHalfOpenState):
    """A few trials go through. All must succeed; one that fails or hangs opens it again."""

    guarded: ClassVar[bool] = True
    next: ClassVar[str] = STATE_OPEN  # at `due` the oldest trial has not returned

    def __init__(self, circuit: "Circuit", now: float) -> None:
        super().__init__(circuit, None)
        self._circuit = circuit
        self.since = now
        self.due = math.inf
        self._under_way: dict[object, float] = {}  # until when each has time, oldest first

    def admit(self, call: object, now: float) -> float:
        """Give it a slot: 0.0. Or the seconds by which the oldest trial must have returned."""
        circuit, under_way = self._circuit, self._under_way
        taken = len(under_way) + circuit.window.total.successes
        # With none under way one may go: fewer trials may be asked for now than have succeeded.
        if under_way and taken >= circuit.success_threshold:
            return self.due - now
        under_way[call] = now + circuit.trial_timeout
        self.due = min(self.due, under_way[call])
        return 0.0

    def settle(self, call: object, outcome: Outcome, now: float) -> None:
        """Free the slot, which a success keeps by being counted; then decide."""
        del self._under_way[call]
        self.due = min(self._under_way.values(), default=math.inf)
        if outcome == "failure":
            self._circuit.move(STATE_OPEN, now)
        elif outcome == "success" and self._circuit.tried:
            self._circuit.move(STATE_CLOSED, now)
