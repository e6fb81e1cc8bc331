"""Whatever somebody sends instead of a token: a refusal, never a failure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.http.problems import Problem

from .authority import Origin, encoded, unsigned

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS)
SEGMENTS = st.text("ABCabc019-_=", max_size=12)
MALFORMED = (
    st.text(max_size=80)
    | st.lists(SEGMENTS, max_size=6).map(".".join)
    | st.builds(
        lambda header, claims: f"{unsigned(header, claims)}.AAAA",
        st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), ANYTHING),
        ANYTHING,
    )
    | st.binary(max_size=40).map(lambda header: f"{encoded(header)}.e30.AAAA")
)


@given(MALFORMED)
async def test_no_garbage_breaks_it(origin: Origin, token: str) -> None:
    await origin.authority().refused(token)


@given(st.integers(min_value=0), st.text("ABCabc019-_=.\ud800é", min_size=1, max_size=1))
async def test_no_changed_character_passes(origin: Origin, at: int, other: str) -> None:
    authority = origin.authority()
    token = authority.token()
    at %= len(token)
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        await authority.refused(changed)


CLAIMS = st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "scp"])


@given(st.dictionaries(CLAIMS, ANYTHING))
async def test_no_claim_breaks_it(origin: Origin, claims: dict[str, Any]) -> None:
    authority = origin.authority()
    token = authority.signed(authority.usual() | claims)
    try:
        await authority.authorize(token)
    except Problem:
        await authority.refused(token)
