"""`/debug/tasks`: what every asyncio task waits for, those at the same place as one group."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ...shutdown import Closing
from ..documents import Content, Document
from .ages import Ages, Reading
from .stacks import Frame, await_chain

# Seconds that the loop is held at a time, and for which an answer is good at least.
SLICE = 0.002
CACHE_FOR = 1.0
# Of the loop's time that looking may take, however many tasks there are and whoever asks.
SHARE = 0.05
MAX_GROUPS = 100
MAX_NAMES = 3
COST = (
    "Walks every task, 10 µs each, in slices of 2 ms between which requests are served; listing"
    " 100,000 of them is one pause of 0.1 s. Looked at once a second at most, and with many"
    " tasks so seldom that it takes 5 % of the event loop."
)


class Group:
    """Tasks of one coroutine that all stand at the same line."""

    def __init__(self, task: "asyncio.Task[Any]", chain: list[Frame], waiter: object) -> None:
        self.count = 0
        self._names: list[str] = []
        self._oldest: float | None = None
        self._youngest: float | None = None
        self._coroutine = coroutine_name(task)
        self._chain = chain
        self._waits_for = _description(waiter)

    def add(self, name: str, age: float | None) -> None:
        """One more of them, `age` seconds old."""
        self.count += 1
        if len(self._names) < MAX_NAMES:
            self._names.append(name)
        if age is not None:
            self._oldest = age if self._oldest is None else max(self._oldest, age)
            self._youngest = age if self._youngest is None else min(self._youngest, age)

    def report(self) -> Mapping[str, Any]:
        return {
            "count": self.count,
            "state": "running" if self._waits_for is None else "waiting",
            "oldest_seconds": _rounded(self._oldest),
            "youngest_seconds": _rounded(self._youngest),
            "names": self._names,
            "coroutine": self._coroutine,
            "stack": [frame.text for frame in self._chain],
            "waits_for": self._waits_for,
        }


class Tasks:
    """Looks at all tasks, for everybody who asks in the same second."""

    def __init__(self, ages: Ages) -> None:
        self._ages = ages
        self._answer: Content = {}
        self._until = 0.0
        self._looking: asyncio.Task[Content] | None = None

    async def report(self) -> Content:
        """The document."""
        if time.monotonic() < self._until:
            return self._answer
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="looking at tasks")
        return await asyncio.shield(self._looking)

    def close(self) -> None:
        """Whoever still waits for an answer gets none."""
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> Content:
        try:
            self._answer, spent = await _groups(self._ages)
            self._until = time.monotonic() + max(CACHE_FOR, spent / SHARE)
            return self._answer
        finally:
            self._looking = None


async def _groups(ages: Ages) -> tuple[Content, float]:
    """The document, and the seconds of the loop that it took."""
    own = asyncio.current_task()
    assert own is not None
    began = time.perf_counter()
    tasks = asyncio.all_tasks()
    tasks.discard(own)
    count = len(tasks)
    reading = ages.reading(time.monotonic())
    groups: dict[tuple[object, ...], Group] = {}
    pause = spent = 0.0
    while tasks:
        for _ in range(min(32, len(tasks))):
            _sort(tasks.pop(), groups, reading)
        held = time.perf_counter() - began
        pause = max(pause, held)
        if held > SLICE or not tasks:
            spent += held
            await asyncio.sleep(0)
            began = time.perf_counter()
    largest = sorted(groups.values(), key=lambda group: group.count, reverse=True)
    report = {
        "tasks": count,
        "pause_ms": round(pause * 1000, 3),
        "cost": COST,
        "groups": [group.report() for group in largest[:MAX_GROUPS]],
    }
    return report, spent


def _sort(task: "asyncio.Task[Any]", groups: dict[tuple[object, ...], Group], at: Reading) -> None:
    if task.done():  # since they were listed
        return
    chain = await_chain(task)
    waiter = getattr(task, "_fut_waiter", None)
    # By identity: comparing two code objects compares their bytecode.
    places = [(id(frame.code), frame.line) for frame in chain]
    key = (type(waiter), *places) if places else (type(waiter), coroutine_name(task))
    group = groups.get(key)
    if group is None:
        group = groups[key] = Group(task, chain, waiter)
    name = task.get_name()
    group.add(name, at.age(task, name))


def coroutine_name(task: "asyncio.Task[Any]") -> str:
    """Its name as the code has it, `Class.method`."""
    coroutine = task.get_coro()
    return str(getattr(coroutine, "__qualname__", None) or type(coroutine).__name__)


def _description(waiter: object) -> str | None:
    """What a task waits for; None for one that is about to run."""
    if waiter is None:
        return None
    if isinstance(waiter, asyncio.Task):
        return f"the task {coroutine_name(waiter)}"
    return type(waiter).__name__.strip("_")


def _rounded(age: float | None) -> float | None:
    return None if age is None else round(age, 1)


def open_tasks(closing: Closing) -> Document:
    """What is shown; tasks made from now on have an age."""
    ages = Ages()
    tasks = Tasks(ages)
    closing.add("looking at tasks", tasks.close)
    closing.task("ages of tasks", ages.run())
    return Document("/debug/tasks", "what every asyncio task waits for", tasks.report, every=5)
