"""Which members of a JWKS verify tokens, and which are none of our business."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from steadfast_service.runtime.auth.keys import Keys, _usable

from .authority import AUDIENCE, ISSUER, TTL, Authority, Origin

ALL = ("RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA")

SHORT = rsa.generate_private_key(65537, 1024)
RSA = rsa.generate_private_key(65537, 2048)
P384 = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA_JWK = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
P384_JWK = ECAlgorithm.to_jwk(P384.public_key(), as_dict=True)
ED_JWK = OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True)


@pytest.mark.parametrize("algorithms", [[], ["none"], ["HS256"], ["ES256", "HS512"], ["ES257"]])
async def test_only_public_keys_verify(authority: Authority, algorithms: list[str]) -> None:
    with pytest.raises(ValueError, match="one or more of ES256"):
        Keys(authority.keys._client, "/", algorithms=algorithms)


def private(jwk: dict[str, Any]) -> dict[str, Any]:
    """Published by mistake, with nothing else that is wrong with it."""
    assert "d" in jwk
    return {name: value for name, value in jwk.items() if name != "key_ops"}


@pytest.mark.parametrize(
    ("jwk", "fits"),
    [
        (RSA_JWK, {"RS256", "RS512", "PS256"}),
        (RSA_JWK | {"alg": "PS256", "use": "sig"}, {"PS256"}),
        (RSA_JWK | {"alg": "RS384"}, set()),  # not one that tokens may use
        (P384_JWK, {"ES384"}),
        (ED_JWK | {"key_ops": ["verify"]}, {"EdDSA"}),
        (RSA_JWK | {"use": "enc"}, set()),
        (RSA_JWK | {"key_ops": ["encrypt"]}, set()),
        (RSA_JWK | {"kid": 7}, set()),
        (RSA_JWK | {"kty": "unheard-of"}, set()),
        (RSA_JWK | {"n": "AQAB"}, set()),
        (private(RSAAlgorithm.to_jwk(RSA, as_dict=True)), set()),
        (private(ECAlgorithm.to_jwk(P384, as_dict=True)), set()),
        (private(OKPAlgorithm.to_jwk(ED, as_dict=True)), set()),
        (RSAAlgorithm.to_jwk(SHORT.public_key(), as_dict=True), set()),
        ({"kty": "oct", "k": "c2VjcmV0"}, set()),
        ({"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"}, set()),
    ],
)
def test_the_type_of_a_key_decides_what_it_verifies(jwk: dict[str, Any], fits: set[str]) -> None:
    assert set(_usable(jwk, ALL)) == fits


@given(
    st.sampled_from([RSA_JWK, P384_JWK, ED_JWK]),
    st.dictionaries(
        st.sampled_from(["kty", "kid", "use", "key_ops", "alg", "n", "e", "x", "y", "crv"]),
        st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3), max_size=2),
    ),
)
def test_no_member_of_a_jwks_breaks_it(jwk: dict[str, Any], changes: dict[str, Any]) -> None:
    _usable(json.loads(json.dumps(jwk | changes)), ALL)


@pytest.mark.parametrize(("key", "jwk", "name"), [(RSA, RSA_JWK, "PS256"), (ED, ED_JWK, "EdDSA")])
async def test_unusable_keys_are_skipped(origin: Origin, key: Any, jwk: Any, name: str) -> None:
    authority = origin.authority(*ALL)
    authority.publish(None, {}, {"kty": "oct", "k": "c2VjcmV0", "kid": "1"}, jwk)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": authority.now + 60}
    # Without an id there is only one key that it can be.
    await authority.authorize(jwt.encode(claims, key, name))
    authority.publish(jwk, P384_JWK | {"kid": "other"})
    authority.now += TTL
    token = jwt.encode(claims | {"exp": authority.now + 60}, key, name)
    assert (await authority.refused(token)).detail == "The token is signed with an unknown key."
