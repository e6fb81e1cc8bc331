"""`/dependencies` on the operators' port."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from steadfast_service.runtime.active_faults import ActiveFaults
from steadfast_service.runtime.health import Health
from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.observability.logs import Pipeline
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.ops.dependencies import State
from steadfast_service.runtime.ops.management import open_management
from steadfast_service.runtime.shutdown import Closing

from ...support.management import OPERATOR, TOKEN
from ...support.records import Records, record_logs
from ...support.serving import config_for


class Payments:
    """A dependency that says what was done to it."""

    def __init__(self) -> None:
        self.forced: tuple[State, float] | None = None
        self.broken = False

    def report(self) -> Mapping[str, Any]:
        if self.broken:
            raise LookupError("internal")
        return {"state": self.forced[0] if self.forced else "half-open", "forced": self.forced}

    def force(self, state: State, seconds: float) -> None:
        self.forced = state, seconds

    def release(self) -> None:
        self.forced = None


@pytest.fixture
def payments() -> Payments:
    return Payments()


@pytest.fixture
def logged() -> tuple[Pipeline, Records]:
    return record_logs()


@pytest.fixture
def records(logged: tuple[Pipeline, Records]) -> Records:
    return logged[1]


@pytest.fixture
async def ops(
    payments: Payments, logged: tuple[Pipeline, Records], tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The management port of a service that calls `payments`."""
    config = config_for(tmp_path, management={"token": TOKEN})
    metrics = Metrics()
    async with Closing(5) as closing:
        app = open_management(
            closing=closing,
            health=Health(),
            metrics=metrics,
            info={"name": "tested", "version": "1", "commit": "none"},
            config=config,
            pipeline=logged[0],
            dependencies={"payments": payments},
            faults=ActiveFaults((), metrics),
            app=FastAPI(),
        )
        async with loopback(app) as url, httpx.AsyncClient(base_url=url) as client:
            yield client


async def test_every_dependency_reports(ops: httpx.AsyncClient, payments: Payments) -> None:
    report = payments.report()
    assert (await ops.get("/dependencies")).json() == {"dependencies": {"payments": report}}
    assert (await ops.get("/dependencies/payments")).json() == report


async def test_an_operator_holds_the_breaker_and_lets_go(
    ops: httpx.AsyncClient, payments: Payments, records: Records
) -> None:
    body = {"state": "open", "seconds": 30}
    held = await ops.post("/dependencies/payments/force", json=body, headers=OPERATOR)
    assert (held.status_code, held.json()) == (200, {"state": "open", "forced": ["open", 30]})
    body = {"state": "closed", "seconds": 3600}
    await ops.post("/dependencies/payments/force", json=body, headers=OPERATOR)
    assert payments.report() == {"state": "closed", "forced": ("closed", 3600)}
    released = await ops.delete("/dependencies/payments/force", headers=OPERATOR)
    assert released.json() == {"state": "half-open", "forced": None}

    assert records.events() == ["breaker forced", "breaker forced", "breaker released"]
    first = records.of("breaker forced")[0]
    said = {name: first[name] for name in ("client", "dependency", "state", "seconds")}
    expected = {"client": "127.0.0.1", "dependency": "payments", "state": "open", "seconds": 30}
    assert said == expected


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"state": "half-open", "seconds": 30}, "/state"),
        ({"seconds": 30}, "/state"),
        ({"state": "open"}, "/seconds"),
        ({"state": "open", "seconds": 0.9}, "/seconds"),
        ({"state": "open", "seconds": 3601}, "/seconds"),
        ({"state": "open", "seconds": "30"}, "/seconds"),
        ({"state": "open", "seconds": 30, "why": "x"}, "/why"),
    ],
)
async def test_what_it_cannot_be_held_at_is_refused(
    ops: httpx.AsyncClient, payments: Payments, body: dict[str, Any], pointer: str
) -> None:
    response = await ops.post("/dependencies/payments/force", json=body, headers=OPERATOR)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert payments.forced is None


async def test_only_with_the_token(
    ops: httpx.AsyncClient, payments: Payments, records: Records
) -> None:
    body = {"state": "open", "seconds": 30}
    for method in ("POST", "DELETE"):
        response = await ops.request(method, "/dependencies/payments/force", json=body)
        assert response.status_code == 401
    assert payments.forced is None
    assert records.events() == ["change refused"] * 2


async def test_a_name_of_nothing_is_a_problem_that_lists_the_names(ops: httpx.AsyncClient) -> None:
    body = {"state": "open", "seconds": 30}
    for method, path in (
        ("GET", "/dependencies/stock"),
        ("POST", "/dependencies/stock/force"),
        ("DELETE", "/dependencies/stock/force"),
    ):
        response = await ops.request(method, path, json=body, headers=OPERATOR)
        assert response.status_code == 404
        assert response.json()["detail"] == "No such dependency; known: payments."


async def test_another_method_is_a_problem(ops: httpx.AsyncClient) -> None:
    response = await ops.get("/dependencies/payments/force")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"POST", "DELETE"}


async def test_a_report_that_fails_is_a_problem_that_tells_nothing(
    ops: httpx.AsyncClient, payments: Payments, records: Records
) -> None:
    payments.broken = True
    response = await ops.get("/dependencies")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "internal" not in response.text
    assert any("LookupError: internal" in line.decode() for line in records.lines)
