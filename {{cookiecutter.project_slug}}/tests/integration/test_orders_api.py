"""The orders operations, as their callers see them."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ..support.serving import ORDER, Served, served
from ..support.upstream import payments


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("api")) as it:
        yield it


async def place(running: Served, key: str = "", **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await running.client.post("/api/orders", json=ORDER | changes, headers=headers)


def item(**changes: Any) -> dict[str, Any]:
    return {**ORDER["items"][0], **changes}


async def test_an_order_is_placed_and_found_at_its_location(running: Served) -> None:
    before = datetime.now(UTC).timestamp()
    response = await place(running)
    assert response.status_code == 201
    assert "idempotency-replayed" not in response.headers
    order = response.json()
    assert re.fullmatch(r"ord_[0-9A-HJKMNP-TV-Z]{26}", order["id"])
    created = datetime.fromisoformat(order["created_at"])
    assert before - 0.001 <= created.timestamp() <= datetime.now(UTC).timestamp()
    assert order["created_at"].endswith("Z")
    assert {k: order[k] for k in ORDER} == ORDER
    assert (order["amount"], order["status"]) == (900, "authorised")
    assert response.headers["location"] == f"/api/orders/{order['id']}"
    found = await running.client.get(response.headers["location"])
    assert found.status_code == 200
    assert found.json() == order


async def test_the_sandbox_declines_large_amounts(running: Served) -> None:
    for price, status in ((49_999_999, "authorised"), (50_000_000, "declined")):
        response = await place(running, items=[item(quantity=1, unit_price=price)])
        assert (response.status_code, response.json()["status"]) == (201, status)


async def test_a_repeat_with_the_same_key_is_the_same_order(running: Served) -> None:
    first, again = await place(running, "key-1"), await place(running, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_at_the_same_time_too(running: Served) -> None:
    responses = await asyncio.gather(*(place(running, "key-2") for _ in range(10)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    replayed = [response for response in responses if "idempotency-replayed" in response.headers]
    assert len(replayed) == 9


async def test_a_key_is_not_taken_for_another_order(running: Served) -> None:
    await place(running, "key-3")
    response = await place(running, "key-3", currency="USD")
    assert response.status_code == 409
    assert response.json()["type"] == "idempotency-key-reused"


@pytest.mark.parametrize("key", ["a b", "x" * 129, "\u00e9"])
async def test_a_key_of_another_form_is_refused(running: Served, key: str) -> None:
    response = await running.client.post(
        "/api/orders", json=ORDER, headers={b"Idempotency-Key": key.encode()}
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["in"] == "header"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"customer_id": 7}, "/customer_id"),
        ({"customer_id": ""}, "/customer_id"),
        ({"currency": "eur"}, "/currency"),
        ({"items": []}, "/items"),
        ({"items": [item()] * 101}, "/items"),
        ({"items": [item(quantity="2")]}, "/items/0/quantity"),
        ({"items": [item(quantity=2.5)]}, "/items/0/quantity"),
        ({"items": [item(quantity=True)]}, "/items/0/quantity"),
        ({"items": [item(quantity=0)]}, "/items/0/quantity"),
        ({"items": [item(), item(unit_price=-1)]}, "/items/1/unit_price"),
        ({"items": [item(unit_price=1 << 70)]}, "/items/0/unit_price"),
        ({"items": [item(price=1)]}, "/items/0/price"),
        ({"status": "authorised"}, "/status"),
    ],
)
async def test_types_are_strict(running: Served, changes: dict[str, Any], pointer: str) -> None:
    response = await place(running, **changes)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_an_amount_above_the_limit_is_refused(running: Served) -> None:
    response = await place(running, items=[item(quantity=10_000, unit_price=10_001)])
    assert response.status_code == 409
    assert response.json()["type"] == "amount-too-large"


async def test_pages_cover_every_order_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with served(tmp_path_factory.mktemp("pages")) as running:
        placed = [(await place(running)).json()["id"] for _ in range(7)]
        seen: list[str] = []
        params: dict[str, str | int] = {"limit": 3}
        while True:
            page = (await running.client.get("/api/orders", params=params)).json()
            assert len(page["items"]) <= 3
            seen += [order["id"] for order in page["items"]]
            if page["next"] is None:
                break
            params["after"] = page["next"]
        assert sorted(seen) == sorted(placed)
        assert seen == sorted(seen, reverse=True)
        assert len((await running.client.get("/api/orders")).json()["items"]) == 7


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=1", "after="])
async def test_a_page_that_cannot_be_is_refused(running: Served, query: str) -> None:
    assert (await running.client.get(f"/api/orders?{query}")).status_code == 422


async def test_a_payment_that_failed_is_finished_by_the_repeat(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with payments() as upstream:
        folder, url = tmp_path_factory.mktemp("finished"), {"url": upstream.url}
        async with served(folder, dependencies={"payments": url}) as running:
            upstream.answers = [(500, {})]
            assert (await place(running, "key")).status_code == 503
            [pending] = (await running.client.get("/api/orders")).json()["items"]
            assert pending["status"] == "pending"
            response = await place(running, "key")
            assert response.status_code == 201
            assert response.json() == pending | {"status": "authorised"}
            assert response.headers["idempotency-replayed"] == "true"


async def test_the_version_says_what_runs(running: Served) -> None:
    version = (await running.client.get("/api/version")).json()
    assert version.keys() == {"name", "version", "commit"}
    info = (await running.ops.get("/info")).json()
    assert version.items() <= info.items()


async def test_the_documentation_is_served(running: Served) -> None:
    response = await running.client.get("/docs")
    assert response.status_code == 200
    assert "swagger-ui-bundle.js" in response.text
