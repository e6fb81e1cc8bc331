"""`/failures` on the operators' port: what failed or was slow, each with its story."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.http.access_log import AccessLog
from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.http.request_context import RequestContext
from steadfast_service.runtime.observability import logs, rendering
from steadfast_service.runtime.observability.failures import (
    KEPT,
    LINE_BYTES,
    STORY_BYTES,
)
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.time_limits import TimeLimits

from ...support.records import record_logs
from ...support.serving import ORDER, Served, served

SLOW = 0.2  # seconds
SECRET = "hunter2hunter2"
SCRIPT = "<script>alert(1)</script>"


class Lab:
    """Endpoints that log, and then fail or take their time."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind(logger="lab")

    async def fine(self) -> None:
        self._log.info("step")

    async def failing(self, name: str) -> None:
        self._log.info("step", customer=name)
        raise LookupError(f"postgresql://user:{SECRET}@db is down")

    async def slow(self) -> None:
        self._log.info("step")
        await asyncio.sleep(1.5 * SLOW)

    async def secret(self) -> None:
        self._log.warning("step", password=SECRET, headers={"authorization": SECRET})
        raise Problem(502, "Nothing answers.")

    async def strange(self) -> None:
        self._log.info(SCRIPT, lone="a\ud800b", nul="a\0b", big=1 << 65, quoted='"}\n')
        self._log.info("long", text="x" * 1_000_000)
        raise Problem(500)

    async def handled(self) -> None:
        try:
            raise KeyError("mended")
        except KeyError:
            self._log.warning("step", exc_info=True)
        raise Problem(503)


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    log = {"sample_rate": 0, "key_route_rate": 0, "slow_request": SLOW}
    async with served(tmp_path_factory.mktemp("failures"), log=log) as it:
        lab = Lab()
        for path in ("fine", "failing/{name}", "slow", "secret", "strange", "handled"):
            endpoint = getattr(lab, path.partition("/")[0])
            it.service.api.router.add_api_route(f"/api/lab/{path}", endpoint)
        yield it


@pytest.fixture(params=["silent", "sampled", "development"])
async def running(service: Served, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    """The service as it logs in production, for a request it has chosen, and for people."""
    form = "console" if request.param == "development" else "json"
    render = rendering.renderer(form, service="tested", colours=True)
    logs.configure(service.records, render, level="info", story_size=64)
    rate = 0 if request.param == "silent" else 1
    context = service.service.app
    assert isinstance(context, RequestContext)
    context._sampling.update_logs(rate=rate, key_rate=rate, key_routes=())
    yield service
    record_back = rendering.renderer("json", service="tested", colours=False)
    logs.configure(service.records, record_back, level="info", story_size=64)


async def failures(running: Served) -> list[dict[str, Any]]:
    response = await running.ops.get("/failures")
    assert response.status_code == 200
    read = response.json()
    assert read["kept"] == KEPT
    found: list[dict[str, Any]] = read["failures"]
    return found


async def test_a_failed_request_is_kept_with_its_story(running: Served) -> None:
    response = await running.client.get("/api/lab/failing/cus_1?token=x")
    newest = (await failures(running))[0]
    assert newest["method"] == "GET"
    assert newest["path"] == "/api/lab/failing/cus_1"
    assert newest["route"] == "/api/lab/failing/{name}"
    assert (newest["status"], newest["slow"], newest["client"]) == (500, False, "127.0.0.1")
    assert newest["request_id"] == newest["trace_id"] == response.headers["x-request-id"]
    assert newest["at"].endswith("+00:00")
    assert newest["duration_ms"] > 0
    story = newest["story"]
    assert [record["event"] for record in story] == ["step", "unhandled exception", "request"]
    assert story[0]["customer"] == "cus_1"
    assert story[1]["exception"].endswith("LookupError: postgresql://***@db is down")
    assert {record["request_id"] for record in story} == {newest["request_id"]}
    assert [record["level"] for record in story] == ["info", "error", "warning"]


async def test_so_is_a_slow_one(running: Served) -> None:
    await running.client.get("/api/lab/slow")
    newest = (await failures(running))[0]
    assert (newest["status"], newest["slow"]) == (200, True)
    assert newest["duration_ms"] >= SLOW * 1000
    assert [record["event"] for record in newest["story"]] == ["step", "request"]


async def test_secrets_are_masked_as_in_the_log(running: Served) -> None:
    assert (await running.client.get("/api/lab/secret")).status_code == 502
    newest = (await failures(running))[0]
    assert newest["story"][0]["password"] == newest["story"][0]["headers"] == "***"
    assert SECRET not in (await running.ops.get("/failures")).text


async def test_whatever_is_logged_is_data(running: Served) -> None:
    await running.client.get("/api/lab/strange")
    response = await running.ops.get("/failures")
    assert response.headers["content-type"] == "application/json"
    strange, long, _ = response.json()["failures"][0]["story"]
    assert strange["event"] == SCRIPT
    assert (strange["lone"], strange["nul"], strange["quoted"]) == ("a?b", "a\0b", '"}\n')
    assert long["text"].startswith("xxx")
    assert len(orjson.dumps(long)) <= LINE_BYTES
    assert long["cut"]["bytes"] > 1_000_000


async def test_so_is_a_path(running: Served) -> None:
    await running.client.get(f"/api/lab/failing/{SCRIPT.replace('/', '%00')}%ED%A0%80{'x' * 5_000}")
    newest = (await failures(running))[0]
    assert "<script>" in newest["path"]
    assert len(newest["path"]) < 2_000
    assert newest["route"] == "/api/lab/failing/{name}"


async def test_an_exception_that_was_handled_is_in_the_story(running: Served) -> None:
    await running.client.get("/api/lab/handled")
    [step, _] = (await failures(running))[0]["story"]
    assert step["exception"].endswith("KeyError: 'mended'")


async def test_others_are_not_kept(running: Served) -> None:
    before = await failures(running)
    assert (await running.client.get("/api/lab/fine")).status_code == 200
    assert (await running.client.get("/api/lab/nothing")).status_code == 404
    assert (await running.client.post("/api/orders", json=ORDER | {"items": []})).status_code == 422
    assert await failures(running) == before


async def test_requests_that_run_together_keep_their_stories_apart(running: Served) -> None:
    names = [f"cus_{number}" for number in range(20)]
    await asyncio.gather(*(running.client.get(f"/api/lab/failing/{name}") for name in names))
    found = (await failures(running))[:20]
    assert sorted(one["path"].rpartition("/")[2] for one in found) == sorted(names)
    for one in found:
        assert one["story"][0]["event"] == "step"
        assert one["path"].endswith(f"/{one['story'][0]['customer']}")


async def test_neither_many_nor_long_ones_fill_the_memory() -> None:
    pipeline, _ = record_logs(story_size=64)
    limits = TimeLimits(request_timeout=5, stream_idle_timeout=1, slow_request=30)
    metrics, log = Metrics(), structlog.get_logger()
    text, records = "x", 1

    async def app(_: Scope, __: Receive, send: Send) -> None:
        for _number in range(records):
            log.info("step", text=text)
        await send({"type": "http.response.start", "status": 500, "headers": []})

    layer = AccessLog(app, metrics=metrics, pipeline=pipeline, limits=limits, quiet=())

    async def request(number: int) -> None:
        state = RequestState(time.monotonic(), "a" * 32, str(number))
        state.sampled, state.status = False, 500
        token = current.set(state)
        scope = {"type": "http", "method": "M" * 999, "path": f"/{number}/" + "p" * 50_000}
        await layer(scope, _nothing, _nothing)
        current.reset(token)

    for number in range(10_000):
        await request(number)
    text, records = "y" * 20_000, 70
    for number in range(10_000, 10_000 + KEPT + 1):
        await request(number)
    report = metrics.failures.report()["failures"]
    assert [one["request_id"] for one in report] == [str(10_050 - n) for n in range(KEPT)]
    assert len(orjson.dumps(report)) <= KEPT * (STORY_BYTES + 3_000)
    assert report[0]["story"][-1]["event"] == "request"  # the end of a story is what is kept
    assert len(report[0]["method"]) < 100


async def _nothing(*_: Any) -> Any:
    """A receive and a send of ASGI."""
