"""A branch of the settings that a test changes."""

from collections.abc import Callable

from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.config.live import Live


class Changing(Live[Group]):
    """Its followers hear of each change at once."""

    def __init__(self, now: Group) -> None:
        self._calls: list[Callable[[], None]] = []
        super().__init__(now, self._calls.append)

    def change(self, **fields: object) -> None:
        """Put these in force; the others stay."""
        self.now = self.now.model_copy(update=fields)
        for call in self._calls:
            call()
