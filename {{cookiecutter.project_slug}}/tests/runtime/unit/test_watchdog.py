"""The watchdog between an application and its connection."""

import asyncio
import time

import pytest
from starlette.types import Message

from steadfast_service.runtime.context import RequestState
from steadfast_service.runtime.time_limits import TimeLimits
from steadfast_service.runtime.watchdog import TICK, Cause, Watch, Watchdog


class Connection:
    """The server's side of `receive`."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.reading = 0

    def sends(self, body: bytes, *, more: bool) -> None:
        self.messages.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hangs_up(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        self.reading += 1
        try:
            return await self.messages.get()
        finally:
            self.reading -= 1


def watch_of(connection: Connection) -> Watch:
    task = asyncio.current_task()
    assert task is not None
    return Watch(RequestState(time.monotonic(), "a" * 32, "id"), connection.receive, task)


def limits() -> TimeLimits:
    return TimeLimits(request_timeout=5, stream_idle_timeout=60, slow_request=1)


async def settle() -> None:
    """Let everything that is ready to run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_body_stays_complete_and_in_order_while_it_listens() -> None:
    connection = Connection()
    watch = watch_of(connection)
    parts = [b"a", b"b", b"c", b"d"]
    read = []
    for number, part in enumerate(parts):
        watch.listen()
        connection.sends(part, more=number < len(parts) - 1)
        await settle()
        watch.listen()
        read.append((await watch())["body"])
    assert read == parts


async def test_it_takes_no_more_than_one_part_ahead() -> None:
    connection = Connection()
    watch = watch_of(connection)
    for _ in range(3):
        connection.sends(b"part", more=True)
    for _ in range(5):
        watch.listen()
        await settle()
    assert connection.messages.qsize() == 2


async def test_it_never_reads_beside_the_application() -> None:
    connection = Connection()
    watch = watch_of(connection)
    reading = asyncio.ensure_future(watch())
    await settle()
    watch.listen()
    await settle()
    assert connection.reading == 1
    connection.sends(b"part", more=False)
    assert (await reading)["body"] == b"part"


async def test_the_application_waits_for_what_is_being_listened_to() -> None:
    connection = Connection()
    watch = watch_of(connection)
    watch.listen()
    reading = asyncio.ensure_future(watch())
    await settle()
    assert connection.reading == 1
    connection.sends(b"part", more=False)
    assert (await reading)["body"] == b"part"


async def test_who_hung_up_is_noticed_and_the_work_cancelled() -> None:
    connection = Connection()
    watch = watch_of(connection)
    watch.listen()
    connection.hangs_up()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)
    watch.close()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert watch.cause is Cause.CLIENT_GONE
    assert watch.state.client_gone
    assert (await watch())["type"] == "http.disconnect"


async def test_a_broken_connection_is_the_application_s_to_see() -> None:
    async def broken() -> Message:
        raise OSError("reset")

    task = asyncio.current_task()
    assert task is not None
    watch = Watch(RequestState(time.monotonic(), "a" * 32, "id"), broken, task)
    watch.listen()
    await settle()
    assert watch.cause is None
    with pytest.raises(OSError, match="reset"):
        await watch()


async def test_left_alone_it_arms_no_timer() -> None:
    watchdog = Watchdog(limits())
    connection = Connection()
    state = RequestState(time.monotonic(), "a" * 32, "id")
    state.deadline = state.begun
    watch = watchdog.enter(state, connection.receive)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)
    watchdog.leave(watch)
    assert watch.cause is Cause.DEADLINE
    async with asyncio.timeout(5):
        while watchdog._armed:
            await asyncio.sleep(0.001)


async def test_a_changed_idle_limit_holds_for_streams_that_are_open() -> None:
    limited = limits()
    watchdog = Watchdog(limited)
    state = RequestState(time.monotonic(), "a" * 32, "id")
    state.stream, state.status, state.last_sent = True, 200, time.monotonic()
    watch = watchdog.enter(state, Connection().receive)
    await asyncio.sleep(5 * TICK)  # it has looked, and had nothing to say
    assert watch.cause is None
    limited.update_http(request_timeout=5, stream_idle_timeout=TICK)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)
    watchdog.leave(watch)
    assert watch.cause is Cause.STREAM_IDLE
