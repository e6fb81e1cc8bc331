"""Who is told of a change: in order, after it is in force, none in the way of another."""

import asyncio
from typing import Any

from steadfast_service.runtime.config.snapshot import Snapshot, Snapshots
from steadfast_service.runtime.config.subscribers import Change, Subscribers
from steadfast_service.settings import Settings

from ...support.records import record_logs


def snapshots(limit: float = 5.0) -> Snapshots[Settings]:
    made = Snapshots(Snapshot(Settings()))
    made.subscribers = Subscribers(limit)
    return made


def put(made: Snapshots[Settings], size: int) -> None:
    settings = Settings.model_validate({"log": {"story_size": size}})
    assert made.replace(made.current.version, Snapshot(settings))


def test_each_hears_every_version_in_order_when_it_is_in_force() -> None:
    made = snapshots()
    seen: list[tuple[str, int, int]] = []

    def hear(name: str) -> Any:
        def told(change: Change[Settings]) -> None:
            assert made.current is change.new
            seen.append((name, change.old.version, change.new.version))

        return told

    made.subscribe("one", hear("one"))
    made.subscribe("two", hear("two"))
    for size in (1, 2):
        put(made, size)
    assert seen == [("one", 1, 2), ("two", 1, 2), ("one", 2, 3), ("two", 2, 3)]


def test_one_that_raises_is_counted_and_the_others_still_hear() -> None:
    _, records = record_logs()
    made = snapshots()
    seen: list[int] = []

    def fail(_: Change[Settings]) -> None:
        raise ValueError("no\nthanks")

    failing = made.subscribe("failing", fail)
    made.subscribe("well", lambda change: seen.append(change.new.version))
    put(made, 1)
    put(made, 2)
    assert seen == [2, 3]
    assert (failing.failures, made.subscribers.failures()) == (2, 2)
    assert made.settings.log.story_size == 2  # nothing rolls back
    [first, _second] = records.of("a subscriber failed")
    assert (first["subscriber"], first["error"]) == ("failing", "ValueError: no")


def test_a_change_that_a_subscriber_brings_about_is_told_after_this_one() -> None:
    made = snapshots()
    seen: list[tuple[str, int]] = []

    def push(change: Change[Settings]) -> None:
        seen.append(("pushing", change.new.version))
        if change.new.version == 2:
            put(made, 7)

    made.subscribe("pushing", push)
    made.subscribe("other", lambda change: seen.append(("other", change.new.version)))
    put(made, 1)
    assert seen == [("pushing", 2), ("other", 2), ("pushing", 3), ("other", 3)]


async def test_one_that_hangs_is_ended_and_hears_the_next() -> None:
    _, records = record_logs()
    made = snapshots(limit=0.05)
    seen: list[int] = []
    done = asyncio.Event()

    async def hang_once(change: Change[Settings]) -> None:
        if change.new.version == 2:
            await asyncio.Event().wait()
        seen.append(change.new.version)
        done.set()

    hanging = made.subscribe("hanging", hang_once)
    quick: list[int] = []
    made.subscribe("quick", lambda change: quick.append(change.new.version))
    put(made, 1)
    put(made, 2)
    assert quick == [2, 3]  # it did not wait
    await done.wait()
    assert (seen, hanging.failures) == ([3], 1)
    assert records.of("a subscriber failed")[0]["error"] == "TimeoutError: "


async def test_a_slow_one_works_through_its_changes_one_at_a_time() -> None:
    made = snapshots()
    seen: list[int] = []
    at_work = 0
    gate, done = asyncio.Event(), asyncio.Event()

    async def work(change: Change[Settings]) -> None:
        nonlocal at_work
        at_work += 1
        assert at_work == 1
        await gate.wait()
        at_work -= 1
        seen.append(change.new.version)
        if len(seen) == 3:
            done.set()

    made.subscribe("slow", work)
    for size in (1, 2, 3):
        put(made, size)
    gate.set()
    await done.wait()
    assert seen == [2, 3, 4]


async def test_who_is_removed_hears_nothing_more() -> None:
    made = snapshots()
    cancelled = asyncio.Event()
    begun = asyncio.Event()

    async def hang(_: Change[Settings]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    subscriber = made.subscribe("hanging", hang)
    put(made, 1)
    put(made, 2)
    await begun.wait()
    made.subscribers.remove(subscriber)
    await cancelled.wait()
    put(made, 3)
    assert subscriber.failures == 0
