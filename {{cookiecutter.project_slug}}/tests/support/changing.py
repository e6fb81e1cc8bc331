"""A branch of the settings that a test changes."""

from collections.abc import Callable
from typing import TypeVar

from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.config.live import Live

B = TypeVar("B")
G = TypeVar("G", bound=Group)


class Changing(Live[B]):
    """Its followers hear of each change at once."""

    def __init__(self, now: B) -> None:
        self._calls: list[Callable[[], None]] = []
        super().__init__(now, lambda _, call: self._calls.append(call))

    def put(self, now: B) -> None:
        """Put this in force in its place."""
        self.now = now
        for call in self._calls:
            call()

    def change(self: "Changing[G]", **fields: object) -> None:
        """Put these fields in force; the others stay."""
        self.put(self.now.model_copy(update=fields))
