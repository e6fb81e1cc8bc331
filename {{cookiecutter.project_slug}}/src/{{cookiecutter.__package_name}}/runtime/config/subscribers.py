"""Who is told of changes: each in order, and none in the way of another."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import structlog

from .tree import Tree, differences, variable

if TYPE_CHECKING:
    from .snapshot import Snapshot

S = TypeVar("S", bound=Tree)
# Seconds that an asynchronous subscriber has for one change.
LIMIT = 5.0


class Change(NamedTuple, Generic[S]):
    """One change, as its subscribers see it."""

    old: "Snapshot[S]"
    new: "Snapshot[S]"

    @property
    def keys(self) -> tuple[str, ...]:
        """The variables of the settings that differ."""
        return tuple(map(variable, differences(self.old.settings, self.new.settings)))


Callback = Callable[[Change[S]], Awaitable[None] | None]


class Subscriber(Generic[S]):
    """One of them. A plain function is called at once and must not block; a coroutine
    function works through its changes one after the other in a task of its own.

    Attributes:
        failures: how often it raised or took too long.
    """

    def __init__(self, name: str, callback: Callback[S], limit: float) -> None:
        self.name = name
        self.failures = 0
        self._callback = callback
        self._limit = limit
        self._waiting: deque[Change[S]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind(logger="configuration")

    def tell(self, change: Change[S]) -> None:
        if inspect.iscoroutinefunction(self._callback):
            self._waiting.append(change)
            if self._task is None:
                self._task = asyncio.create_task(self._work(), name=f"{self.name} subscriber")
            return
        try:
            self._callback(change)
        except Exception as exc:  # noqa: BLE001 - the others must still hear of it
            self._failed(change, exc)

    async def _work(self) -> None:
        try:
            while self._waiting:
                change = self._waiting.popleft()
                try:
                    async with asyncio.timeout(self._limit):
                        result = self._callback(change)
                        assert result is not None
                        await result
                except Exception as exc:  # noqa: BLE001 - the next change may be taken
                    self._failed(change, exc)
        finally:
            self._task = None

    def _failed(self, change: Change[S], exc: Exception) -> None:
        self.failures += 1
        self._log.error(
            "a subscriber failed",
            subscriber=self.name,
            version=change.new.version,
            error=f"{type(exc).__name__}: {exc}".splitlines()[0][:200],
        )

    def stop(self) -> None:
        """Tell it nothing more, and end what it is doing."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()


class Subscribers(Generic[S]):
    """All of them."""

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._all: list[Subscriber[S]] = []
        self._changes: deque[Change[S]] = deque()
        self._telling = False

    def add(self, name: str, callback: Callback[S]) -> Subscriber[S]:
        """From the next change on."""
        subscriber = Subscriber(name, callback, self._limit)
        self._all.append(subscriber)
        return subscriber

    def remove(self, subscriber: Subscriber[S]) -> None:
        """It hears of nothing more."""
        self._all.remove(subscriber)
        subscriber.stop()

    def tell(self, change: Change[S]) -> None:
        """Tell everybody. A change that a subscriber brings about is told after this one."""
        self._changes.append(change)
        if self._telling:
            return
        self._telling = True
        try:
            while self._changes:
                now = self._changes.popleft()
                for subscriber in tuple(self._all):
                    subscriber.tell(now)
        finally:
            self._telling = False

    def failures(self) -> int:
        """How often one of them failed, in all."""
        return sum(one.failures for one in self._all)

    def stop(self) -> None:
        for subscriber in self._all:
            subscriber.stop()
