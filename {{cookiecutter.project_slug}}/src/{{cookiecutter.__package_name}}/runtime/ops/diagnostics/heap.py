"""A heap profile: what is alive, by type."""

import asyncio
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from .profile import Profile, Stack

STEP: Final = 0.002  # seconds that the event loop is held at a time
# So many strings and the like are told apart; it takes 80 bytes for each while it counts.
MAX_LEAVES: Final = 200_000
SHOWN: Final = 50

# Count and bytes of each type.
Census = dict[type, list[int]]


class HeapTypes:
    """Counts what the garbage collector tracks, and the strings, bytes and numbers in that."""

    name = "heap"
    lasts = False
    text = (
        "what is alive, by type; left out is what was there when start-up ended, and the strings, "
        "bytes and numbers that were put into it since: growth shows those"
    )
    cost = (
        "A full garbage collection and one listing of all objects hold the event loop, "
        "about 0.4 s for a million of them; the counting is done in steps of 2 ms."
    )

    async def take(self, seconds: float, rate: int) -> Profile:
        """As it is now; both arguments mean nothing here."""
        at, started = datetime.now(UTC), time.perf_counter()
        watch = Pauses()
        watch.timed("collect", gc.collect)
        census, whole = await take_census(watch)
        total = sum(size for _, size in census.values()) or 1
        largest = sorted(census.items(), key=lambda one: -one[1][1])
        top = [
            {
                "name": type_name(kind),
                "where": _module(kind),
                "share": round(size / total, 4),
                "value": size,
                "unit": "bytes",
                "count": count,
            }
            for kind, (count, size) in largest[:SHOWN]
        ]
        stacks: list[tuple[Stack, float]] = [
            ((_module(kind), type_name(kind)), float(size)) for kind, (_, size) in largest if size
        ]
        return Profile(
            kind=self.name,
            at=at,
            seconds=round(time.perf_counter() - started, 3),
            samples=sum(count for count, _ in census.values()),
            cost={"text": self.cost, **watch.report(), "all_strings_counted": whole},
            top=top,
            stacks=stacks,
            unit="bytes",
        )


class Pauses:
    """How long the event loop was held, step by step."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = defaultdict(float)
        self._longest = 0.0

    def timed(self, step: str, work: Callable[[], Any]) -> Any:
        """Do it, and remember how long it took."""
        started = time.perf_counter()
        result = work()
        self.add(step, time.perf_counter() - started)
        return result

    def add(self, step: str, seconds: float) -> None:
        """The loop was held so long by one part of this step."""
        self._spent[step] += seconds
        self._longest = max(self._longest, seconds)

    def report(self) -> dict[str, float]:
        """Milliseconds: all together, the longest pause, and each step."""
        steps = {f"{step}_ms": _ms(spent) for step, spent in self._spent.items()}
        whole = _ms(sum(self._spent.values()))
        return {"overhead_ms": whole, "pause_ms": _ms(self._longest), **steps}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


async def take_census(watch: Pauses) -> tuple[Census, bool]:
    """All types with count and bytes; and whether no string was left out."""
    objects: list[object] = watch.timed("list", gc.get_objects)
    census: Census = {}
    leaves: set[int] = set()
    counting = _count(objects, census, leaves)
    done = False
    while not done:
        started = time.perf_counter()
        end = started + STEP
        done = True
        for _ in counting:
            if time.perf_counter() > end:
                done = False
                break
        watch.add("count", time.perf_counter() - started)
        await asyncio.sleep(STEP)  # half of the time is the requests'
    return census, len(leaves) < MAX_LEAVES


def _count(objects: Sequence[object], census: Census, leaves: set[int]) -> Iterator[None]:
    """Count all of them; pauses may be made where it yields."""
    own = {id(objects), id(census), id(leaves)}
    steps = 0
    # The youngest come last: what leaks is among them, and its strings should be counted first.
    for one in reversed(objects):
        steps += 1
        if not steps % 50:
            yield
        if id(one) in own:
            continue
        _add(census, one)
        # What holds no other objects is not tracked, and only found in what holds it.
        holders = [one]
        while holders and len(leaves) < MAX_LEAVES:
            for held in gc.get_referents(holders.pop()):
                steps += 1
                if not steps % 50:  # one list may hold millions
                    yield
                if gc.is_tracked(held) or id(held) in leaves:
                    continue
                if len(leaves) >= MAX_LEAVES:
                    break
                leaves.add(id(held))
                _add(census, held)
                if type(held) in (tuple, dict):  # of plain values only: nobody else leads to them
                    holders.append(held)


def _add(census: Census, one: object) -> None:
    entry = census.setdefault(type(one), [0, 0])
    entry[0] += 1
    try:
        entry[1] += sys.getsizeof(one)
    except Exception:  # noqa: BLE001 - somebody's own __sizeof__
        return


def _module(kind: type) -> str:
    return str(kind.__module__)


def type_name(kind: type) -> str:
    """With its module, unless that is Python's own."""
    module = _module(kind)
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
