"""Changes of a breaker's state: the last of them, and telling its listeners."""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import structlog
from pybreaker import CircuitBreaker, CircuitBreakerListener

KEPT = 20  # enough to see a dependency flap

OnChange = Callable[[str, "State", "State"], None]


class State(StrEnum):
    """A breaker's states, by pybreaker's names."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Transition(NamedTuple):
    """A change of state, at an instant of the breaker's clock; forced by an operator or not.

    `time` is that instant as Unix time, in seconds: later it could only be guessed.
    """

    at: float
    before: State
    after: State
    forced: bool
    time: float


class Callback(CircuitBreakerListener):
    """A listener that is one function of name, from and to."""

    def __init__(self, callback: OnChange) -> None:
        self._callback = callback

    def state_change(self, cb: CircuitBreaker, old_state: Any, new_state: Any) -> None:
        self._callback(str(cb.name), State(old_state.name), State(new_state.name))


class Changes:
    """Tells of each change once, in order, whatever the listeners do.

    Attributes:
        last: the last changes, oldest first.
    """

    def __init__(self, breaker: CircuitBreaker) -> None:
        self.last: deque[Transition] = deque(maxlen=KEPT)
        self._breaker = breaker
        self._untold: deque[tuple[Any, Any]] = deque()
        self._telling = False
        self._log = structlog.get_logger().bind(logger="breaker")

    def add(self, before: Any, after: Any, at: float, *, forced: bool) -> None:
        """Keep it and tell it, or leave the telling to the call that is at it already."""
        states = State(before.name), State(after.name)
        self.last.append(Transition(at, *states, forced, time.time()))
        self._untold.append((before, after))
        if self._telling:
            return
        self._telling = True
        try:
            while self._untold:
                self._tell(*self._untold.popleft())
        finally:
            self._telling = False

    def _tell(self, before: Any, after: Any) -> None:
        for listener in self._breaker.listeners:
            try:
                listener.state_change(self._breaker, before, after)
            except Exception:  # noqa: BLE001 - whatever it is, the call goes on
                self._log.error("breaker listener failed", name=self._breaker.name, exc_info=True)
