"""A profile of processor time: which functions of which thread use it.

What a sampling thread sees tells where the time went; how much it was, each thread's own
clock says. A thread that does little is seen at work rarely: what it has used meanwhile
counts for the place where it is seen the next time.
"""

import asyncio
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from types import CodeType, FrameType
from typing import Any, Final

from .profile import Profile, Stack
from .sampler import Sampler
from .stacks import MAX_DEPTH, runs_callbacks, short

SHOWN: Final = 50
MAX_STACKS: Final = 10_000  # different ones, of which 60 s bring some hundred
UNSEEN: Final = "between two looks"
LOOP: Final = "the event loop itself"
OTHERS: Final = "too many different stacks"
# Where the standard library waits, and uses no processor.
WAITS: Final = (
    ("/selectors.py", "select"),
    ("/threading.py", "wait"),
    ("/threading.py", "join"),
    ("/threading.py", "_wait_for_tstate_lock"),
    ("/queue.py", "get"),
    ("/concurrent/futures/thread.py", "_worker"),
    ("/stall_watch.py", "_run"),
)
# The outermost function of every thread that Python has started.
BEGINNINGS: Final = frozenset({"<module>", "_run_module_as_main", "_bootstrap"})

# The thread, the ids of its functions (outermost first), and the line that the last is at.
Key = tuple[str, tuple[int, ...], int]


class ProcessorTime:
    """Looks at all threads; weighs what it sees with their clocks, where the system has them."""

    name = "cpu"
    lasts = True
    text = "which functions use the processor"
    cost = (
        "A thread looks at the others 100 times a second, or as often as was asked for; less"
        " often where that takes more than 2 % of a core."
    )

    async def take(self, seconds: float, rate: int) -> Profile:
        """Look for so long, so many times a second."""
        at = datetime.now(UTC)
        tally = Tally()
        sampler = Sampler(tally.look, rate)
        await sampler.run(seconds)
        return Profile(
            kind=self.name,
            at=at,
            seconds=seconds,
            samples=sampler.looks,
            cost={"text": self.cost, **sampler.cost(), "unseen_seconds": tally.unseen()},
            top=await asyncio.to_thread(tally.top),
            stacks=await asyncio.to_thread(tally.stacks),
            unit="seconds",
        )


class Tally:
    """What all looks have seen. Weights are seconds of processor time."""

    def __init__(self) -> None:
        self._weights: dict[Key, float] = defaultdict(float)
        self._codes: dict[int, CodeType] = {}  # keeps them, so that no id comes again
        self._waits: dict[int, bool] = {}
        self._clocks: dict[int, float] = {}  # of each thread, at the look before
        self._names: dict[int, str] = {}
        self._unseen: dict[int, float] = defaultdict(float)
        self._first = True

    def look(self, seconds: float) -> None:
        """Once; in the sampler's thread, `seconds` after the look before."""
        frames = sys._current_frames()  # noqa: SLF001 - the only way
        frames.pop(threading.get_ident(), None)
        # At once, before another thread gets its turn and its frames return; the oldest thread,
        # which is the event loop's, first.
        seen = [(ident, *_functions(frame)) for ident, frame in reversed(frames.items())]
        threads = {thread.ident: thread for thread in threading.enumerate()}
        for ident, codes, line in seen:
            thread = threads.get(ident)
            native = thread.native_id if thread else None
            clock = _clock(native)
            waits = self._is_waiting(codes[0])
            used = (0.0 if waits else seconds) if clock is None else self._used(ident, clock)
            used += self._unseen.pop(ident, 0.0)
            name = thread.name if thread else "unknown thread"
            # A clock that goes on while we look: it works, and not in Python.
            waits = waits and (clock is None or _clock(native) == clock)
            if waits or (thread is not None and not _is_whole(codes)):
                self._unseen[ident], self._names[ident] = used, name
            elif used:
                self._count(name, codes, line, used)
        self._first = False

    def _used(self, ident: int, clock: float) -> float:
        # All of a thread that was not there at the look before falls into this profile.
        before = self._clocks.get(ident, clock if self._first else 0.0)
        self._clocks[ident] = clock
        return max(clock - before, 0.0)

    def _is_waiting(self, code: CodeType) -> bool:
        waits = self._waits.get(id(code))
        if waits is None:
            waits = runs_callbacks(code) or any(
                code.co_name == name and code.co_filename.endswith(file) for file, name in WAITS
            )
            self._keep(code)
            self._waits[id(code)] = waits
        return waits

    def _count(self, thread: str, codes: list[CodeType], line: int, used: float) -> None:
        key = (thread, tuple(map(id, reversed(codes))), line)
        if key not in self._weights:
            if len(self._weights) >= MAX_STACKS:
                key = (thread, (), 0)
            for code in codes:
                self._keep(code)
        self._weights[key] += used

    def _keep(self, code: CodeType) -> None:
        self._codes.setdefault(id(code), code)

    def unseen(self) -> float:
        """Seconds of threads that were never at work when somebody looked again."""
        return round(sum(self._unseen.values()), 4)

    def stacks(self) -> list[tuple[Stack, float]]:
        """By function, outermost first; the thread is the first of all."""
        found: dict[Stack, float] = defaultdict(float)
        for (thread, ids, _), used in self._weights.items():
            inner = tuple(map(_text, _inside([self._codes[one] for one in ids])))
            found[(f"thread {thread}", *(inner or (LOOP if ids else OTHERS,)))] += used
        for ident, used in self._unseen.items():
            if used:
                found[(f"thread {self._names[ident]}", UNSEEN)] += used
        return sorted(found.items(), key=lambda one: -one[1])

    def top(self) -> list[dict[str, Any]]:
        """The functions that use most themselves, each with its busiest line."""
        total = sum(self._weights.values()) + sum(self._unseen.values()) or 1.0
        own: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        whole: dict[int, float] = defaultdict(float)
        for (_, ids, line), used in self._weights.items():
            for one in set(ids):
                whole[one] += used
            if ids and not self._waits.get(ids[-1]):
                own[ids[-1]][line] += used
        largest = sorted(own.items(), key=lambda one: -sum(one[1].values()))[:SHOWN]
        top = []
        for one, lines in largest:
            code, used = self._codes[one], sum(lines.values())
            busiest = max(lines, key=lines.__getitem__)
            top.append(
                {
                    "name": code.co_qualname,
                    "where": f"{short(code.co_filename)}:{busiest}",
                    "share": round(used / total, 4),
                    "value": round(used, 4),
                    "unit": "seconds",
                    "share_with_called": round(whole[one] / total, 4),
                }
            )
        return top


def _functions(frame: FrameType) -> tuple[list[CodeType], int]:
    """Those that a thread is in, innermost first, and the line that the innermost is at."""
    line = frame.f_lineno or 0
    codes: list[CodeType] = []
    step: FrameType | None = frame
    while step is not None and len(codes) < MAX_DEPTH:
        codes.append(step.f_code)
        step = step.f_back
    return codes, line


def _is_whole(codes: list[CodeType]) -> bool:
    """Whether the stack goes to the thread's beginning; else the thread went on meanwhile."""
    return codes[-1].co_name in BEGINNINGS or len(codes) == MAX_DEPTH


def _inside(codes: list[CodeType]) -> list[CodeType]:
    """Without what starts a thread and its event loop: that is the same for all."""
    for number in range(len(codes) - 1, -1, -1):
        if runs_callbacks(codes[number]):
            return codes[number + 1 :]
    while codes and codes[0].co_filename == threading.__file__:
        codes = codes[1:]
    return codes


def _text(code: CodeType) -> str:
    """A function, whatever line it is at: one box of the graph."""
    return f"{short(code.co_filename)}:{code.co_firstlineno} in {code.co_qualname}"


def _clock(native: int | None) -> float | None:
    """Seconds that a thread has had of the processor, where the system tells."""
    # Not by pthread_getcpuclockid, which crashes for a thread that has just ended: this is
    # Linux's own name of the clock, and an error then.
    if sys.platform == "linux" and native is not None:
        with suppress(OSError):
            return time.clock_gettime(~native << 3 | 6)
    return None
