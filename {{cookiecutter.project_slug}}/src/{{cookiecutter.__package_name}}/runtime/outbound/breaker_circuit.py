"""pybreaker's breaker on a clock, a rolling window and lazy changes of state.

As shipped it counts consecutive failures only, lets every concurrent call through in
half-open, and tells its listeners of a state before it is in place. Here its storage is the
window, its states are those of `breaker_states.py`, and its lock is the event loop: one
thread uses a breaker, and nothing in it awaits. Its `state`, `current_state`, `open()`,
`half_open()`, `close()`, counters and thresholds say and do what they say there; of its
listeners, `state_change` is called.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from pybreaker import CircuitBreaker

from .breaker_changes import Changes, State, Transition
from .breaker_states import Closed, HalfOpen, Open
from .options import BreakerOptions
from .window import Window

AnyState = Closed | Open | HalfOpen
Exclusion = type[Exception] | Callable[[Any], bool]
STATES: dict[State, type[AnyState]] = {
    State.CLOSED: Closed,
    State.OPEN: Open,
    State.HALF_OPEN: HalfOpen,
}


class Circuit(CircuitBreaker):
    """The state machine; `Breaker` lets calls through it.

    Attributes:
        clock: seconds from any start, never going back.
        trial_timeout: seconds.
        transitions: the last changes of state, oldest first.
    """

    _state: AnyState

    def __init__(
        self,
        name: str,
        options: BreakerOptions,
        trial_timeout: float,
        exclude: Iterable[Exclusion],
        clock: Callable[[], float],
    ) -> None:
        options = validated(options)
        now = clock()
        self.clock = clock
        self.trial_timeout = positive("trial_timeout", trial_timeout)
        self.window = Window(options.window, options.buckets, now)
        self._threshold = options.threshold
        self._forced = False
        self._log = structlog.get_logger().bind(logger="breaker")
        self._changes = Changes(self)
        self.transitions: deque[Transition] = self._changes.last
        self._state = Closed(self, now)
        super().__init__(
            name=name,
            fail_max=options.min_calls,  # so many straight failures open it, not fewer
            reset_timeout=options.open_for,
            success_threshold=options.trials,
            exclude=list(exclude),
            state_storage=self.window,
            throw_new_error_on_trip=False,
        )

    @property
    def state(self) -> AnyState:
        """The state's object, after what is due has happened; `name` says which it is."""
        self.advance()
        return self._state

    @state.setter
    def state(self, name: str) -> None:
        self.move(name, self.advance())

    @property
    def current_state(self) -> str:
        """The state's name."""
        return self.state.name

    @property
    def status(self) -> State:
        """The same, typed."""
        return State(self.state.name)

    @property
    def fail_counter(self) -> int:
        """Consecutive failures, up to now."""
        self.advance()
        return self.window.counter

    @property
    def success_counter(self) -> int:
        """Consecutive successes, up to now, in any state."""
        self.advance()
        return self.window.success_counter

    def open(self) -> bool:
        """Open it now, for `reset_timeout`; False: the caller's exception goes on as it is."""
        self.move(State.OPEN, self.advance())
        return False

    def half_open(self) -> None:
        """Let trials through now."""
        self.move(State.HALF_OPEN, self.advance())

    def close(self) -> None:
        """Close it now, with nothing counted."""
        self.move(State.CLOSED, self.advance())

    @property
    def trips(self) -> bool:
        """Whether the window has enough calls, and enough of them have failed."""
        window = self.window
        return (
            not self._forced and window.calls >= self.fail_max and window.ratio >= self._threshold
        )

    @property
    def tried(self) -> bool:
        """Whether enough trials have succeeded."""
        return self.window.total.successes >= self.success_threshold

    def is_system_error(self, exception: Any) -> bool:
        """Whether it counts as a failure; so it does where a test for exclusion fails."""
        try:
            return super().is_system_error(exception)
        except Exception:  # noqa: BLE001 - it must not take the place of what it judges
            self._log.error("breaker exclusion failed", name=self.name, exc_info=True)
            return True

    def advance(self) -> float:
        """Let all happen that is due by now, each change as of its own instant; the time."""
        now = self.clock()
        while now >= (state := self._state).due:
            if state.name == State.CLOSED:  # it was forced; what it has counted stays
                state.due, self._forced = math.inf, False
            else:
                self.move(state.next, state.due)
        if now >= self.window.next_roll:
            self.window.roll(now)
        return now

    def move(self, name: str, at: float, forced_for: float = 0.0) -> None:
        """Begin a state, be it the same again: nothing from before counts in it."""
        before, self._state = self._state, self._create_new_state(name, at=at)
        self._forced = forced_for > 0
        if self._forced:
            self._state.due = at + forced_for
        self.window.state = name
        # Trials count however long they take: only the closed state's window rolls.
        self.window.clear(at, rolling=name == State.CLOSED)
        if before.name != name:
            self._changes.add(before, self._state, at, forced=self._forced)

    def _create_new_state(
        self,
        new_state: str,
        prev_state: object = None,
        notify: bool = False,
        at: float | None = None,
    ) -> AnyState:
        return STATES[State(new_state)](self, self.clock() if at is None else at)


def validated(options: BreakerOptions) -> BreakerOptions:
    """A checked copy: look-alikes, and what `model_construct` makes, were not."""
    fields = {name: getattr(options, name) for name in BreakerOptions.model_fields}
    return BreakerOptions.model_validate(fields)


def positive(what: str, seconds: float) -> float:
    """The same.

    Raises:
        ValueError: it is not above 0, or not finite.
    """
    if not 0 < seconds < math.inf:
        raise ValueError(f"{what} must be above 0 and finite, not {seconds}")
    return seconds
