"""Every error is a problem document that its request's id leads to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from steadfast_service.runtime.deadlines import DeadlineExceeded

from ...support.serving import ORDER, Served, served

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("problems"), http={"max_body_bytes": 4096}) as it:

        async def broken() -> None:
            raise RuntimeError("the password is hunter2")

        async def broken_midway() -> None:
            raise DeadlineExceeded("the warehouse")

        it.service.api.router.add_api_route("/api/lab/broken", broken)
        it.service.api.router.add_api_route("/api/lab/late", broken_midway)
        yield it


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The document, after what holds for each of them."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["type"]
    assert document["title"]
    assert document["request_id"] == response.headers["x-request-id"]
    return document


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b'{"customer_id": "\xff"}', b"[1,]"])
async def test_a_body_that_is_not_json(running: Served, body: bytes) -> None:
    response = await running.client.post("/api/orders", content=body, headers=JSON)
    # No body at all is JSON missing, not JSON broken.
    problem(response, 400 if body else 422)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/nothing",
        "/api/orders/1",
        "/api/orders/ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT",
        "/api/orders/ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NI",
        "/api/orders/%00",
    ],
)
async def test_what_does_not_exist(running: Served, path: str) -> None:
    problem(await running.client.get(path), 404)


async def test_a_method_that_the_path_has_not(running: Served) -> None:
    response = await running.client.delete("/api/version")
    problem(response, 405)
    assert response.headers["allow"] == "GET"


async def test_a_body_that_says_it_is_too_large(running: Served) -> None:
    response = await running.client.post("/api/orders", content=b" " * 5000, headers=JSON)
    problem(response, 413)


async def test_a_body_that_turns_out_too_large(running: Served) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1000

    response = await running.client.post("/api/orders", content=parts(), headers=JSON)
    assert "content-length" not in response.request.headers
    problem(response, 413)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_media_type(running: Served, media_type: str) -> None:
    response = await running.client.post(
        "/api/orders", content=b"customer_id=1", headers={"Content-Type": media_type}
    )
    problem(response, 415)


async def test_an_invalid_body_is_explained_by_pointers_and_never_echoed(running: Served) -> None:
    item = {"sku": "tea 01 hunter2", "quantity": "2", "unit_price": 1}
    order = {**ORDER, "items": [item], "a/b~c": "hunter2"}
    response = await running.client.post("/api/orders", json=order)
    document = problem(response, 422)
    assert {(error["in"], error["pointer"], error["code"]) for error in document["errors"]} == {
        ("body", "/items/0/sku", "string_pattern_mismatch"),
        ("body", "/items/0/quantity", "int_type"),
        ("body", "/a~1b~0c", "extra_forbidden"),
    }
    assert "hunter2" not in response.text


async def test_an_invalid_query_says_so(running: Served) -> None:
    document = problem(await running.client.get("/api/orders", params={"limit": "0"}), 422)
    assert [(error["in"], error["pointer"]) for error in document["errors"]] == [
        ("query", "/limit")
    ]


async def test_the_list_of_errors_is_bounded(running: Served) -> None:
    order = {**ORDER, **{f"unknown_{n}": n for n in range(100)}}
    document = problem(await running.client.post("/api/orders", json=order), 422)
    assert len(document["errors"]) == 20


async def test_a_failure_leaks_nothing_and_is_logged_once(running: Served) -> None:
    running.records.lines.clear()
    response = await running.client.get("/api/lab/broken")
    document = problem(response, 500)
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text
    stacks = [record for record in running.records.all() if "exception" in record]
    assert len(stacks) == 1
    assert "RuntimeError: the password is hunter2" in stacks[0]["exception"]
    assert stacks[0]["request_id"] == document["request_id"]


async def test_a_dependency_that_used_up_its_share(running: Served) -> None:
    document = problem(await running.client.get("/api/lab/late"), 504)
    assert document["detail"] == "The warehouse ran out of time."


async def test_a_dependency_that_is_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("down")
    # A port that was free a moment ago: nothing listens there.
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    down = {"payments": {"url": f"http://127.0.0.1:{port}"}}
    async with served(folder, dependencies=down) as running:
        response = await running.client.post("/api/orders", json=ORDER)
        document = problem(response, 503)
        assert response.headers["retry-after"] == "1"
        assert str(port) not in document["detail"]
        assert running.records.of("dependency unavailable")
        outcome = {"dependency": "payments", "outcome": "error"}
        assert await running.metric("http_client_request_duration_seconds_count", **outcome) == 1
