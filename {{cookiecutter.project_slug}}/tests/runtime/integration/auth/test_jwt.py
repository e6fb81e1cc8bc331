"""Which tokens pass, and what the others get."""

import hashlib
import hmac
import math
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from steadfast_service.runtime.auth.jwt import MAX_TOKEN_LENGTH
from steadfast_service.runtime.http.authorization import (
    Credential,
    unauthenticated,
)
from steadfast_service.runtime.http.problems import Problem

from .authority import (
    AUDIENCE,
    ISSUER,
    LEEWAY,
    Authority,
    encoded,
    request,
    unsigned,
)


async def test_a_good_token_makes_its_claims_the_principal(authority: Authority) -> None:
    with request() as state:
        await authority.authorize(authority.token(sub="cus_1", tenant="north"))
    assert state.principal is not None
    assert state.principal["sub"] == "cus_1"
    assert state.principal["tenant"] == "north"
    assert state.bound == {"subject": "cus_1"}


async def test_outside_of_a_request_it_only_verifies(authority: Authority) -> None:
    await authority.authorize(authority.token())


@pytest.mark.parametrize("subject", [None, "x" * 129])
async def test_a_subject_that_is_no_identifier_is_not_logged(
    authority: Authority, subject: str | None
) -> None:
    with request() as state:
        await authority.authorize(authority.token(sub=subject))
    assert state.principal is not None
    assert state.bound is None


@pytest.mark.parametrize(
    ("claim", "offset", "detail"),
    [
        ("exp", -LEEWAY + 1, ""),
        ("exp", -LEEWAY, "The token has expired."),
        ("exp", -86400, "The token has expired."),
        ("nbf", LEEWAY, ""),
        ("nbf", LEEWAY + 1, "The token is not valid yet."),
        # JSON parsers let it through, and it compares as neither.
        ("exp", math.nan, "The token has expired."),
        ("nbf", math.nan, "The token is not valid yet."),
        ("iat", 86400, ""),  # a clock that is ahead is what nbf is for
    ],
)
async def test_times_hold_to_within_the_leeway(
    authority: Authority, claim: str, offset: float, detail: str
) -> None:
    token = authority.token(**{claim: authority.now + offset})
    if detail:
        assert (await authority.refused(token)).detail == detail
    else:
        await authority.authorize(token)


@pytest.mark.parametrize("claim", ["exp", "nbf"])
@pytest.mark.parametrize("value", ["tomorrow", "4102444800", True, [], {}])
async def test_a_time_is_a_number(authority: Authority, claim: str, value: Any) -> None:
    problem = await authority.refused(authority.token(**{claim: value}))
    assert problem.detail == "The token is malformed."


async def test_a_token_ends_while_it_is_used(authority: Authority) -> None:
    token = authority.token(ttl=60, iat=authority.now, exp=authority.now + 60)
    await authority.authorize(token)
    authority.now += 60 + LEEWAY
    await authority.refused(token)


@pytest.mark.parametrize("claim", ["exp", "iss", "aud"])
async def test_a_needed_claim_is_missing(authority: Authority, claim: str) -> None:
    problem = await authority.refused(authority.token(**{claim: None}))
    assert problem.detail == "The token lacks a claim: exp, iss and aud are needed."


@pytest.mark.parametrize("issuer", ["https://evil.example", f"{ISSUER}/", "", [ISSUER]])
async def test_the_issuer_is_exact(authority: Authority, issuer: Any) -> None:
    # PyJWT encodes no issuer that is not a string; a real issuer may.
    token = authority.signed({**authority.usual(), "iss": issuer})
    assert (await authority.refused(token)).detail == "The token is from another issuer."


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
async def test_the_audience_is_one_of_a_list(authority: Authority, audience: Any) -> None:
    await authority.authorize(authority.token(aud=audience))


@pytest.mark.parametrize("audience", ["other", ["other"], [AUDIENCE, 1], {AUDIENCE: 1}, 1, True])
async def test_another_audience(authority: Authority, audience: Any) -> None:
    problem = await authority.refused(authority.token(aud=audience))
    assert problem.detail == "The token is for another audience."


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
async def test_a_token_without_a_signature(authority: Authority, name: str) -> None:
    header = {"alg": name, "kid": authority.issuer.kid}
    problem = await authority.refused(f"{unsigned(header, authority.usual())}.")
    assert problem.detail == "The token is signed with an algorithm that is not accepted."


async def test_the_public_key_as_the_secret_of_an_hmac(authority: Authority) -> None:
    pem = authority.issuer.key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": authority.issuer.kid}):
        content = unsigned(header, authority.usual())
        mac = hmac.new(pem, content.encode(), hashlib.sha256).digest()
        problem = await authority.refused(f"{content}.{encoded(mac)}")
        assert problem.detail == "The token is signed with an algorithm that is not accepted."
    assert authority.fetches == 0  # a token that can not pass costs the issuer nothing


async def test_the_key_of_somebody_else_under_a_known_id(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(authority.usual(), key, "ES256", headers={"kid": authority.issuer.kid})
    assert (await authority.refused(token)).detail == "The signature of the token is wrong."


async def test_a_key_that_the_token_brings_along_is_not_used(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    headers = {"kid": authority.issuer.kid, "jwk": jwk, "jku": "https://evil.example/keys"}
    await authority.refused(jwt.encode(authority.usual(), key, "ES256", headers=headers))


async def test_an_unknown_critical_extension(authority: Authority) -> None:
    headers = {"kid": authority.issuer.kid, "crit": ["twice"], "twice": True}
    key = authority.issuer.key
    await authority.refused(jwt.encode(authority.usual(), key, "ES256", headers=headers))


@pytest.mark.parametrize(
    "granted",
    [
        {"scope": "orders:read orders:write"},
        {"scp": "orders:write orders:read"},
        {"scp": ["orders:read", "orders:write", 7, ["x"]]},
        {"scope": "orders:read", "scp": ["orders:write"]},
    ],
)
async def test_all_scopes_of_the_operation(authority: Authority, granted: dict[str, Any]) -> None:
    token = authority.token(**granted)
    await authority.authorize(token)
    await authority.authorize(token, "orders:read")
    await authority.authorize(token, "orders:read", "orders:write")


@pytest.mark.parametrize("granted", [{}, {"scope": "orders:read"}, {"scp": 5}, {"scope": {}}])
async def test_a_missing_scope(authority: Authority, granted: dict[str, Any]) -> None:
    token = authority.token(sub="cus_1", **granted)
    with request() as state, pytest.raises(Problem) as caught:
        await authority.authorize(token, "orders:read", "orders:write")
    assert caught.value.status == 403
    assert caught.value.headers == {
        "WWW-Authenticate": 'Bearer realm="service", error="insufficient_scope",'
        ' scope="orders:read orders:write"'
    }
    assert state.principal is None
    assert state.bound == {"subject": "cus_1"}


def test_who_shows_nothing_gets_no_error_code() -> None:
    assert unauthenticated().headers == {"WWW-Authenticate": 'Bearer realm="service"'}


def test_a_credential_does_not_show_itself() -> None:
    assert "hunter2" not in repr(Credential("bearer", "hunter2", ()))


async def test_a_token_that_is_too_long_is_not_read(authority: Authority) -> None:
    token = authority.token(padding="x" * MAX_TOKEN_LENGTH)
    assert (await authority.refused(token)).detail == "The token is too long."
    assert authority.fetches == 0
