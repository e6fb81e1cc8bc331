"""The whole service with its tokens: who gets in, and who is told what."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from steadfast_service.runtime.auth.sandbox_issuer import (
    JWKS_PATH,
    SandboxIssuer,
)
from steadfast_service.runtime.config.groups import Environment
from steadfast_service.runtime.http.server import loopback
from steadfast_service.settings import Auth

from ...support.process import command, environment, serving
from ...support.serving import ORDER, Served, served

AUDIENCE = "the-audience"


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("guarded")) as it:
        yield it


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/orders"), ("POST", "/api/orders"), ("GET", "/api/orders/ord_1")],
)
@pytest.mark.parametrize("shown", [None, "", "Bearer", "Basic eDp5", "Bearer a.b.c"])
async def test_without_a_good_token_nothing_is_told(
    running: Served, method: str, path: str, shown: str | None
) -> None:
    async with httpx.AsyncClient(base_url=running.client.base_url) as client:
        headers = {} if shown is None else {"Authorization": shown}
        response = await client.request(method, path, headers=headers, content=b"not looked at")
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="service"')
    assert ("invalid_token" in challenge) is (shown == "Bearer a.b.c")


async def test_a_second_credential_is_not_ignored(running: Served) -> None:
    good = running.client.headers["authorization"]
    headers = [("Authorization", good), ("Authorization", "Bearer other")]
    async with httpx.AsyncClient(base_url=running.client.base_url) as client:
        assert (await client.get("/api/orders", headers=headers)).status_code == 401


async def test_scopes_are_the_operation_s_own(tmp_path: Path) -> None:
    issuer = SandboxIssuer("urn:issuer", AUDIENCE)
    async with loopback(issuer.app()) as url:
        auth = {"issuer": "urn:issuer", "jwks_url": url + JWKS_PATH, "audience": AUDIENCE}
        async with served(tmp_path, auth=auth) as running:

            async def status(method: str, scope: str) -> int:
                headers = {"Authorization": f"Bearer {issuer.token(scope=scope)}"}
                body = ORDER if method == "POST" else None
                response = await running.client.request(
                    method, "/api/orders", json=body, headers=headers
                )
                return response.status_code

            assert await status("GET", "orders:read") == 200
            assert await status("GET", "orders:write") == 403
            assert await status("POST", "orders:write") == 201
            assert await status("POST", "orders:read other") == 403
            issuer.rotate(keep_old=False)
            assert await status("GET", "orders:read") == 200


async def test_what_needs_no_token_is_open(running: Served) -> None:
    async with httpx.AsyncClient(base_url=running.client.base_url) as client:
        for path in ("/api/version", "/livez", "/readyz", "/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 200
        described = (await client.get("/openapi.json")).json()
    assert described["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"
    assert described["paths"]["/api/orders"]["post"]["security"] == [
        {"bearerAuth": ["orders:write"]}
    ]


async def test_an_issuer_that_is_down_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    issuer = SandboxIssuer("urn:issuer", AUDIENCE)
    auth = {"issuer": "urn:issuer", "jwks_url": "http://127.0.0.1:9/keys", "audience": AUDIENCE}
    async with served(tmp_path, auth=auth) as running:
        headers = {"Authorization": f"Bearer {issuer.token(scope='orders:read')}"}
        response = await running.client.get("/api/orders", headers=headers)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"


async def test_make_token_s_way_to_a_token(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        async with process.client() as client:
            assert (await client.post("/api/orders", json=ORDER)).status_code == 201
        assert process.of("anyone gets a token here")


@pytest.mark.parametrize("where", ["staging", "production"])
def test_there_is_no_sandbox_outside_development(tmp_path: Path, where: str) -> None:
    done = command("check", env=environment(tmp_path, ENVIRONMENT=where))
    assert done.returncode == 1
    for name in ("APP_AUTH__ISSUER", "APP_AUTH__JWKS_URL"):
        assert f"error: {name}: required outside development" in done.stderr


def test_both_halves_of_an_issuer_are_needed() -> None:
    lines = [*Auth(issuer="x").unsafe(Environment.DEVELOPMENT)]
    assert [line.split(":")[0] for line in lines] == ["APP_AUTH__JWKS_URL"]
