"""A growth profile: what is allocated in some seconds and stays, by the stack that allocated it."""

import asyncio
import gc
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from .function_names import FunctionNames
from .heap import Pauses, type_name
from .profile import Profile
from .stacks import short

if TYPE_CHECKING:
    from tracemalloc import Snapshot

# The line and who called it. Each frame costs: a request that takes 152 us of the processor took
# 474 us with one, 615 us with two, 1.4 ms with five and 2.7 ms with ten.
FRAMES: Final = 2
SHOWN: Final = 50
STACKS: Final = 2_000

# Bytes and blocks of each stack, a stack being the (file, line) of its frames.
Place = tuple[str, int]
Allocated = dict[tuple[Place, ...], tuple[int, int]]


class HeapGrowth:
    """Traces allocations while it runs, and only then."""

    name = "growth"
    lasts = True
    text = "what is allocated in that time and still alive at its end: how a leak shows"
    cost = (
        "While it runs a request takes four times its processor time; before and after, a full "
        "garbage collection and a count of all objects hold the event loop, about 0.5 s for a "
        "million of them."
    )

    async def take(self, seconds: float, rate: int) -> Profile:
        """Trace for so long; the rate means nothing here."""
        import tracemalloc

        at, started = datetime.now(UTC), time.perf_counter()
        watch = Pauses()
        watch.timed("collect", gc.collect)
        types = watch.timed("list", _types)
        # Somebody else's tracing goes on after this one.
        traced = tracemalloc.is_tracing()
        before: Allocated = {}
        if traced:
            older = watch.timed("copy", tracemalloc.take_snapshot)
            before = await asyncio.to_thread(_allocated, older)
        else:
            tracemalloc.start(FRAMES)
        try:
            await asyncio.sleep(seconds)
            watch.timed("collect", gc.collect)
            grown = watch.timed("list", _types)
            grown.subtract(types)
            most = _most(grown)
            del grown  # or it would be what has grown most
            snapshot = watch.timed("copy", tracemalloc.take_snapshot)
            own_mib = tracemalloc.get_tracemalloc_memory() / 2**20
        finally:
            if not traced:
                watch.timed("stop", tracemalloc.stop)
        # It is much work, and none of it needs the event loop.
        found = await asyncio.to_thread(_found, snapshot, before)
        return Profile(
            kind=self.name,
            at=at,
            seconds=round(time.perf_counter() - started, 3),
            samples=sum(blocks for _, _, blocks in found),
            cost={"text": self.cost, **watch.report(), "tracing_mib": round(own_mib, 2)},
            top=_top(found),
            stacks=[(tuple(map(_text, stack)), float(size)) for stack, size, _ in found[:STACKS]],
            unit="bytes",
            more={"types": most},
        )


Named = tuple[str, str]  # where, and the function's name
Found = list[tuple[tuple[Named, ...], int, int]]


def _types() -> Counter[type]:
    return Counter(map(type, gc.get_objects()))


def _most(grown: Counter[type]) -> list[dict[str, Any]]:
    """The types of which there are more than before, the most first."""
    more = [(count, type_name(kind)) for kind, count in grown.most_common(SHOWN) if count > 0]
    return [{"name": name, "more": count} for count, name in more]


def _allocated(snapshot: "Snapshot") -> Allocated:
    import tracemalloc

    # What this profile allocates itself is no news.
    own = {__file__, tracemalloc.__file__}
    found: Allocated = {}
    for trace in snapshot.statistics("traceback"):
        stack = tuple((frame.filename, frame.lineno) for frame in trace.traceback)
        if own.isdisjoint(file for file, _ in stack):
            found[stack] = (trace.size, trace.count)
    return found


def _found(snapshot: "Snapshot", before: Allocated) -> Found:
    """What came since, the largest first; its frames with the names of their functions."""
    names = FunctionNames()
    grown = []
    for stack, (size, blocks) in _allocated(snapshot).items():
        had, had_blocks = before.get(stack, (0, 0))
        if size > had:
            grown.append((size - had, max(blocks - had_blocks, 0), stack))
    grown.sort(key=lambda one: -one[0])
    return [
        (
            tuple((f"{short(file)}:{line}", names.at(file, line)) for file, line in stack),
            size,
            blocks,
        )
        for size, blocks, stack in grown[:STACKS]
    ]


def _text(frame: Named) -> str:
    where, name = frame
    return f"{where} in {name}"


def _top(found: Found) -> list[dict[str, Any]]:
    """By the line that allocated."""
    total = sum(size for _, size, _ in found) or 1
    by_line: dict[Named, list[int]] = {}
    for stack, size, blocks in found:
        entry = by_line.setdefault(stack[-1], [0, 0])
        entry[0] += size
        entry[1] += blocks
    largest = sorted(by_line.items(), key=lambda one: -one[1][0])[:SHOWN]
    return [
        {
            "name": name,
            "where": where,
            "share": round(size / total, 4),
            "value": size,
            "unit": "bytes",
            "count": blocks,
        }
        for (where, name), (size, blocks) in largest
    ]
