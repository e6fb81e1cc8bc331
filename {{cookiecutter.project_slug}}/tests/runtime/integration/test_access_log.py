"""Which requests leave a trace in the log, and what it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from steadfast_service.runtime.context import current

from ...support.caller import HAS_AUTH
from ...support.serving import ORDER, Served, served

SLOW = 0.2  # seconds


class Lab:
    """Endpoints that log a step before they end in their own way."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind(logger="lab")

    async def fine(self) -> None:
        self._log.info("step")

    async def failing(self) -> None:
        self._log.info("step")
        raise LookupError

    async def slow(self) -> None:
        self._log.info("step")
        await asyncio.sleep(1.5 * SLOW)

    async def recovered(self) -> None:
        self._log.info("step")
        self._log.error("mended")
        self._log.info("next step")

    async def bound(self) -> None:
        state = current.get()
        assert state is not None
        state.bind(customer="cus_1")
        self._log.info("step")


@pytest.fixture(scope="module")
async def silent(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service whose ordinary requests are all sampled out."""
    log = {"sample_rate": 0, "key_route_rate": 1, "slow_request": SLOW}
    async with served(tmp_path_factory.mktemp("silent"), log=log) as it:
        lab = Lab()
        for name in ("fine", "failing", "slow", "recovered", "bound"):
            it.service.api.router.add_api_route(f"/api/lab/{name}", getattr(lab, name))
        yield it


@pytest.fixture(autouse=True)
def _empty(silent: Served) -> None:
    silent.records.lines.clear()


async def test_an_ordinary_request_is_silent_and_counted(silent: Served) -> None:
    sampled = {"level": "info", "outcome": "sampled"}
    before = await silent.metric("log_records_total", **sampled)
    assert (await silent.client.get("/api/lab/fine")).status_code == 200
    assert silent.records.lines == []
    # The step, and the record of the request itself.
    assert await silent.metric("log_records_total", **sampled) == before + 2


async def test_a_failed_one_tells_its_story(silent: Served) -> None:
    response = await silent.client.get("/api/lab/failing")
    assert response.status_code == 500
    assert silent.records.events() == ["step", "unhandled exception", "request"]
    assert {record["request_id"] for record in silent.records.all()} == {
        response.headers["x-request-id"]
    }
    [request] = silent.records.of("request")
    assert (request["level"], request["status"]) == ("warning", 500)


async def test_so_does_a_slow_one(silent: Served) -> None:
    assert (await silent.client.get("/api/lab/slow")).status_code == 200
    assert silent.records.events() == ["step", "request"]
    [request] = silent.records.of("request")
    assert request["level"] == "info"
    assert request["duration_ms"] >= SLOW * 1000


async def test_and_one_that_logged_an_error(silent: Served) -> None:
    await silent.client.get("/api/lab/recovered")
    assert silent.records.events() == ["step", "mended", "next step", "request"]


async def test_a_key_route_has_its_own_rate(silent: Served) -> None:
    response = await silent.client.post("/api/orders", json=ORDER)
    [record] = silent.records.all()
    record.pop("timestamp")
    record.pop("span_id")
    assert record.pop("duration_ms") > 0
    assert record == {
        "level": "info",
        "event": "request",
        "logger": "access",
        "method": "POST",
        "path": "/api/orders",
        "route": "/api/orders",
        "status": 201,
        "client": "127.0.0.1",
        "request_id": response.headers["x-request-id"],
        "trace_id": response.headers["x-request-id"],
        "service": "tested",
        **({"subject": "developer"} if HAS_AUTH else {}),
    }


async def test_probes_are_never_logged(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def down() -> None:
        raise OSError("down")

    async with served(tmp_path_factory.mktemp("probes"), log={"sample_rate": 1}) as running:
        await running.client.get("/livez")
        await running.client.get("/readyz")
        running.service.health.register("warehouse", down, critical=True)
        assert (await running.client.get("/readyz")).status_code == 503
        assert running.records.of("request") == []
        name = "http_server_request_duration_seconds_count"
        assert await running.metric(name, route="/readyz", status="503") == 1
        assert await running.metric(name, route="/livez", status="200") == 1


async def test_bound_fields_are_on_every_later_record(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with served(tmp_path_factory.mktemp("bound"), log={"sample_rate": 1}) as running:
        running.service.api.router.add_api_route("/api/lab/bound", Lab().bound)
        await running.client.get("/api/lab/bound")
        assert [record["customer"] for record in running.records.all()] == ["cus_1", "cus_1"]
        await running.client.get("/api/version")
        assert "customer" not in running.records.all()[-1]


async def test_neither_bodies_nor_credentials_are_logged(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    headers = {"Cookie": "session=hunter2"}
    async with served(tmp_path_factory.mktemp("secrets"), log={"level": "debug"}) as running:
        order = ORDER | {"customer_id": "hunter2"}
        response = await running.client.post(
            "/api/orders?token=hunter2", json=order, headers=headers
        )
        assert response.status_code == 201
        headers |= {"Authorization": "Bearer hunter2"}
        await running.client.post("/api/orders", content=b"hunter2", headers=headers)
        assert running.records.of("request")
        assert not any(b"hunter2" in line for line in running.records.lines)
