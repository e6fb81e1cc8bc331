"""The issuer of development gives tokens that the service accepts."""

import httpx
import jwt
import pytest

from steadfast_service.runtime.auth.sandbox_issuer import SandboxIssuer

from .authority import AUDIENCE, ISSUER, Authority

TTL = 3600
FORM = "application/x-www-form-urlencoded"


def client(issuer: SandboxIssuer) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(issuer.app())
    return httpx.AsyncClient(transport=transport, base_url=ISSUER)


@pytest.mark.parametrize(
    ("content_type", "body", "subject", "scope"),
    [
        ("application/json", b'{"sub": "cus_1", "scope": "a b"}', "cus_1", "a b"),
        ("application/json; charset=utf-8", b"{}", "developer", ""),
        (FORM, b"grant_type=client_credentials&scope=a+b&sub=cus_1", "cus_1", "a b"),
        (FORM, b"", "developer", ""),
    ],
)
async def test_a_token_for_whoever_asks(
    authority: Authority, content_type: str, body: bytes, subject: str, scope: str
) -> None:
    async with client(authority.issuer) as http:
        headers = {"Content-Type": content_type}
        response = await http.post("/token", content=body, headers=headers)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == TTL
    await authority.authorize(answer["access_token"], *scope.split())
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["scope"]) == (subject, scope)
    assert claims["exp"] - claims["iat"] == TTL


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"[]"),
        ("application/json", b'{"sub": 1}'),
        ("application/json", b'"\xff"'),
        (FORM, b"\xff"),
    ],
)
async def test_a_question_that_it_does_not_understand(content_type: str, body: bytes) -> None:
    async with client(SandboxIssuer(ISSUER, AUDIENCE)) as http:
        headers = {"Content-Type": content_type}
        response = await http.post("/token", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
