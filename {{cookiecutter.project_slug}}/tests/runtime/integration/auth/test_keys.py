"""When the issuer is asked for its keys, and what happens while it does not answer."""

import asyncio
import time

import httpx
import pytest

from steadfast_service.runtime.auth.keys import RETRY_SECONDS
from steadfast_service.runtime.auth.sandbox_issuer import (
    JWKS_PATH,
    SandboxIssuer,
)
from steadfast_service.runtime.deadlines import apply
from steadfast_service.runtime.errors import DependencyUnavailable

from ....support.records import Records
from .authority import (
    AUDIENCE,
    COOLDOWN,
    ISSUER,
    TTL,
    Authority,
    Origin,
    calling,
    request,
)

BOUND = 5.0
NOT_FETCHED = "signing keys not fetched"


@pytest.fixture(scope="module")
def strangers() -> SandboxIssuer:
    """Tokens with key ids that the issuer has never published."""
    return SandboxIssuer(ISSUER, AUDIENCE)


async def test_keys_are_kept_for_their_time(authority: Authority) -> None:
    token = authority.token(ttl=3600)
    for _ in range(3):
        await authority.authorize(token)
    authority.now += TTL - 1
    await authority.authorize(token)
    assert authority.fetches == 1
    authority.now += 1
    await authority.authorize(token)
    assert authority.fetches == 2


async def test_a_rotated_key_is_fetched_when_it_is_first_seen(authority: Authority) -> None:
    before = authority.token()
    await authority.authorize(before)
    authority.issuer.rotate(keep_old=True)
    await authority.authorize(authority.token())
    await authority.authorize(before)
    assert authority.fetches == 2


async def test_a_key_that_was_taken_back_is_gone_with_the_next_fetch(authority: Authority) -> None:
    before = authority.token(ttl=3600)
    await authority.authorize(before)
    authority.issuer.rotate(keep_old=False)
    authority.now += TTL
    problem = await authority.refused(before)
    assert problem.detail == "The token is signed with an unknown key."


async def test_unknown_keys_ask_the_issuer_once_per_cooldown(
    authority: Authority, strangers: SandboxIssuer
) -> None:
    await authority.authorize(authority.token())
    for expected in (2, 3):
        for _ in range(20):
            strangers.rotate(keep_old=False)
            await authority.refused(strangers.token())
        assert authority.fetches == expected
        authority.now += COOLDOWN - 1
        await authority.refused(strangers.token())
        assert authority.fetches == expected
        authority.now += 1


async def test_requests_that_come_together_share_one_fetch(authority: Authority) -> None:
    authority.gate.clear()
    token = authority.token()
    requests = [asyncio.ensure_future(authority.authorize(token)) for _ in range(20)]
    async with asyncio.timeout(BOUND):
        await authority.asked.wait()
        authority.gate.set()
        await asyncio.gather(*requests)
    assert authority.fetches == 1


async def test_the_first_caller_takes_nobody_down_with_it(authority: Authority) -> None:
    authority.gate.clear()
    token = authority.token()
    with request() as state:
        apply(state, 0.01)  # the deadline is the first caller's alone too
        first = asyncio.ensure_future(authority.authorize(token))
        async with asyncio.timeout(BOUND):
            await authority.asked.wait()
    others = [asyncio.ensure_future(authority.authorize(token)) for _ in range(3)]
    while time.monotonic() < state.deadline:
        await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(BOUND):
        assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], BaseException)
        authority.gate.set()
        await asyncio.gather(*others)
    assert authority.fetches == 1


DOWN = [(500, b""), (503, b""), (429, b""), (404, b"{}"), (301, b"")]
MALFORMED = [
    (200, body)
    for body in (b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1]}')
]


@pytest.mark.parametrize("answer", DOWN + MALFORMED + [(200, b"[" * 100_000)])
async def test_without_keys_nothing_can_be_verified(
    authority: Authority, answer: tuple[int, bytes]
) -> None:
    token = authority.token()
    authority.answer = answer
    for _ in range(3):  # the issuer is asked once
        with pytest.raises(DependencyUnavailable) as caught:
            await authority.authorize(token)
        assert caught.value.dependency == "issuer"
    assert authority.fetches == 1
    authority.answer = None
    authority.now += RETRY_SECONDS
    await authority.authorize(token)


async def test_keys_on_an_error_page_are_not_taken(authority: Authority) -> None:
    stranger = SandboxIssuer(ISSUER, AUDIENCE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(stranger.app())) as client:
        page = await client.get(f"{ISSUER}{JWKS_PATH}")
    authority.answer = 404, page.content
    with pytest.raises(DependencyUnavailable):
        await authority.authorize(stranger.token())


@pytest.mark.parametrize("answer", [DOWN[0], *MALFORMED])
async def test_while_the_issuer_is_down_its_keys_go_on_being_used(
    records: Records, authority: Authority, answer: tuple[int, bytes]
) -> None:
    token = authority.token(ttl=3600)
    await authority.authorize(token)
    authority.answer = answer
    authority.now += TTL
    for _ in range(3):
        await authority.authorize(token)
    assert authority.fetches == 2
    (record,) = records.of(NOT_FETCHED)
    assert record["level"] == "warning"
    assert record["kept"] == 1
    assert record["error"].startswith("DependencyUnavailable: issuer: ")


async def test_an_issuer_known_to_be_down_delays_nobody(
    authority: Authority, strangers: SandboxIssuer
) -> None:
    token = authority.token(ttl=3600)
    await authority.authorize(token)
    authority.answer = (503, b"")
    authority.now += TTL
    await authority.authorize(token)
    # A key that came in the meantime: that it is good can be neither said nor denied.
    with pytest.raises(DependencyUnavailable):
        await authority.authorize(strangers.token())
    authority.now += COOLDOWN
    authority.answer = None
    authority.asked.clear()
    authority.gate.clear()
    async with asyncio.timeout(BOUND):
        await authority.authorize(token)
        await authority.asked.wait()
        authority.gate.set()
        await authority.refused(strangers.token())  # waits for that fetch
    assert authority.fetches == 3


async def test_an_issuer_that_hangs_or_is_not_there(records: Records, origin: Origin) -> None:
    async with origin.impatient() as client, calling("http://127.0.0.1:9") as nobody:
        hanging = origin.authority(client=client)
        hanging.gate.clear()
        for authority in (hanging, Authority(nobody)):
            with pytest.raises(DependencyUnavailable):
                await authority.authorize(authority.token())
        hanging.gate.set()
    assert len(records.of(NOT_FETCHED)) == 2
