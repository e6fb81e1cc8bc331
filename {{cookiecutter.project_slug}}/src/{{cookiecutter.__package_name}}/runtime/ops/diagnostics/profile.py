"""What every kind of profile is, and what it gives."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Stack = tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """A finished one.

    Args:
        kind: the name of what took it.
        at: when it began.
        seconds: how long it took.
        samples: how many observations it is made of.
        cost: what it cost here, measured; numbers in the unit that the name says.
        top: the largest, as `/debug/profiles` shows them.
        stacks: outermost first, with a weight in `unit`.
        more: further members of its JSON.
    """

    kind: str
    at: datetime
    seconds: float
    samples: int
    cost: dict[str, Any]
    top: list[dict[str, Any]]
    stacks: list[tuple[Stack, float]]
    unit: str
    more: dict[str, Any] = field(default_factory=dict)


class Kind(Protocol):
    """A way to take one. `cost` is a sentence that is said before anyone starts it.

    One that does not last takes what it takes, whatever time it is given.
    """

    name: str
    text: str
    cost: str
    lasts: bool

    async def take(self, seconds: float, rate: int) -> Profile:
        """Take one; it leaves nothing behind when it is cancelled.

        Args:
            seconds: how long to look.
            rate: samples a second, where it samples.
        """
        ...
