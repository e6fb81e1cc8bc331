"""A profile of waiting: where every asyncio task is, for how long, and for which request."""

import asyncio
import random
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from types import CodeType, FrameType
from typing import Any, Final

from ...context import current
from ...http.access_log import route_template
from ...http.request_context import RequestContext
from .profile import Profile, Stack
from .sampler import Sampler
from .stacks import Frame, await_frames, callback_frames, guilty, line_of

SHOWN: Final = 50
MAX_STACKS: Final = 10_000
MAX_TASKS: Final = 200  # that one look follows; of more tasks it is a random choice
OTHERS: Final = "too many different stacks"
REQUESTS: Final = "requests"
BACKGROUND: Final = "background"
CALLBACKS: Final = ("callbacks of the event loop", "no task")

# What the task is: a request or not, and its name.
Root = tuple[str, str]
# And its frames: by turns the id of the code and the instruction.
Key = tuple[Root, tuple[int, ...]]


class WaitingTime:
    """Looks at all tasks of its event loop from a thread, so that one that blocks is seen too."""

    name = "wall"
    lasts = True
    text = "where requests and background tasks spend their time, waiting included"
    cost = (
        "A thread follows what the tasks await, at most 200 of them in a look, 100 times a"
        " second or as often as was asked for; less often where that takes more than 2 % of"
        " a core."
    )

    async def take(self, seconds: float, rate: int) -> Profile:
        """Look for so long, so many times a second."""
        at = datetime.now(UTC)
        tally = Tally(asyncio.get_running_loop(), asyncio.current_task())
        sampler = Sampler(tally.look, rate)
        await sampler.run(seconds)
        cost = {"text": self.cost, **sampler.cost(), "most_tasks": tally.most}
        return Profile(
            kind=self.name,
            at=at,
            seconds=seconds,
            samples=sampler.looks,
            cost=cost,
            top=await asyncio.to_thread(tally.top),
            stacks=await asyncio.to_thread(tally.stacks),
            unit="seconds",
        )


class Tally:
    """What all looks have seen. Weights are seconds, of every task by itself.

    Made in the loop's thread.

    Args:
        own: the task that waits for the profile, and is not in it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, own: "asyncio.Task[Any] | None" = None
    ) -> None:
        self.most = 0  # tasks in one look
        self._loop = loop
        self._own = own
        self._thread = threading.get_ident()
        self._weights: dict[Key, float] = defaultdict(float)
        self._codes: dict[int, CodeType] = {}  # keeps them, so that no id comes again

    def look(self, seconds: float) -> None:
        """Once; in the sampler's thread, `seconds` after the look before."""
        # The one that runs first, before it goes on.
        running = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 - the only way
        called: Sequence[FrameType] = callback_frames(frame, running) if frame else ()
        tasks = [one for one in asyncio.all_tasks(self._loop) if one is not self._own]
        self.most = max(self.most, len(tasks))
        if len(tasks) > MAX_TASKS:
            seconds *= len(tasks) / MAX_TASKS
            tasks = random.sample(tasks, MAX_TASKS)
        chains = [(task, called if task is running else await_frames(task)) for task in tasks]
        names = dict(filter(None, (_request(chain) for _, chain in chains)))
        for task, chain in chains:
            self._count(_root(task, chain, names), chain, seconds)
        if running is None and called:
            self._count(CALLBACKS, called, seconds)

    def _count(self, root: Root, frames: Sequence[FrameType], seconds: float) -> None:
        places: list[int] = []
        for frame in frames:
            places += (id(frame.f_code), frame.f_lasti)
        key = (root, tuple(places))
        if key not in self._weights:
            if len(self._weights) >= MAX_STACKS:
                key = (root, ())
            else:
                self._codes.update({id(frame.f_code): frame.f_code for frame in frames})
        self._weights[key] += seconds

    def _stack(self, places: Sequence[int]) -> list[Frame]:
        codes = [self._codes[one] for one in places[::2]]
        return list(map(Frame, codes, map(line_of, codes, places[1::2])))

    def stacks(self) -> list[tuple[Stack, float]]:
        """By line, outermost first; what the task is comes before all."""
        found: dict[Stack, float] = defaultdict(float)
        for (root, places), seconds in self._weights.items():
            texts = list(map(_text, self._stack(places)))
            found[(*root, *(texts or [OTHERS]))] += seconds
        return sorted(found.items(), key=lambda one: -one[1])

    def top(self) -> list[dict[str, Any]]:
        """Where the application waits, by its own lines: those of requests first."""
        total = sum(self._weights.values()) or 1.0
        found: dict[tuple[Root, Frame, Frame], float] = defaultdict(float)
        for (root, places), seconds in self._weights.items():
            if places:
                stack = self._stack(places)
                found[root, guilty(stack), stack[-1]] += seconds
        largest = sorted(found.items(), key=lambda one: (one[0][0][0] != REQUESTS, -one[1]))
        return [
            {
                "name": own.code.co_qualname,
                "where": f"{own.file}:{own.line}",
                "share": round(seconds / total, 4),
                "value": round(seconds, 4),
                "unit": "seconds",
                "task": task,
                "waits_in": _text(innermost),
            }
            for ((_, task), own, innermost), seconds in largest[:SHOWN]
        ]


def _text(frame: Frame) -> str:
    """With the class: most layers of a request are some `__call__`."""
    return f"{frame.file}:{frame.line} in {frame.code.co_qualname}"


def _request(chain: Sequence[FrameType]) -> tuple[int, str] | None:
    """The request that the outermost of these coroutines serves: its state's id, and its name."""
    for frame in chain:
        if frame.f_code is RequestContext.__call__.__code__:
            held = frame.f_locals
            scope, state = held.get("scope"), held.get("state")
            if scope is None or state is None:
                return None
            return id(state), f"{scope['method']} {route_template(scope)}"
    return None


def _root(task: "asyncio.Task[Any]", chain: Sequence[FrameType], names: dict[int, str]) -> Root:
    """What a task is: of which request, or the name of its coroutine."""
    context = getattr(task, "get_context", None)
    # Since 3.12; it finds the tasks that a request has started, too.
    state = context().get(current) if context is not None else None
    found = names.get(id(state)) if state is not None else None
    if found is None and (own := _request(chain)) is not None:
        found = own[1]
    if found is not None:
        return REQUESTS, found
    coroutine = task.get_coro()
    return BACKGROUND, str(getattr(coroutine, "__qualname__", type(coroutine).__name__))
