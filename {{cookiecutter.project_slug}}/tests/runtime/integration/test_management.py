"""The operators' port, and the probes on both."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from steadfast_service.runtime.health import Phase
from steadfast_service.settings import Settings

from ...support.caller import HAS_AUTH
from ...support.management import documents
from ...support.serving import ORDER, Served, served

SECRET = "hunter2hunter2hunter2"


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp(SECRET)  # so that it is in the database's URL too
    redis = {"storage": f"redis://user:{SECRET}@127.0.0.1:1/0"}
    rules = {"rules": [{"delay": 1, "percentage": 1, "route": "GET /docs"}]}
    groups: dict[str, Any] = {
        "management": {"token": SECRET},
        "rate_limit": redis,
        "faults": rules,
        "dependencies": {"payments": {"url": f"http://user:{SECRET}@127.0.0.1:1"}},
    }
    async with served(folder, **groups) as it:
        it.service.api.router.add_api_route("/api/lab/leak", leak)
        yield it


async def leak() -> None:
    """Whatever an exception says, it must not be shown."""
    structlog.get_logger().info("step", authorization=SECRET, url=f"amqp://user:{SECRET}@broker")
    raise OSError(f"cannot connect to postgresql://user:{SECRET}@db:5432/orders")


async def broken() -> None:
    raise OSError(f"cannot connect to redis://user:{SECRET}@127.0.0.1:1/0")


async def test_every_document_is_json_and_shows_no_secret(running: Served) -> None:
    credentials = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}"}
    if HAS_AUTH:
        await running.client.get("/api/orders/x", headers=credentials)  # refused, and so logged
    await running.client.post("/api/orders", json=ORDER)  # its dependency is not there
    await running.client.get(f"/api/lab/leak?token={SECRET}", headers={"Cookie": SECRET})
    fault = {"route": "GET /api/version", "delay": 0.1, "expires_in": 5}
    await running.ops.post("/faults", json=fault, headers=credentials)
    health = running.service.health
    health.register("broker", broken, critical=False)
    paths = documents(running.service)
    assert {"/info", "/config", "/failures", "/audit", "/flags", "/debug/stalls"} <= set(paths)
    for path in paths:
        response = await running.ops.get(path)
        assert (response.status_code, path) == (200, path)
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        assert isinstance(response.json(), dict)
        assert (SECRET in response.text, path) == (False, path)
        assert (await running.ops.head(path)).status_code == 200
    assert "***@db:5432" in (await running.ops.get("/failures")).text
    assert "***@127.0.0.1" in (await running.ops.get("/readyz")).text
    del health._checks["broker"]
    for path in ("/", "/metrics"):
        assert (SECRET in (await running.ops.get(path)).text, path) == (False, path)
    assert not any(SECRET.encode() in line for line in running.records.lines)


async def test_documents_that_nobody_has_filled_are_there_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with served(tmp_path_factory.mktemp("fresh")) as fresh:
        for path in documents(fresh.service):
            response = await fresh.ops.get(path)
            assert (response.status_code, path) == (200, path)
            assert (bool(response.json()), path) == (True, path)


async def test_the_settings_are_shown_without_secrets(running: Served) -> None:
    shown = (await running.ops.get("/config")).json()
    settings = shown["settings"]
    assert settings["APP_MANAGEMENT__TOKEN"]["value"] == "***"
    assert settings["APP_RATE_LIMIT__STORAGE"]["value"] == "***"
    assert settings["APP_HTTP__REQUEST_TIMEOUT"] == {
        "value": Settings().http.request_timeout,
        "source": "default",
        "hot": True,
    }
    assert settings["APP_FAULTS__RULES"]["value"][0]["route"] == "GET /docs"
    if "database" in Settings.model_fields:
        assert settings["APP_DATABASE__URL"]["value"] == "***"
    assert (shown["status"], shown["version"], shown["sources"]) == ("ok", 1, {})


async def test_what_is_not_there_is_a_problem(running: Served) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("POST", "/config", 405)):
        response = await running.ops.request(method, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status


async def test_operators_pages_are_not_on_the_public_port(running: Served) -> None:
    for path in ("/metrics", "/config", "/info", "/startupz"):
        assert (await running.client.get(path)).status_code == 404


async def test_metrics_come_in_the_format_that_is_asked_for(running: Served) -> None:
    plain = await running.ops.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=")
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    openmetrics = await running.ops.get("/metrics", headers=accept)
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


async def test_both_ports_answer_the_probes(running: Served) -> None:
    for client in (running.client, running.ops):
        for path, status in (("/livez", "live"), ("/readyz", "ready")):
            response = await client.get(path)
            assert (response.status_code, response.json()["status"]) == (200, status)
            assert response.headers["cache-control"] == "no-store"


async def test_probes_follow_the_process_s_life(running: Served) -> None:
    health = running.service.health
    expected = {
        Phase.STARTING: {"/livez": 200, "/startupz": 503, "/readyz": 503},
        Phase.SERVING: {"/livez": 200, "/startupz": 200, "/readyz": 200},
        Phase.DRAINING: {"/livez": 200, "/startupz": 200, "/readyz": 503},
    }
    seen: dict[Phase, dict[str, int]] = {}
    try:
        for phase in Phase:
            health.phase = phase
            paths = expected[phase]
            seen[phase] = {path: (await running.ops.get(path)).status_code for path in paths}
            assert (await running.ops.get("/info")).json()["phase"] == phase
    finally:
        health.phase = Phase.SERVING
    assert seen == expected


async def test_a_failing_dependency_takes_traffic_away_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def down() -> None:
        raise OSError("connection refused")

    async with served(tmp_path_factory.mktemp("failing")) as running:
        running.service.health.register("warehouse", down, critical=True)
        response = await running.client.get("/readyz")
        assert response.status_code == 503
        check = response.json()["checks"]["warehouse"]
        assert check == {
            "status": "fail",
            "critical": True,
            "error": "OSError: connection refused",
        }
        assert (await running.client.get("/livez")).status_code == 200
        assert (await running.client.get("/api/version")).status_code == 200


async def test_a_hanging_dependency_does_not_hang_the_probe(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with served(tmp_path_factory.mktemp("hanging")) as running:
        running.service.health._check_timeout = 0.5
        running.service.health.register("mail", asyncio.Event().wait, critical=False)  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            response = await running.client.get("/readyz")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
