"""The circuit breaker of a dependency: gobreaker's semantics on pybreaker, for asyncio.

Closed, it watches the share of failures in a rolling window. Open, it refuses calls. Then a
few trials decide. See `breaker_circuit.py` for the states, `window.py` for the counting.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import ParamSpec, Self, TypeVar

from pybreaker import CircuitBreakerError

from .breaker_changes import Callback, OnChange, State, Transition
from .breaker_circuit import AnyState, Circuit, Exclusion, positive, validated
from .breaker_states import Open, Outcome
from .options import BreakerOptions
from .window import Bucket, Counts

__all__ = ["Breaker", "Call", "CircuitOpen", "Counts", "State", "Transition"]

P = ParamSpec("P")
T = TypeVar("T")


class CircuitOpen(CircuitBreakerError):
    """The call was refused and not made.

    Attributes:
        name: of the dependency.
        retry_after: seconds, above 0, until a trial may be made; in half-open, until the
            trials under way must have returned.
    """

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"the circuit breaker of {name} is open")
        self.name = name
        self.retry_after = retry_after


class Call:
    """One call, as a `with` block around its await.

    To leave the block is a success, an exception is a failure unless it is excluded, a
    cancellation is neither. What `failed` or `excluded` said comes first, and of them the
    last; after the block they say nothing.
    """

    __slots__ = ("_breaker", "bucket", "outcome", "state")

    def __init__(self, breaker: "Breaker") -> None:
        self._breaker = breaker
        self.state: AnyState | None = None  # that let it through, while the call is under way
        self.bucket: Bucket | None = None  # that it began in
        self.outcome: Outcome | None = None

    def failed(self) -> None:
        """It is the dependency's failure: a 503."""
        self.outcome = "failure"

    def excluded(self) -> None:
        """It says nothing about the dependency's health: a 404, an invalid argument."""
        self.outcome = "excluded"

    def __enter__(self) -> Self:
        self._breaker.begin(self)
        return self

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        self._breaker.end(self, exc)


class Breaker(Circuit):
    """Opens when enough calls have failed; tries again after `options.open_for`.

    Args:
        name: of the dependency.
        trial_timeout: seconds; a trial that has not returned by then has failed, and opens
            the breaker again. It should exceed the timeout of one attempt.
        exclude: exceptions that say nothing about the dependency: types, or functions that
            tell.
        clock: seconds from any start, never going back.

    Raises:
        ValueError: a duration or a number is not one to work with.
    """

    def __init__(
        self,
        name: str,
        options: BreakerOptions,
        *,
        trial_timeout: float,
        exclude: Iterable[Exclusion] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, options, trial_timeout, exclude, clock)
        self._refused = 0

    def calling(self) -> Call:  # type: ignore[override]  # a generator costs as much again
        """`with breaker.calling() as call:` makes one call.

        Raises:
            CircuitOpen: on entering: it is open, or half-open with all its trials under way.
        """
        return Call(self)

    def call(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain function, as decorating one with `@breaker` does."""
        if iscoroutinefunction(func) or isgeneratorfunction(func) or isasyncgenfunction(func):
            raise TypeError(
                f"calling {func.__qualname__} does not run it: put `with breaker.calling():`"
                " around what does"
            )
        with self.calling():
            return func(*args, **kwargs)

    async def call_async(
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call and await, where pybreaker needs tornado."""
        with self.calling():
            return await func(*args, **kwargs)

    def counts(self) -> Counts:
        """What it has seen, up to now."""
        self.advance()
        return self.window.counts(self._refused)

    def ratio(self) -> float:
        """The share of failures in the window; 0 without any outcome."""
        self.advance()
        return self.window.ratio

    @property
    def forced(self) -> tuple[State, float] | None:
        """What an operator forced it to, and the seconds left of that."""
        now = self.advance()
        return (State(self._state.name), self._state.due - now) if self._forced else None

    def force(self, state: State, seconds: float) -> None:
        """Hold it open: nothing goes through. Or closed: all does, is counted, opens nothing.

        A second force replaces the first. Afterwards it goes on as from that state: open
        becomes half-open; closed stays so with what it counted, and its next failure decides.

        Raises:
            ValueError: half-open cannot be held; `seconds` is not above 0 or not finite.
        """
        state = State(state)
        if state is State.HALF_OPEN:
            raise ValueError("a breaker can be forced open or closed, not half-open")
        positive("seconds", seconds)
        now = self.advance()
        if self._state.name == state:
            self._state.due, self._forced = now + seconds, True
        else:
            self.move(state, now, seconds)

    def release(self) -> None:
        """End what was forced, as its time would have."""
        now = self.advance()
        if self._forced:
            self._state.due = now
            self.advance()

    def update(self, options: BreakerOptions, *, trial_timeout: float | None = None) -> None:
        """Decide by these from now on. Counts stay; a state changes when it is next asked for.

        Args:
            trial_timeout: of the trials that begin from now on; None: as it was.

        Raises:
            ValueError: as for a new breaker; then nothing has changed.
        """
        options = validated(options)
        if trial_timeout is not None:
            self.trial_timeout = positive("trial_timeout", trial_timeout)
        self.advance()
        self._threshold = options.threshold
        self.fail_max = options.min_calls
        self.reset_timeout = options.open_for
        self.success_threshold = options.trials
        self.window.resize(options.window, options.buckets)
        if isinstance(self._state, Open) and not self._forced:
            self._state.due = self._state.since + self.reset_timeout

    def on_change(self, callback: OnChange) -> None:
        """Call with name, from and to after each change of state, in their order.

        What it raises is logged. A change that it brings about is told after this one.
        """
        self.add_listener(Callback(callback))

    def begin(self, call: Call) -> None:
        """Let a call through, or raise CircuitOpen. For `Call`."""
        if call.bucket is not None:
            raise RuntimeError("a call is made once: ask `calling()` for each")
        now = self.clock()
        if now >= self._state.due or now >= self.window.next_roll:
            now = self.advance()
        state = self._state
        if state.guarded and (wait := state.admit(call, now)):
            self._refused += 1
            raise CircuitOpen(str(self.name), wait)
        call.state = state
        call.bucket = self.window.add_request()

    def end(self, call: Call, exc: BaseException | None) -> None:
        """Count how a call ended, once, if its state and bucket are still there. For `Call`."""
        state, bucket = call.state, call.bucket
        call.state = None
        if state is not self._state or bucket is None:
            return
        window = self.window
        now = self.clock()
        if now >= state.due or now >= window.next_roll:
            now = self.advance()
            if state is not self._state:
                return
        if bucket.left:
            return
        outcome = call.outcome or self._outcome(exc)
        if outcome == "success":
            window.add_success(bucket)
        elif outcome == "failure":
            window.add_failure(bucket)
        elif outcome == "excluded":
            window.add_exclusion(bucket)
        if state.guarded or outcome == "failure":
            state.settle(call, outcome, now)

    def _outcome(self, exc: BaseException | None) -> Outcome:
        if exc is None:
            return "success"
        if not isinstance(exc, Exception):  # cancelled, or the process is to end
            return "neutral"
        return "failure" if self.is_system_error(exc) else "excluded"
