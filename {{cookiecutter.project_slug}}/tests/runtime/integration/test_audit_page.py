"""Who may change something on the operators' port, and what is remembered of who tried."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request

from steadfast_service.runtime.config.live import Live
from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.ops.access import Access
from steadfast_service.runtime.ops.audit import (
    BURST,
    CHANGES,
    REFUSALS,
    Audit,
)

from ...support.management import OPERATOR, TOKEN, changes
from ...support.records import Records
from ...support.serving import Served, served

FAULT = {"route": "GET /api/version", "abort_status": 503, "expires_in": 60}
DEBUG = {"level": "debug", "seconds": 60}
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("audit"), management={"token": TOKEN}) as it:
        yield it


@pytest.fixture
async def running(service: Served) -> AsyncIterator[Served]:
    """The service with nothing held, injected or logged before and after."""
    service.records.lines.clear()
    yield service
    for path in ("/faults", "/loggers"):
        await service.ops.delete(path, headers=OPERATOR)


async def audit(running: Served) -> dict[str, Any]:
    read: dict[str, Any] = (await running.ops.get("/audit")).json()
    return read


async def test_what_was_changed_is_remembered_newest_first(running: Served) -> None:
    added = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
    await running.ops.put("/loggers/lab", json=DEBUG, headers=OPERATOR)
    force = {"state": "open", "seconds": 5}
    await running.ops.post("/dependencies/payments/force", json=force, headers=OPERATOR)
    await running.ops.delete("/dependencies/payments/force", headers=OPERATOR)
    entries = (await audit(running))["entries"][:4]
    assert [one["event"] for one in entries] == [
        "breaker released",
        "breaker forced",
        "log level held",
        "fault added",
    ]
    assert {one["client"] for one in entries} == {"127.0.0.1"}
    assert [one["method"] for one in entries] == ["DELETE", "POST", "PUT", "POST"]
    assert entries[1]["what"] == {"dependency": "payments", **force}
    assert entries[2]["path"] == "/loggers/lab"
    assert entries[3]["what"]["id"] == added.json()["id"]
    assert entries[0]["at"] >= entries[3]["at"]
    logged = [one for one in running.records.all() if one.get("logger") == "audit"]
    assert [one["event"] for one in reversed(logged)] == [one["event"] for one in entries]


async def test_so_is_what_was_refused(running: Served) -> None:
    before = (await audit(running))["refused"]
    for headers in ({}, {"Authorization": "Bearer guess-guess-guess"}):
        await running.ops.post("/faults", json=FAULT, headers=headers)
    await running.ops.post("/faults", json=FAULT, headers={**OPERATOR, "Origin": EVIL})
    read = await audit(running)
    assert read["refused"] == before + 3
    assert [one["what"]["reason"] for one in read["entries"][:3]] == [
        "another site",
        "another token",
        "no token",
    ]
    assert {one["event"] for one in read["entries"][:3]} == {"change refused"}
    assert len(running.records.of("change refused")) == 3


async def test_no_token_is_ever_shown(running: Served) -> None:
    guess = "guess-that-nobody-must-see"
    for headers in (OPERATOR, {"Authorization": f"Bearer {guess}"}, {**OPERATOR, "Origin": EVIL}):
        answer = await running.ops.post("/faults", json=FAULT, headers=headers)
        assert TOKEN not in answer.text
        assert guess not in answer.text
    shown = (await running.ops.get("/audit")).text + str(running.records.lines)
    assert TOKEN not in shown
    assert guess not in shown


async def test_everything_that_changes_something_asks_for_the_token(running: Served) -> None:
    some = {("POST", "/faults"), ("PUT", "/loggers/1"), ("DELETE", "/faults/1")}
    assert some <= set(changes(running.service))
    for method, path in changes(running.service):
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}):
            answer = await running.ops.request(method, path, headers=headers)
            assert (answer.status_code, method, path) == (401, method, path)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_flood_of_guesses_fills_neither_the_log_nor_the_memory(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    guesses = 300
    async with served(tmp_path_factory.mktemp("flood"), management={"token": TOKEN}) as running:
        await running.ops.put("/loggers/lab", json=DEBUG, headers=OPERATOR)
        for number in range(guesses):
            headers = {"Authorization": f"Bearer {number}"}
            answer = await running.ops.post("/faults", json=FAULT, headers=headers)
            assert answer.status_code == 401
        read = await audit(running)
        assert read["refused"] == guesses
        assert len(read["entries"]) == REFUSALS + 1
        assert read["entries"][-1]["event"] == "log level held"  # none has pushed it out
        await running.ops.delete("/loggers", headers=OPERATOR)  # and who may still can


def test_refusals_beyond_the_burst_are_counted_in_the_next_that_is_told(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    log = Audit()
    for _ in range(BURST + 7):
        log.refused(request(), "no token")
    assert len(records.of("change refused")) == BURST
    now[0] += 1
    log.refused(request(), "no token")
    log.refused(request(), "no token")
    told = records.of("change refused")
    assert len(told) == BURST + 1
    assert told[-1]["untold_before"] == 7
    assert log.report()["refused"] == BURST + 9


def test_the_memory_of_changes_is_bounded(records: Records) -> None:
    log = Audit()
    for number in range(10_000):
        log.changed("done", request("/" + "p" * 5_000), {"number": number, "text": "x" * 10_000})
        records.lines.clear()
    entries = log.report()["entries"]
    assert [one["what"]["number"] for one in entries] == list(range(9_999, 9_999 - CHANGES, -1))
    assert len(str(entries)) < CHANGES * 6_000


def request(path: str = "/faults", **headers: str) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    where = {"server": ("127.0.0.1", 9000), "client": ("127.0.0.1", 1)}
    return Request(
        {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw}
        | where
    )


def test_a_token_may_be_as_long_as_it_likes(records: Records) -> None:
    class Group(dict[str, SecretStr]):
        """A branch of the settings."""

    access = Access(Live(Group(token=SecretStr(TOKEN))), Audit())  # type: ignore[arg-type]
    with pytest.raises(Problem) as refused:
        access.check(request(authorization="Bearer " + "x" * 10_000_000))
    assert refused.value.status == 401
    assert len(str(records.lines)) < 1_000
    access.check(request(authorization=f"Bearer {TOKEN}"))
    assert TOKEN not in str(vars(access))


async def test_a_head_of_ten_megabytes_is_cut_off(running: Served) -> None:
    headers = {"Authorization": "Bearer " + "x" * 10_000_000}
    try:
        answer = await running.ops.post("/faults", json=FAULT, headers=headers)
        assert answer.status_code == 431
    except httpx.TransportError:
        pass  # it still sends, and we have gone
    assert (await running.ops.get("/livez")).status_code == 200


async def test_without_a_token_all_of_it_is_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with served(tmp_path_factory.mktemp("off")) as running:
        for method, path in changes(running.service):
            answer = await running.ops.request(method, path, headers=OPERATOR)
            assert (answer.status_code, method, path) == (403, method, path)
        read = await audit(running)
        assert read["entries"][0]["what"]["reason"] == "no token is set"
        assert not (await running.ops.get("/info")).json()["changes"]
