"""The bounded pool for blocking work."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from steadfast_service.runtime.threads import Threads

LIMIT = 5.0  # seconds; nothing here takes so long unless it hangs
who: ContextVar[str] = ContextVar("who")


async def until_free(threads: Threads) -> None:
    """Wait until no slot is taken."""
    async with asyncio.timeout(LIMIT):
        while threads.busy:
            await asyncio.sleep(0.001)


async def test_work_runs_in_a_thread_and_sees_the_context() -> None:
    who.set("request 7")

    def work(a: int, *, b: int) -> tuple[int, str, bool]:
        return a + b, who.get(), threading.current_thread() is threading.main_thread()

    assert await Threads(1).run(work, 1, b=2) == (3, "request 7", False)


async def test_its_exception_is_the_caller_s() -> None:
    threads = Threads(1)

    def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await threads.run(fail)
    await until_free(threads)
    assert await threads.run(lambda: "next") == "next"


async def test_a_slot_is_held_until_the_thread_has_ended() -> None:
    threads = Threads(1)
    started, end = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        end.wait(LIMIT)

    caller = asyncio.ensure_future(threads.run(work))
    async with asyncio.timeout(LIMIT):
        while not started.is_set():
            await asyncio.sleep(0.001)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert threads.busy == 1

    second = asyncio.ensure_future(threads.run(lambda: "done"))
    await asyncio.sleep(0.05)  # time enough to start, were there a slot
    assert not second.done()
    end.set()
    async with asyncio.timeout(LIMIT):
        assert await second == "done"
    await until_free(threads)


async def test_who_gives_up_waiting_takes_no_slot() -> None:
    threads = Threads(1)
    end = threading.Event()
    first = asyncio.ensure_future(threads.run(end.wait, LIMIT))
    waiting = [asyncio.ensure_future(threads.run(lambda: None)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    end.set()
    assert await first
    await until_free(threads)
    assert await threads.run(lambda: "free") == "free"


async def test_cancelled_at_any_moment_no_slot_leaks() -> None:
    threads = Threads(2)
    for steps in range(8):
        tasks = [asyncio.ensure_future(threads.run(lambda: None)) for _ in range(20)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await until_free(threads)
    gate = threading.Barrier(2)  # passes only if both slots are there
    async with asyncio.timeout(LIMIT):
        await asyncio.gather(threads.run(gate.wait, LIMIT), threads.run(gate.wait, LIMIT))


async def test_never_more_threads_than_slots() -> None:
    threads = Threads(3)
    lock = threading.Lock()
    running = most = 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with lock:
            running -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(20)))
    assert most == 3


async def test_an_async_function_stays_as_it_is() -> None:
    async def work() -> None: ...

    assert Threads(1).wrap(work) is work
