"""What became of each change: counted, remembered, told."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["applied", "unchanged", "refused", "restart", "lost", "back", "kept"]
# What did not go as an operator wants it.
TROUBLE = frozenset({"refused", "restart", "lost", "kept"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One of them. No value of a secret is in it.

    Attributes:
        at: Unix time.
        source: the layer that it is about.
        changes: by variable, the value before and the value after.
        reasons: why it was refused, or what is wrong with the source; one line each.
    """

    outcome: Outcome
    source: str
    revision: str = ""
    version: int = 0
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    at: float = field(default_factory=time.time)


class Journal:
    """The last entries, and how many there were of each outcome.

    Attributes:
        reloads: what was applied, newest last; `refusals`: what was not.
        counts: by outcome, since the start.
    """

    def __init__(self, size: int) -> None:
        self.reloads: deque[Entry] = deque(maxlen=size)
        self.refusals: deque[Entry] = deque(maxlen=size)
        self.counts: Counter[Outcome] = Counter()
        self._listeners: list[Callable[[Entry], None]] = []

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Call with every later entry."""
        self._listeners.append(listener)

    def add(self, entry: Entry) -> None:
        self.counts[entry.outcome] += 1
        if entry.outcome == "applied":
            self.reloads.append(entry)
        elif entry.outcome in TROUBLE:
            self.refusals.append(entry)
        for listener in self._listeners:
            listener(entry)
