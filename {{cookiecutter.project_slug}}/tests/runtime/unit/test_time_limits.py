"""The times that a request is held to, while they change."""

import asyncio
import time
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steadfast_service.runtime import deadlines
from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.http.access_log import AccessLog
from steadfast_service.runtime.http.deadline_guard import DeadlineGuard
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.time_limits import (
    TimeLimits,
    open_time_limits,
)
from steadfast_service.runtime.watchdog import Watchdog

from ...support.changing import Changing
from ...support.records import record_logs


class Http(Group):
    request_timeout: float = 5
    stream_idle_timeout: float = 30
    port: int = 8000


class Log(Group):
    slow_request: float = 1
    level: str = "info"


async def request(app: ASGIApp) -> RequestState:
    """One request as `RequestContext` would pass it on."""
    state = RequestState(time.monotonic(), "a" * 32, "id")
    state.sampled = False

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        state.status = message.get("status", state.status)

    token = current.set(state)
    try:
        await app({"type": "http", "method": "GET", "path": "/"}, receive, send)
    finally:
        current.reset(token)
    return state


def in_force(limits: TimeLimits) -> tuple[float, float, float]:
    return limits.request_timeout, limits.stream_idle_timeout, limits.slow_request


def guarded(app: ASGIApp, limits: TimeLimits) -> DeadlineGuard:
    return DeadlineGuard(app, limits=limits, watchdog=Watchdog(limits), metrics=Metrics())


def test_they_follow_both_groups_of_settings() -> None:
    http, log = Changing(Http()), Changing(Log())
    limits = open_time_limits(http, log)
    assert in_force(limits) == (5, 30, 1)
    http.change(request_timeout=2.5, stream_idle_timeout=10)
    assert in_force(limits) == (2.5, 10, 1)
    log.change(slow_request=0.5)
    assert in_force(limits) == (2.5, 10, 0.5)


async def test_a_request_keeps_the_deadline_that_it_began_with() -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()
    left: list[float] = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        entered.set()
        await go_on.wait()
        left.append(deadlines.remaining())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    limits = TimeLimits(request_timeout=60, stream_idle_timeout=1, slow_request=1)
    layer = guarded(app, limits)
    before = asyncio.ensure_future(request(layer))
    await entered.wait()
    limits.update_http(request_timeout=30, stream_idle_timeout=1)
    go_on.set()
    await before
    await request(layer)
    assert 30 < left[0] <= 60
    assert 0 < left[1] <= 30


async def test_the_next_request_has_the_new_one() -> None:
    async def app(*_: Any) -> None:
        await asyncio.sleep(60)

    limits = TimeLimits(request_timeout=60, stream_idle_timeout=1, slow_request=1)
    layer = guarded(app, limits)
    limits.update_http(request_timeout=0.02, stream_idle_timeout=1)
    assert (await request(layer)).status == 504


@pytest.mark.parametrize(("slow", "told"), [(0.0, True), (60.0, False)])
async def test_what_is_slow_is_decided_at_the_end_of_a_request(slow: float, told: bool) -> None:
    pipeline, records = record_logs()
    limits = TimeLimits(request_timeout=5, stream_idle_timeout=1, slow_request=30)

    async def app(_: Scope, __: Receive, send: Send) -> None:
        limits.update_log(slow_request=slow)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    await request(AccessLog(app, metrics=Metrics(), pipeline=pipeline, limits=limits, quiet=()))
    assert records.events() == (["request"] if told else [])
