"""An incident: what keeps the service up is changed from the centre while it serves."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ...support.serving import Served, served
from ...support.sources import document, state
from ...support.upstream_server import Upstream, upstream

TOKEN, NEXT = "a-token-of-the-operators", "the-token-after-it"


@pytest.fixture
async def payments() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


@pytest.fixture
async def running(
    tmp_path_factory: pytest.TempPathFactory, payments: Upstream
) -> AsyncIterator[Served]:
    first = state("centre", document("1", f"management:\n  token: {TOKEN}"))
    dependencies = {"payments": {"url": payments.url}}
    folder = tmp_path_factory.mktemp("hot")
    async with served(folder, [first], dependencies=dependencies) as it:
        yield it


def become(running: Served, revision: str, text: str) -> None:
    """What the configuration centre holds now."""
    running.config.offer("centre", document(revision, text))


async def version(running: Served) -> int:
    return (await running.client.get("/api/version")).status_code


async def faults(running: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await running.ops.get("/faults")).json()["faults"]
    return found


async def test_a_rate_limit_is_set_and_unset(running: Served) -> None:
    assert [await version(running) for _ in range(3)] == [200] * 3
    become(running, "2", "rate_limit: {limit: 2/hour}")
    assert [await version(running) for _ in range(3)] == [200, 200, 429]
    assert await running.metric("rate_limit_enforced") == 1
    become(running, "3", "rate_limit: {limit: 2/century}")  # is refused
    assert await version(running) == 429
    become(running, "4", "{}")
    assert await version(running) == 200


async def test_the_shedding_limit(running: Served) -> None:
    become(running, "2", "shedding: {max_in_flight: 3, target_lag: 0}")
    assert await running.metric("http_server_in_flight_limit") == 3
    become(running, "3", "{}")
    assert await running.metric("http_server_in_flight_limit") > 3


async def test_faults_come_and_go_and_one_with_a_typo_is_told(running: Served) -> None:
    operator = {"Authorization": f"Bearer {TOKEN}"}
    mine = {"dependency": "payments", "delay": 0.001}
    await running.ops.post("/faults", json=mine, headers=operator)
    become(running, "2", "faults: {rules: [{route: GET /api/version, abort_status: 418}]}")
    assert await version(running) == 418
    assert [one["source"] for one in await faults(running)] == ["settings", "operator"]
    become(running, "3", "faults: {rules: [{route: GET /api/versoin, abort_status: 418}]}")
    assert await version(running) == 200
    assert [one["source"] for one in await faults(running)] == ["operator"]
    [failed] = running.records.of("a subscriber failed")
    assert "APP_FAULTS__RULES__0__ROUTE: no such route" in failed["error"]


async def test_a_breaker_that_is_more_patient(running: Served) -> None:
    become(running, "2", "dependencies: {payments: {breaker: {threshold: 1, min_calls: 77}}}")
    report = (await running.ops.get("/dependencies/payments")).json()
    assert report["window"]["opens_at"] == 1


async def test_what_waits_for_a_restart_disturbs_nothing(
    running: Served, payments: Upstream
) -> None:
    text = "dependencies: {payments: {critical: true, http2: true, timeout: 1.5}}"
    become(running, "2", text)
    report = (await running.ops.get("/dependencies/payments")).json()
    assert (report["url"], report["critical"]) == (payments.url, False)


async def test_the_token_is_rotated(running: Served) -> None:
    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await running.ops.delete("/faults", headers=headers)).status_code

    assert (await status(TOKEN), await status(NEXT)) == (204, 401)
    become(running, "2", f"management:\n  token: {NEXT}")
    assert (await status(TOKEN), await status(NEXT)) == (401, 204)
