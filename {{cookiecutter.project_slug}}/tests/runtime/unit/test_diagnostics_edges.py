"""What diagnostics leave behind, and what they must not miss."""

import asyncio
import gc
import sys
import time
from typing import Any

import pytest

from steadfast_service.runtime.observability.heartbeat import Heartbeat
from steadfast_service.runtime.ops.diagnostics.flame import MAX_BOXES, layout
from steadfast_service.runtime.ops.diagnostics.function_names import (
    FunctionNames,
)
from steadfast_service.runtime.ops.diagnostics.heap import (
    Pauses,
    take_census,
)
from steadfast_service.runtime.ops.diagnostics.sampler import Sampler
from steadfast_service.runtime.ops.diagnostics.stall_place import Place
from steadfast_service.runtime.ops.diagnostics.stall_watch import (
    Stall,
    StallWatch,
)
from steadfast_service.runtime.ops.diagnostics.stalls import (
    TELL_EVERY,
    Stalls,
)

from ...support.process import LIMIT, until
from ...support.records import record_logs

MIB = 1 << 20


async def test_a_profile_that_is_left_gives_the_switch_interval_back_at_once() -> None:
    usual = sys.getswitchinterval()
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        time.sleep(0.05)  # still in it when the caller goes

    first = asyncio.create_task(Sampler(look, 1000).run(30))
    await until(lambda: bool(looks))
    assert sys.getswitchinterval() < usual
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert sys.getswitchinterval() == usual
    await Sampler(look, 1000).run(0.01)
    assert sys.getswitchinterval() == usual


async def test_what_plain_containers_hold_is_counted() -> None:
    kept = [{str(n): "x" * 1000 + str(n)} for n in range(10 * MIB // 1000)]
    kept.append({"": ""})
    pairs = [(str(n), b"x" * 1000 + str(n).encode()) for n in range(2 * MIB // 1000)]
    gc.collect()  # which leaves them to those who hold them
    census, _ = await take_census(Pauses())
    assert census[str][1] >= 10 * MIB
    assert census[bytes][1] >= MIB
    del kept, pairs


def place(line: str) -> Place:
    values: dict[str, Any] = dict.fromkeys(Place._fields)
    return Place(**{**values, "line": line})


def test_a_line_that_blocks_for_ever_is_told_though_it_just_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, records = record_logs()
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stalls = Stalls()
    short = Stall(0.0, 0.0, place("orders.py:1 in f"))
    stalls.began(short)
    short.seconds = 0.3
    stalls.ended(short)
    stalls.looked()
    now[0] += TELL_EVERY / 2
    stalls.began(Stall(0.0, 0.0, place("orders.py:1 in f")))
    stalls.looked()
    assert len(records.of("event loop blocked")) == 1  # it was just told
    now[0] += TELL_EVERY
    stalls.looked()
    stalls.looked()
    assert len(records.of("event loop blocked")) == 2


class Heard:
    """What the watchdog tells."""

    def __init__(self) -> None:
        self.stalls: list[Stall] = []
        self.over: list[Stall] = []

    def began(self, stall: Stall) -> None:
        self.stalls.append(stall)

    def ended(self, stall: Stall) -> None:
        self.over.append(stall)

    def looked(self) -> None:
        """Nothing to remember."""


async def test_a_stall_ends_though_nobody_looks_any_more() -> None:
    heartbeat, heard = Heartbeat(), Heard()
    watch = StallWatch(heartbeat, lambda: True, heard)
    beating = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0)
    watch.update(0.25)
    end = time.monotonic() + LIMIT
    while not heard.stalls and time.monotonic() < end:
        time.sleep(0.01)  # noqa: ASYNC251 - the fault that is looked for
    beat = heartbeat.at
    while heartbeat.at == beat:
        await asyncio.sleep(0)
    watch.update(0)  # before the next look
    await until(lambda: bool(heard.over))
    assert heard.over == heard.stalls
    assert heard.over[0].seconds is not None
    beating.cancel()
    watch.close()


def test_of_boxes_of_one_width_as_many_stay_as_there_is_room_for() -> None:
    stacks = [(tuple(f"f{n} {depth}" for depth in range(50)), 1.0) for n in range(100)]
    boxes = layout(stacks)
    assert len(boxes) == MAX_BOXES
    assert max(box.depth for box in boxes) >= MAX_BOXES // 100 - 1


def test_a_module_that_replaced_itself_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        __file__ = "/nowhere/odd.py"

    monkeypatch.setitem(sys.modules, "odd_one", Odd())
    assert FunctionNames().at("/nowhere/odd.py", 1) == "?"
