"""What a reader of a setting pays, and what a change costs: CPU time in this process."""

import asyncio
import sys
import time
import timeit

from orders.runtime.config.configuration import Configuration, State
from orders.runtime.config.reading import Reading
from orders.settings import Settings

from ..table import Row
from .clock import in_turns, minus, report

READS = 200_000  # per round: about 5 ms
CHANGES = 50


class Nothing:
    """A source that is never asked."""

    name, where, remote = "centre", "nowhere", True

    async def close(self) -> None:
        """Nothing is open."""


class Plain:
    """An object with an attribute, for comparison."""

    def __init__(self, now: object) -> None:
        self.now = now


def configuration() -> Configuration[Settings]:
    """One with a source that holds nothing yet."""
    return Configuration(Settings, [State(Nothing())])  # type: ignore[arg-type]  # never watched


def reading_of(statement: str, **names: object) -> float:
    """CPU ns of a read."""
    timer = timeit.Timer(statement, timer=time.process_time, globals=names)
    return timer.timeit(READS) / READS * 1e9


def change() -> float:
    """CPU ms from a reading to the settings in force, with everything checked."""
    config = configuration()
    readings = [Reading({"log/level": level}, "1") for level in (b"debug", b"error")]
    begun = time.process_time()
    for number in range(CHANGES):
        config.offer("centre", readings[number % 2])
    return (time.process_time() - begun) / CHANGES * 1e3


async def main(rounds: int) -> None:
    """Measure in turns, print what each costs."""
    live = configuration().live(lambda s: s.http)
    plain, empty, read = (
        "an attribute of an object",
        "nothing",
        "a setting, live.now.request_timeout",
    )
    values = in_turns(
        {
            empty: lambda: reading_of("pass"),
            plain: lambda: reading_of("o.now", o=Plain(live.now)),
            read: lambda: reading_of("o.now.request_timeout", o=live),
            "a change": change,
        },
        rounds,
    )
    report(
        settings=[
            Row(plain, minus(values[plain], values[empty]), "ns", ""),
            Row(read, minus(values[read], values[empty]), "ns", ""),
            Row("a change: merged, validated, in force", values["a change"], "ms", ""),
        ]
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
