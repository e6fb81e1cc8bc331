"""The operators' port and other sites that an operator's browser has open."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ...support.management import OPERATOR, TOKEN, changes
from ...support.serving import Served, served

FAULT = {"route": "GET /api/version", "abort_status": 503, "expires_in": 60}
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    management = {"token": TOKEN, "hosts": ["ops.example"]}
    async with served(tmp_path_factory.mktemp("guard"), management=management) as it:
        yield it


@pytest.fixture
async def running(service: Served) -> AsyncIterator[Served]:
    """The service with no fault on before and after."""
    yield service
    await service.ops.delete("/faults", headers=OPERATOR)


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site", "Origin": "http://{host}"},
    {"Sec-Fetch-Site": ""},
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://{host}.evil.example"},
    {"Origin": "http://evil.example/{host}"},
    {"Origin": "http://{host}", "X-Forwarded-Host": "evil.example", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
async def test_other_sites_change_nothing_whatever_they_know(
    running: Served, headers: dict[str, str]
) -> None:
    host = running.ops.base_url.netloc.decode()
    theirs = {name: value.format(host=host) for name, value in headers.items()}
    for method, path in changes(running.service):
        answer = await running.ops.request(method, path, headers={**OPERATOR, **theirs})
        assert (answer.status_code, method, path) == (403, method, path)
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await running.ops.get("/faults")).json()["faults"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://{host}"},
        {"Origin": "HTTP://{host}", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://ops.example", "Sec-Fetch-Site": "same-origin"},  # behind a proxy
        {"Origin": "https://ops.example", "Host": "ops.example"},
    ],
)
async def test_our_own_page_and_other_clients_may(running: Served, headers: dict[str, str]) -> None:
    host = running.ops.base_url.netloc.decode()
    ours = {name: value.format(host=host) for name, value in headers.items()}
    answer = await running.ops.post("/faults", json=FAULT, headers={**OPERATOR, **ours})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:9000", "10.0.0.1.evil.example", "localhost.evil.example"),
        *("ops.example.evil.example", "2130706433.evil.example.", "[::1", "a@b.example", ""),
    ],
)
async def test_a_name_that_a_stranger_may_own_shows_nothing(running: Served, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    before = (await running.ops.get("/audit")).json()["refused"]
    for path in ("/", "/info", "/failures", "/debug/tasks", "/console/events", "/nothing"):
        answer = await running.ops.get(path, headers=headers)
        assert (answer.status_code, path) == (421, path)
        assert "APP_MANAGEMENT__HOSTS" in answer.json()["detail"]
    answer = await running.ops.post("/faults", json=FAULT, headers={**OPERATOR, **headers})
    assert answer.status_code == 421
    assert (await running.ops.get("/audit")).json()["refused"] == before + 1
    for path in ("/livez", "/readyz", "/metrics"):  # whatever a scraper's target is called
        assert (await running.ops.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:9000", "[::1]:9000", "localhost:9", "OPS.example", "ops.example.:443", "o"),
        *("orders.shop.svc", "orders.shop.svc.cluster.local:9000", "node-1.compute.internal"),
    ],
)
async def test_addresses_and_names_of_ours_are_answered(running: Served, host: str) -> None:
    assert (await running.ops.get("/info", headers={"Host": host})).status_code == 200


async def test_other_sites_may_link_to_what_is_shown(running: Served) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}
    answer = await running.ops.get("/info", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    preflight = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    answer = await running.ops.options("/faults", headers=preflight)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/info", "/nothing", "/metrics", "/faults", "/livez", "/audit"])
async def test_every_answer_tells_browsers_what_not_to_do(running: Served, path: str) -> None:
    for method, content in (("GET", b""), ("PATCH", b""), ("POST", b"x" * 70_000)):
        headers = (await running.ops.request(method, path, content=content)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers.get_list("content-security-policy") == [
            "default-src 'none'; frame-ancestors 'none'"
        ]


async def test_so_does_one_that_failed(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with served(tmp_path_factory.mktemp("failed")) as running:
        running.service.health.readiness = failing  # type: ignore[method-assign]
        answer = await running.ops.get("/readyz")
        assert answer.status_code == 500
        assert answer.headers["x-content-type-options"] == "nosniff"


async def failing() -> Any:
    raise RuntimeError
