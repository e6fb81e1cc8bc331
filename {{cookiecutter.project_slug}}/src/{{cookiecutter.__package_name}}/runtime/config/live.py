"""A branch of the settings for who reads it again and again, or wants to hear of changes."""

from collections.abc import Callable
from typing import Generic, TypeVar

G_co = TypeVar("G_co", covariant=True)


class Live(Generic[G_co]):
    """One branch, as it is now.

    Attributes:
        now: the branch, immutable. Reading it costs an attribute access; who needs several
            fields that belong together reads it once.
    """

    __slots__ = ("_subscribe", "now")

    def __init__(
        self, now: G_co, subscribe: Callable[[str, Callable[[], None]], None] | None = None
    ) -> None:
        self.now = now
        self._subscribe = subscribe

    def follow(self, update: Callable[..., None]) -> None:
        """Call `update(**fields)` with the fields of the branch, now and after each change.

        What it raises later is logged and counted; now it is raised here.
        """

        def call() -> None:
            update(**dict(self.now))  # type: ignore[call-overload]  # a model yields its fields

        call()
        if self._subscribe is not None:
            self._subscribe(update.__qualname__, call)
