"""Closing things in the reverse of the order in which they were opened, each within a bound."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

T = TypeVar("T")
Close = Callable[[], Awaitable[object] | object]


class Closing:
    """A stack of things to close. One that fails or hangs is logged; the others still close.

    Args:
        timeout: seconds for all of them together.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._stack: list[tuple[str, Close]] = []
        self._log = structlog.get_logger().bind(logger="shutdown")

    def add(self, name: str, close: Close) -> None:
        """Close this with `close`: a coroutine function, or a plain one that does not block."""
        self._stack.append((name, close))

    def task(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background until the end."""
        task = asyncio.create_task(work, name=name)
        self.add(name, task.cancel)

    async def enter(self, name: str, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager, and leave it at the end."""
        value = await manager.__aenter__()
        self.add(name, lambda: manager.__aexit__(None, None, None))
        return value

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeout
        while self._stack:
            name, close = self._stack.pop()
            # What comes late in the row still gets a moment: the sum stays near the bound.
            left = max(end - loop.time(), 0.1)
            try:
                async with asyncio.timeout(left):
                    result = close()
                    if inspect.isawaitable(result):
                        await result
            except TimeoutError:
                self._log.error("close timed out", what=name, seconds=round(left, 1))
            except Exception:  # noqa: BLE001 - whatever it is, the others must still close
                self._log.exception("close failed", what=name)
