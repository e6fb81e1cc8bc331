"""No request outlives its deadline, over real connections."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from fastapi import BackgroundTasks
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import StreamingResponse

from steadfast_service.runtime import deadlines
from steadfast_service.runtime.context import NO_DEADLINE, current
from steadfast_service.runtime.deadlines import within

from ...support.serving import Served, served

LIMIT = 0.3  # seconds, the service's own
LONGER = 60.0  # a route's
BOUND = 5.0  # whatever ends within this has not waited for anything else
FOREVER = 3600.0


class Lab:
    """Endpoints that misbehave, and what they have seen."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.done = asyncio.Event()
        self.thread = threading.Event()

    async def granted(self) -> float:
        state = current.get()
        assert state is not None
        return state.deadline - state.begun

    async def hang(self) -> None:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def stubborn(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(FOREVER)
        await self.hang()

    async def share(self) -> None:
        async with within(0.5, "the warehouse"):
            await asyncio.sleep(FOREVER)

    def block(self) -> None:
        self.thread.wait(BOUND)

    async def half(self) -> StreamingResponse:
        return StreamingResponse(self._parts(1, FOREVER))

    async def ticking(self) -> StreamingResponse:
        return StreamingResponse(self._parts(15, LIMIT / 12))

    async def stalling(self) -> StreamingResponse:
        return StreamingResponse(self._parts(2, FOREVER))

    async def background(self, tasks: BackgroundTasks) -> str:
        tasks.add_task(self._after)
        return "answered"

    async def _after(self) -> None:
        await self.gate.wait()
        self.done.set()

    async def _parts(self, number: int, pause: float) -> AsyncIterator[bytes]:
        for n in range(number):
            yield f"part {n}\n".encode()
            await asyncio.sleep(pause)


@pytest.fixture(scope="module")
async def lab() -> Lab:
    return Lab()


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> AsyncIterator[Served]:
    http = {"request_timeout": LIMIT, "stream_idle_timeout": 2 * LIMIT, "blocking_threads": 1}
    async with served(tmp_path_factory.mktemp("deadlines"), http=http) as it:
        add = it.service.api.router.add_api_route
        for name in ("granted", "hang", "stubborn", "share", "block", "half", "background"):
            add(f"/api/lab/{name}", getattr(lab, name), response_model=None)
        for name in ("ticking", "stalling"):
            add(f"/api/lab/{name}", getattr(lab, name), openapi_extra={"x-stream": True})
        add("/api/lab/hanging-stream", lab.hang, openapi_extra={"x-stream": True})
        add("/api/lab/longer", lab.granted, openapi_extra={"x-deadline": LONGER})
        add("/api/lab/shorter", lab.hang, openapi_extra={"x-deadline": 0.01})
        yield it


async def exceeded(running: Served) -> float:
    return await running.metric("deadline_exceeded_total")


async def granted(running: Served, *headers: tuple[str, str], path: str = "longer") -> float:
    """Seconds that a request with these headers is given."""
    response = await running.client.get(f"/api/lab/{path}", headers=list(headers))
    assert response.status_code == 200
    return round(float(response.text), 6)


async def test_a_handler_that_hangs_is_cancelled_and_answered_for(
    running: Served, lab: Lab
) -> None:
    before, cancelled = await exceeded(running), lab.cancelled
    async with asyncio.timeout(BOUND):
        response = await running.client.get("/api/lab/hang")
    assert response.status_code == 504
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert lab.cancelled == cancelled + 1
    assert await exceeded(running) == before + 1


async def test_a_caller_without_time_is_told_so_at_once(running: Served, lab: Lab) -> None:
    before, cancelled = await exceeded(running), lab.cancelled
    header = {"X-Request-Timeout-Ms": "0"}
    response = await running.client.get("/api/lab/hang", headers=header)
    assert response.status_code == 504
    assert lab.cancelled == cancelled  # it never began
    assert await exceeded(running) == before + 1


async def test_a_route_s_own_limit_may_be_longer_or_shorter(running: Served) -> None:
    assert await granted(running, path="granted") == LIMIT
    assert await granted(running) == LONGER
    before = await exceeded(running)
    assert (await running.client.get("/api/lab/shorter")).status_code == 504
    assert await exceeded(running) == before + 1


@pytest.mark.parametrize("name", ["X-Request-Timeout-Ms", "X-Envoy-Expected-Rq-Timeout-Ms"])
async def test_a_header_shortens_and_never_lengthens(running: Served, name: str) -> None:
    assert await granted(running, (name, "5500")) == 5.5
    assert await granted(running, (name, "60001")) == LONGER
    assert await granted(running, (name, "60001"), path="granted") == LIMIT


async def test_envoy_s_zero_means_no_limit_of_its_own(running: Served) -> None:
    assert await granted(running, ("X-Envoy-Expected-Rq-Timeout-Ms", "0")) == LONGER


async def test_of_several_budgets_the_smallest_holds(running: Served) -> None:
    ours, envoy = "X-Request-Timeout-Ms", "X-Envoy-Expected-Rq-Timeout-Ms"
    assert await granted(running, (ours, "7000"), (ours, "5000"), (ours, "9000")) == 5
    assert await granted(running, (ours, "7000"), (envoy, "5000")) == 5
    assert await granted(running, (ours, "5000"), (envoy, "7000")) == 5
    assert await granted(running, (ours, "garbage"), (ours, "5000")) == 5


@settings(max_examples=40)
@given(
    # Without blanks around it, which no client may send.
    st.from_regex(r"([!-~]([ -~]{0,28}[!-~])?)?", fullmatch=True)
    | st.integers(max_value=-1).map(str)
    | st.integers(min_value=10**9).map(str)
)
async def test_no_header_opts_out(running: Served, value: str) -> None:
    response = await running.client.get("/api/lab/longer", headers={"X-Request-Timeout-Ms": value})
    if response.status_code == 200:
        assert 0 < float(response.text) <= LONGER
    else:  # a number after all, and too small to get there
        assert response.status_code == 504
        assert int(value) / 1000 < LONGER


async def test_a_handler_that_swallows_its_cancellation_gets_another(running: Served) -> None:
    async with asyncio.timeout(BOUND):
        response = await running.client.get("/api/lab/stubborn")
    assert response.status_code == 504


async def test_a_share_that_is_used_up_is_named_and_counted(running: Served) -> None:
    before = await exceeded(running)
    response = await running.client.get("/api/lab/share")
    assert response.status_code == 504
    assert response.json()["detail"] == "The warehouse ran out of time."
    assert await exceeded(running) == before + 1


async def test_a_thread_holds_its_slot_beyond_the_deadline(running: Served, lab: Lab) -> None:
    try:
        for _ in range(2):  # the second does not even get a thread
            assert (await running.client.get("/api/lab/block")).status_code == 504
    finally:
        lab.thread.set()
    async with asyncio.timeout(BOUND):
        while (await running.client.get("/api/lab/block")).status_code != 200:
            pass


async def test_a_response_that_has_begun_is_cut_off(running: Served) -> None:
    running.records.lines.clear()
    with pytest.raises(httpx.RemoteProtocolError):
        async with asyncio.timeout(BOUND):
            await running.client.get("/api/lab/half")
    [record] = running.records.of("response cut off")
    assert record["cause"] == "deadline exceeded"


async def test_a_stream_may_take_longer_than_a_request(running: Served) -> None:
    response = await running.client.get("/api/lab/ticking")
    assert response.text.count("part") == 15
    assert response.elapsed.total_seconds() > LIMIT


async def test_a_stream_that_sends_nothing_is_cut_off(running: Served) -> None:
    running.records.lines.clear()
    with pytest.raises(httpx.RemoteProtocolError):
        async with asyncio.timeout(BOUND):
            await running.client.get("/api/lab/stalling")
    [record] = running.records.of("response cut off")
    assert record["cause"] == "stream idle"


async def test_a_stream_that_never_begins_has_a_deadline(running: Served) -> None:
    async with asyncio.timeout(BOUND):
        response = await running.client.get("/api/lab/hanging-stream")
    assert response.status_code == 504


async def test_work_after_the_response_is_left_alone(running: Served, lab: Lab) -> None:
    assert (await running.client.get("/api/lab/background")).json() == "answered"
    await asyncio.sleep(2 * LIMIT)  # its deadline passes
    assert not lab.done.is_set()
    lab.gate.set()
    async with asyncio.timeout(BOUND):
        await lab.done.wait()


async def test_the_request_s_state_does_not_outlive_it(running: Served) -> None:
    assert current.get() is None
    assert deadlines.remaining() == NO_DEADLINE
