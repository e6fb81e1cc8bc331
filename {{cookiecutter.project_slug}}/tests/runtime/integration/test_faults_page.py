"""`/faults` on the operators' port: who may, what is refused, what is written down."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ...support.serving import IN_PRODUCTION, Served, served

TOKEN = "a-token-öf-the-operators"
OPERATOR = {b"Authorization": f"Bearer {TOKEN}".encode()}
FAULT = {"route": "GET /api/version", "abort_status": 503, "expires_in": 60}
PRODUCTION = IN_PRODUCTION | {"management": {"token": TOKEN}}


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("page"), management={"token": TOKEN}) as it:
        yield it


@pytest.fixture
async def running(service: Served) -> AsyncIterator[Served]:
    """The service, with no fault on and nothing logged before and after."""
    service.records.lines.clear()
    yield service
    await service.ops.delete("/faults", headers=OPERATOR)


async def faults(running: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await running.ops.get("/faults")).json()["faults"]
    return found


async def test_a_fault_can_be_added_seen_and_removed(running: Served) -> None:
    added = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
    assert added.status_code == 201
    assert added.headers["location"] == f"/faults/{added.json()['id']}"
    assert (await running.client.get("/api/version")).status_code == 503
    [one] = await faults(running)
    assert one["fault"] == FAULT | {
        "dependency": "",
        "percentage": 100,
        "delay": 0,
        "body_delay": 0,
        "fail": False,
    }
    assert 0 < one["seconds_left"] <= 60
    assert (one["struck"], one["source"]) == (1, "operator")
    seen = await running.ops.get(added.headers["location"])
    assert seen.json() | {"seconds_left": 0} == one | {"seconds_left": 0}
    any_case = {b"Authorization": f"bEARER {TOKEN}".encode()}
    removed = await running.ops.delete(added.headers["location"], headers=any_case)
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await running.client.get("/api/version")).status_code == 200
    for method in ("GET", "DELETE"):
        again = await running.ops.request(method, added.headers["location"], headers=OPERATOR)
        assert again.status_code == 404
        assert again.headers["content-type"] == "application/problem+json"


async def test_all_of_them_can_be_ended_at_once(running: Served) -> None:
    ids = [
        (await running.ops.post("/faults", json=FAULT, headers=OPERATOR)).json()["id"]
        for _ in range(3)
    ]
    assert [one["id"] for one in await faults(running)] == ids
    assert (await running.ops.delete("/faults", headers=OPERATOR)).status_code == 204
    assert await faults(running) == []
    assert running.records.of("faults removed")[0]["ids"] == ids


async def test_every_change_is_written_down(running: Served) -> None:
    added = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
    await running.ops.delete(added.headers["location"], headers=OPERATOR)
    await running.ops.post("/faults", json=FAULT, headers={"Authorization": "Bearer guess"})
    audit = [record for record in running.records.all() if record.get("logger") == "audit"]
    events = [record["event"] for record in audit]
    assert events == ["fault added", "fault removed", "change refused"]
    assert {record["client"] for record in audit} == {"127.0.0.1"}
    assert audit[0]["fault"]["abort_status"] == 503
    assert audit[0]["id"] == audit[1]["id"] == added.json()["id"]
    assert "guess" not in str(audit)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", f"Bearer {TOKEN[:-1]}".encode())],
        [("Authorization", f"Bearer {TOKEN} x".encode())],
        [("Authorization", f"Bearer {TOKEN}".encode("latin-1"))],  # other bytes than were set
        [("Authorization", f"Basic {TOKEN}".encode())],
        [("Authorization", TOKEN.encode())],
        [("Authorization", b"Bearer \xff\xfe\x80")],
        [("Authorization", f"Bearer {TOKEN}".encode())] * 2,
        [("X-Token", TOKEN.encode()), ("Cookie", f"token={TOKEN}".encode())],
    ],
)
async def test_without_the_token_nothing_changes(running: Served, headers: list[Any]) -> None:
    for method, path in (("POST", "/faults"), ("DELETE", "/faults"), ("DELETE", "/faults/1")):
        response = await running.ops.request(method, path, headers=headers, json=FAULT)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"
        assert TOKEN not in response.text
    assert await faults(running) == []


async def test_where_no_token_is_set_nothing_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with served(tmp_path_factory.mktemp("closed")) as running:
        for value in ("", "Bearer", "Bearer x"):
            headers = {"Authorization": value}
            response = await running.ops.post("/faults", json=FAULT, headers=headers)
            assert response.status_code == 403
            assert "APP_MANAGEMENT__TOKEN" in response.json()["detail"]
        assert (await running.ops.get("/faults")).json()["faults"] == []


async def test_production_refuses_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with served(tmp_path_factory.mktemp("production"), **PRODUCTION) as running:
        response = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
        assert response.status_code == 403
        assert "APP_FAULTS__ALLOW_IN_PRODUCTION" in response.json()["detail"]
        assert await faults(running) == []
        assert (await running.ops.delete("/faults", headers=OPERATOR)).status_code == 204


async def test_unless_it_is_told_otherwise(tmp_path_factory: pytest.TempPathFactory) -> None:
    allowed = PRODUCTION | {"faults": {"allow_in_production": True}}
    async with served(tmp_path_factory.mktemp("allowed"), **allowed) as running:
        response = await running.ops.post("/faults", json=FAULT, headers=OPERATOR)
        assert response.status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "", "a fault needs one of delay, abort_status, body_delay and fail"),
        ({"abort_status": 200}, "/abort_status", "an error status, 400 to 599"),
        ({"abort_status": "503"}, "/abort_status", "valid integer"),
        ({"abort_status": 503, "percent": 5}, "/percent", "not permitted"),
        ({"delay": 1, "route": "GET /api/versions"}, "/route", "known: GET /api/"),
        ({"delay": 1, "route": "GET /readyz"}, "/route", "no such route"),
        ({"fail": True, "dependency": "stock"}, "/dependency", "known: payments"),
        ([], "", "should be an object"),
    ],
)
async def test_what_is_no_fault_of_ours_is_refused_with_its_place(
    running: Served, body: Any, pointer: str, detail: str
) -> None:
    response = await running.ops.post("/faults", json=body, headers=OPERATOR)
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["in"], error["pointer"]) == ("body", pointer)
    assert detail in error["detail"]
    assert await faults(running) == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("", b"{}", 415),
        ("text/plain", b'{"delay": 1}', 415),
        ("application/x-www-form-urlencoded", b"delay=1", 415),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b'{"delay": NaN}', 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"[" * 60_000, 400),
        ("application/json", b'{"route": "' + b"x" * 65_536 + b'"}', 413),
        ("application/json; charset=utf-8", b'{"delay": 1}', 201),
    ],
)
async def test_a_body_is_bounded_json(
    running: Served, content_type: str, body: bytes, status: int
) -> None:
    headers = OPERATOR | ({b"Content-Type": content_type.encode()} if content_type else {})
    response = await running.ops.post("/faults", content=body, headers=headers)
    assert response.status_code == status
    if status != 201:
        assert response.headers["content-type"] == "application/problem+json"
        assert await faults(running) == []


async def test_nor_does_a_body_without_a_length_grow(running: Served) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 4096

    headers = OPERATOR | {b"Content-Type": b"application/json"}
    response = await running.ops.post("/faults", content=parts(), headers=headers)
    assert response.status_code == 413
    assert await faults(running) == []


def encoded(body: Any) -> bytes:
    """JSON, and of a NaN what is none."""
    return json.dumps(body).encode()


NAMES = st.sampled_from([*FAULT, "dependency", "percentage", "delay", "body_delay", "fail", "x"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(NAMES, VALUES | st.lists(VALUES, max_size=2), max_size=5).map(encoded)
    | st.binary(max_size=100)
)
async def test_no_body_breaks_it(running: Served, body: bytes) -> None:
    headers = OPERATOR | {b"Content-Type": b"application/json"}
    response = await running.ops.post("/faults", content=body, headers=headers)
    assert response.status_code in (201, 400, 422)
    if response.status_code == 201:
        location = response.headers["location"]
        assert (await running.ops.delete(location, headers=OPERATOR)).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/faults", {"GET", "HEAD", "POST", "DELETE"}),
        ("POST", "/faults/1", {"GET", "HEAD", "DELETE"}),
    ],
)
async def test_another_method_is_a_problem_that_names_those_that_are(
    running: Served, method: str, path: str, allowed: set[str]
) -> None:
    response = await running.ops.request(method, path, headers=OPERATOR)
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert set(response.headers["allow"].split(", ")) == allowed
    assert (await running.ops.head("/faults")).status_code == 200


async def test_it_is_not_on_the_public_port(running: Served) -> None:
    response = await running.client.post("/faults", json=FAULT)
    assert response.status_code == 404
