"""Who may take a profile, when, for how long, and what is kept of it."""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from steadfast_service.runtime.ops.diagnostics.taken import (
    KEPT,
)

from ...support.management import OPERATOR, TOKEN
from ...support.process import LIMIT, until
from ...support.profiles import PROFILES, ask, begun, finished, report
from ...support.serving import Served, served


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path, management={"token": TOKEN, "profile_limit": 50}) as service:
        yield service


async def test_one_at_a_time(it: Served) -> None:
    first = ask(it.ops, kind="wall", seconds=30)
    runs = await begun(it.ops)
    assert runs["kind"] == "wall"
    assert 0 < runs["seconds_left"] <= 30
    refused = await ask(it.ops, kind="cpu", seconds=1)
    assert refused.status_code == 409
    assert "wall profile runs, for another" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 31
    first.cancel()


async def test_a_caller_who_leaves_ends_it(it: Served) -> None:
    usual = sys.getswitchinterval()
    asking = ask(it.ops, kind="cpu", seconds=50)
    await begun(it.ops)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(LIMIT):
        while (await report(it.ops))["running"] is not None:
            await asyncio.sleep(0.01)
    # It leaves nothing behind.
    await until(lambda: "profile sampler" not in {one.name for one in threading.enumerate()})
    assert sys.getswitchinterval() == usual
    assert (await report(it.ops))["profiles"] == []
    assert [one["kind"] for one in it.records.of("profile ended early")] == ["cpu"]


async def test_the_end_of_the_service_ends_it(tmp_path: Path) -> None:
    async with served(tmp_path, management={"token": TOKEN}) as it:
        asking = ask(it.ops, kind="cpu", seconds=60)
        await begun(it.ops)
        before = time.monotonic()
    assert time.monotonic() - before < LIMIT
    with contextlib.suppress(httpx.TransportError):
        assert (await asking).status_code == 503


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": "Bearer another"}, 401)]
)
async def test_it_takes_the_token(it: Served, headers: dict[str, str], status: int) -> None:
    answer = await it.ops.post(PROFILES, json={"kind": "cpu"}, headers=headers)
    assert answer.status_code == status
    assert (await it.ops.delete(f"{PROFILES}/1", headers=headers)).status_code == status
    assert it.records.of("profile started") == []


async def test_without_a_token_there_are_none(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        assert (await ask(it.ops, kind="cpu", seconds=1)).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "cpu", "seconds": 50.5}, "/seconds"),
        ({"kind": "cpu", "seconds": 0}, "/seconds"),
        ({"kind": "wall", "rate": 1001}, "/rate"),
        ({"kind": "magic"}, "/kind"),
        ({"seconds": 1}, "/kind"),
        ({"kind": "cpu", "second": 1}, "/second"),
    ],
)
async def test_what_cannot_be_asked_for(it: Served, wanted: dict[str, Any], field: str) -> None:
    answer = await ask(it.ops, **wanted)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [field]


async def test_the_last_ones_are_kept_and_told(it: Served) -> None:
    taken = [await finished(ask(it.ops, kind="wall", seconds=0.01)) for _ in range(KEPT + 1)]
    ids = [one["id"] for one in taken]
    listed = await report(it.ops)
    assert listed["limit_seconds"] == 50
    assert [one["kind"] for one in listed["kinds"]] == ["cpu", "wall", "heap", "growth"]
    assert [one["id"] for one in listed["profiles"]] == ids[:0:-1]
    assert (await it.ops.get(f"{PROFILES}/{ids[0]}")).status_code == 404
    path = f"{PROFILES}/{ids[-1]}"
    assert (await it.ops.get(path)).json() == taken[-1]
    assert (await it.ops.get(f"{path}/magic")).status_code == 404
    assert (await it.ops.delete(path, headers=OPERATOR)).status_code == 204
    assert (await it.ops.get(path)).status_code == 404
    events = [one["event"] for one in (await it.ops.get("/audit")).json()["entries"]]
    assert events == ["profile removed", *["profile started"] * (KEPT + 1)]
