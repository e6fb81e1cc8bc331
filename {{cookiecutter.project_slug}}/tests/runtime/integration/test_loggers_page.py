"""`/loggers` on the operators' port: which levels there are; another one for a while."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from ...support.process import until
from ...support.serving import Served, served

TOKEN = "a-token-of-the-operators"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
DEBUG = {"level": "debug", "seconds": 60}


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    groups: dict[str, Any] = {
        "management": {"token": TOKEN},
        "log": {"levels": {"lab.settings": "error", "access": "warning"}},
    }
    async with served(tmp_path_factory.mktemp("loggers"), **groups) as it:
        yield it


@pytest.fixture
async def running(service: Served) -> AsyncIterator[Served]:
    """The service, with no level held and nothing logged before and after."""
    service.records.lines.clear()
    yield service
    await service.ops.delete("/loggers", headers=OPERATOR)


async def loggers(running: Served) -> dict[str, dict[str, Any]]:
    listed = (await running.ops.get("/loggers")).json()["loggers"]
    return {one["name"]: one for one in listed}


def held(running: Served) -> list[str]:
    return [one["name"] for one in running.pipeline.levels.reports() if one["held"]]


async def test_every_logger_says_its_level_and_why(running: Served) -> None:
    listed = await loggers(running)
    assert listed["root"]["level"] == "info"
    assert listed["shutdown"]["level"] == "info"  # one of ours
    assert listed["asyncio"]["known"]  # one of the standard library's
    assert listed["access"] == {
        "name": "access",
        "level": "warning",
        "settings": "warning",
        "held": None,
        "known": True,
    }
    assert not listed["lab.settings"]["known"]
    assert (await running.ops.get("/loggers/access")).json() == listed["access"]


async def test_a_level_is_held_seen_and_released(running: Served) -> None:
    log = structlog.get_logger().bind(logger="rate limit")
    log.debug("too quiet")
    put = await running.ops.put("/loggers/rate%20limit", json=DEBUG, headers=OPERATOR)
    assert put.status_code == 200
    seen = (await running.ops.get("/loggers/rate%20limit")).json()
    assert (seen["level"], seen["settings"], seen["known"]) == ("debug", "info", True)
    assert seen["held"]["level"] == "debug"
    assert 0 < seen["held"]["seconds_left"] <= 60
    log.debug("written")
    deleted = await running.ops.delete("/loggers/rate%20limit", headers=OPERATOR)
    assert deleted.status_code == 200
    assert deleted.json()["level"] == "info"
    assert deleted.json()["held"] is None
    log.debug("too quiet")
    assert len(running.records.of("written")) == 1
    assert running.records.of("too quiet") == []


async def test_a_library_s_level_ends_by_itself(running: Served) -> None:
    body = {"level": "debug", "seconds": 1}
    await running.ops.put("/loggers/lab.library", json=body, headers=OPERATOR)
    theirs = logging.getLogger("lab.library.part")
    assert theirs.isEnabledFor(logging.DEBUG)
    await until(lambda: not theirs.isEnabledFor(logging.DEBUG))
    assert held(running) == []


async def test_without_a_time_it_is_ten_minutes(running: Served) -> None:
    put = await running.ops.put("/loggers/root", json={"level": "error"}, headers=OPERATOR)
    assert put.json()["name"] == "root"
    assert 590 < put.json()["held"]["seconds_left"] <= 600


async def test_a_typing_error_is_held_and_shows(running: Served) -> None:
    put = await running.ops.put("/loggers/ordesr", json=DEBUG, headers=OPERATOR)
    assert put.status_code == 200
    assert not put.json()["known"]
    assert (await loggers(running))["ordesr"]["held"]
    [record] = running.records.of("log level held")
    assert (record["name"], record["known"]) == ("ordesr", False)
    gone = await running.ops.get("/loggers/nobody")
    assert (gone.status_code, gone.json()["known"]) == (200, False)


async def test_all_of_them_can_be_ended_at_once(running: Served) -> None:
    for name in ("access", "shutdown"):
        await running.ops.put(f"/loggers/{name}", json=DEBUG, headers=OPERATOR)
    assert held(running) == ["access", "shutdown"]
    cleared = await running.ops.delete("/loggers", headers=OPERATOR)
    assert cleared.status_code == 204
    assert held(running) == []
    assert running.records.of("log levels released")[0]["names"] == ["access", "shutdown"]


async def test_every_change_is_written_down(running: Served) -> None:
    await running.ops.put("/loggers/root", json={"level": "error"}, headers=OPERATOR)
    await running.ops.put("/loggers/access", json=DEBUG, headers=OPERATOR)
    await running.ops.delete("/loggers/access", headers=OPERATOR)
    await running.ops.delete("/loggers/access", headers=OPERATOR)  # nothing changes any more
    await running.ops.put("/loggers/access", json=DEBUG, headers={"Authorization": "Bearer x"})
    audit = [record for record in running.records.all() if record.get("logger") == "audit"]
    events = [record["event"] for record in audit]
    assert events == ["log level held"] * 2 + ["log level released", "change refused"]
    assert audit[1]["held"] == DEBUG
    assert audit[1]["client"] == "127.0.0.1"
    assert [record["level"] for record in audit] == ["warning"] * 4


async def test_what_operators_do_cannot_be_silenced(running: Served) -> None:
    refused = await running.ops.put("/loggers/audit", json={"level": "error"}, headers=OPERATOR)
    assert refused.status_code == 403
    assert refused.json()["detail"] == "What operators do is always written down."
    assert held(running) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"level": "loud"}, "/level"),
        ({"level": "DEBUG"}, "/level"),
        ({"level": 10}, "/level"),
        ({"seconds": 60}, "/level"),
        ({"level": "debug", "seconds": 0.9}, "/seconds"),
        ({"level": "debug", "seconds": 3601}, "/seconds"),
        ({"level": "debug", "seconds": "60"}, "/seconds"),
        ({"level": "debug", "seconds": None}, "/seconds"),
        ({"level": "debug", "for": 60}, "/for"),
    ],
)
async def test_what_cannot_be_held_is_refused(
    running: Served, body: dict[str, Any], pointer: str
) -> None:
    response = await running.ops.put("/loggers/access", json=body, headers=OPERATOR)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert held(running) == []


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"level=debug", "application/x-www-form-urlencoded", 415),
        (b"{}" + b" " * 70_000, "application/json", 413),
    ],
)
async def test_what_is_no_command_is_refused(
    running: Served, content: bytes, media_type: str, status: int
) -> None:
    headers = OPERATOR | {"Content-Type": media_type}
    response = await running.ops.put("/loggers/access", content=content, headers=headers)
    assert response.status_code == status
    assert held(running) == []


async def test_without_the_token_nothing_changes(running: Served) -> None:
    await running.ops.put("/loggers/access", json=DEBUG, headers=OPERATOR)
    for method, path in (
        ("PUT", "/loggers/root"),
        ("DELETE", "/loggers/access"),
        ("DELETE", "/loggers"),
    ):
        assert (await running.ops.request(method, path, json=DEBUG)).status_code == 401
    assert held(running) == ["access"]


async def test_another_method_is_a_problem(running: Served) -> None:
    response = await running.ops.post("/loggers/access", json=DEBUG, headers=OPERATOR)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}
