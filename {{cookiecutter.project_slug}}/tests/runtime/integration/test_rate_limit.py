"""What one client may ask, over real sockets and with a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from steadfast_service.runtime.http.rate_limit import network

from ...support.redis import RedisServer, redis_server
from ...support.serving import Served, served


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Served]:
    rate_limit = {"limit": "3/minute;1000/hour", "key_header": "X-Client"}
    async with served(tmp_path, rate_limit=rate_limit) as it:
        yield it


async def statuses(running: Served, client: str, number: int) -> list[int]:
    """Of so many requests, one after the other."""
    headers = {"X-Client": client}
    return [
        (await running.client.get("/api/version", headers=headers)).status_code
        for _ in range(number)
    ]


async def test_beyond_its_rate_a_client_is_told_when_to_come_back(running: Served) -> None:
    assert await statuses(running, "a", 3) == [200] * 3
    response = await running.client.get("/api/version", headers={"X-Client": "a"})
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "The rate limit for this client is used up.",
        "request_id": response.headers["x-request-id"],
    }
    seconds = int(response.headers["retry-after"])
    assert 1 <= seconds <= 81  # the rest of this minute, and a third of the next
    assert response.headers["ratelimit-policy"] == '"3/60s";q=3;w=60'
    assert response.headers["ratelimit"] == f'"3/60s";r=0;t={seconds}'
    assert await running.metric("http_server_requests_shed_total", reason="rate") == 1
    assert await running.metric("rate_limit_enforced") == 1


async def test_others_and_probes_are_not_concerned(running: Served) -> None:
    assert await statuses(running, "a", 5) == [200] * 3 + [429] * 2
    assert await statuses(running, "b", 1) == [200]
    for path in ("/livez", "/readyz"):
        for _ in range(5):
            assert (await running.client.get(path)).status_code == 200


async def test_without_the_header_the_address_counts(running: Served) -> None:
    found = [(await running.client.get("/api/version")).status_code for _ in range(4)]
    assert found == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002"),
        ("2001:db8:1:2::", "20010db800010002"),
        ("2001:db8:1:3::", "20010db800010003"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80000000000000"),
        ("un:known", "un:known"),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(address: str, found: str) -> None:
    assert network(address) == found


async def test_without_a_limit_nobody_is_limited(tmp_path: Path) -> None:
    async with served(tmp_path) as running:
        assert await statuses(running, "a", 50) == [200] * 50
        metrics = (await running.ops.get("/metrics")).text
        assert not any(line.startswith("rate_limit_enforced") for line in metrics.splitlines())


async def test_replicas_share_a_rate_through_redis(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer
) -> None:
    rate_limit = {"limit": "4/minute", "key_header": "X-Client", "storage": redis.url}
    async with (
        served(tmp_path_factory.mktemp("one"), rate_limit=rate_limit) as one,
        served(tmp_path_factory.mktemp("two"), rate_limit=rate_limit) as two,
    ):
        await enforced(one)
        await enforced(two)
        assert await statuses(one, "a", 2) + await statuses(two, "a", 3) == [200] * 4 + [429]
        response = await one.client.get("/api/version", headers={"X-Client": "a"})
        assert 1 <= int(response.headers["retry-after"]) <= 76
        assert await statuses(one, "b", 1) == [200]


async def enforced(running: Served) -> None:
    """Until the storage answers: the server may be starting."""
    async with asyncio.timeout(10):
        while await statuses(running, "probe", 6) != [429] * 6:
            await asyncio.sleep(0.05)


async def test_a_redis_that_dies_or_hangs_holds_nobody(tmp_path: Path, redis: RedisServer) -> None:
    rate_limit = {"limit": "1/hour", "key_header": "X-Client", "storage": redis.url}
    async with served(tmp_path, rate_limit=rate_limit) as running:
        for fail, mend in ((redis.stop, redis.start), (redis.hang, redis.go_on)):
            await enforced(running)
            running.records.lines.clear()
            fail()
            began = time.monotonic()
            assert await statuses(running, "probe", 20) == [200] * 20
            assert time.monotonic() - began < 1.5
            assert len(running.records.of("nobody is rate limited")) == 1
            assert await running.metric("rate_limit_enforced") == 0
            mend()
            await enforced(running)
            assert len(running.records.of("rates are limited again")) == 1


async def test_a_caller_that_goes_away_meanwhile_leaves_the_storage_whole(
    tmp_path: Path, redis: RedisServer
) -> None:
    rate_limit = {"limit": "1000/hour", "key_header": "X-Client", "storage": redis.url}
    async with served(tmp_path, rate_limit=rate_limit) as running:
        await running.client.get("/api/version")
        calls = [
            asyncio.ensure_future(running.client.get("/api/version", headers={"X-Client": str(n)}))
            for n in range(100)
        ]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert {call.result().status_code for call in calls[1::2]} == {200}
        assert await statuses(running, "after", 5) == [200] * 5
