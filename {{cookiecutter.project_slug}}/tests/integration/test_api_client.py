"""The generated client against the running service, and against one that breaks its word."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from steadfast_service.contract import models
from steadfast_service.contract.client import (
    AmountTooLarge,
    ApiClient,
    InvalidRequest,
    KeyReused,
    NotFound,
    OrderRefused,
    UnexpectedProblem,
)
from steadfast_service.contract.operations import PlaceOrder201
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.deadlines import (
    DeadlineExceeded,
    apply,
)
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.openapi.operation import PROBLEM

from ..support.api_client import api_client, outbound
from ..support.serving import ORDER, Served, served

NONE = "ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT"
NEW = models.NewOrder.model_validate(ORDER)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("client")) as it:
        yield it


@pytest.fixture(scope="module")
async def api(running: Served) -> AsyncIterator[ApiClient]:
    async with api_client(running) as it:
        yield it


async def test_every_operation_has_its_typed_result(api: ApiClient) -> None:
    assert isinstance(await api.get_version(), models.Version)
    placed = await api.place_order(body=NEW, idempotency_key="key-1")
    assert isinstance(placed, PlaceOrder201)
    assert (placed.status, placed.idempotency_replayed) == (201, None)
    assert placed.location == f"/api/orders/{placed.body.id}"
    assert placed.body.status is models.Status.AUTHORISED
    assert placed.body.items == [models.Item.model_validate(ORDER["items"][0])]
    again = await api.place_order(body=NEW, idempotency_key="key-1")
    assert (again.body, again.idempotency_replayed) == (placed.body, True)
    assert await api.get_order(order_id=placed.body.id) == placed.body
    page = await api.list_orders(limit=1)
    assert page == models.OrderPage(items=[placed.body], next=None)
    other = await api.place_order(body=NEW)
    assert (await api.list_orders(limit=1)).next == other.body.id
    assert (await api.list_orders(after=other.body.id)).items == [placed.body]


async def test_every_declared_error_is_an_exception_of_its_own(api: ApiClient) -> None:
    with pytest.raises(NotFound) as missing:
        await api.get_order(order_id=NONE)
    assert (missing.value.status, missing.value.dependency) == (404, "shop")
    assert missing.value.body.title == "Not Found"
    assert missing.value.body.request_id == missing.value.headers["x-request-id"]
    with pytest.raises(InvalidRequest) as query:
        await api.list_orders(limit=0)
    [error] = query.value.body.errors
    assert (error.in_, error.pointer) == (models.In.QUERY, "/limit")


async def test_errors_of_one_status_are_told_apart(api: ApiClient) -> None:
    line = models.NewItem(sku="a", quantity=10_000, unit_price=10_001)
    with pytest.raises(AmountTooLarge) as large:
        await api.place_order(body=NEW.model_copy(update={"items": [line]}))
    assert isinstance(large.value.body, models.AmountTooLarge)
    await api.place_order(body=NEW, idempotency_key="key-2")
    changed = NEW.model_copy(update={"currency": "USD"})
    with pytest.raises(KeyReused) as reused:
        await api.place_order(body=changed, idempotency_key="key-2")
    assert isinstance(reused.value.body, models.KeyReused)
    with pytest.raises(InvalidRequest) as invalid:
        await api.place_order(body=NEW.model_copy(update={"items": []}))
    assert isinstance(invalid.value.body, models.InvalidRequest)
    for error in (large, reused):
        assert isinstance(error.value, OrderRefused)
        assert error.value.retry_after == 1


@pytest.mark.parametrize("order_id", ["", ".", ".."])
async def test_a_path_stays_the_operations_own(api: ApiClient, order_id: str) -> None:
    with pytest.raises(ValueError, match="order_id cannot be"):
        await api.get_order(order_id=order_id)


@pytest.mark.parametrize("order_id", ["a/b", "../orders", "a?b#c", "%2e%2e", "\u00e9", "a b", "{}"])
async def test_a_strange_name_names_nothing(api: ApiClient, order_id: str) -> None:
    with pytest.raises((NotFound, UnexpectedProblem)) as missing:
        await api.get_order(order_id=order_id)
    assert missing.value.status == 404


class Shop:
    """Answers with what it was told."""

    def __init__(self) -> None:
        self.response: Response = Response()
        self.request: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.request = Request(scope, receive)
        await self.request.body()
        await self.response(scope, receive, send)


@asynccontextmanager
async def shop_client() -> AsyncIterator[tuple[Shop, ApiClient]]:
    shop = Shop()
    async with loopback(shop) as url, outbound(url) as client:
        yield shop, ApiClient(client)


@pytest.fixture(scope="module")
async def pair() -> AsyncIterator[tuple[Shop, ApiClient]]:
    async with shop_client() as it:
        yield it


def problem(status: int, headers: dict[str, str] | None = None, **more: Any) -> Response:
    body = {"type": "about:blank", "title": "It", "status": status, **more}
    return JSONResponse(body, status, headers, PROBLEM)


ORDER_BODY = ORDER | {"id": NONE, "amount": 900, "status": "authorised"}
ORDER_BODY |= {"created_at": "2025-01-01T00:00:00Z"}
HERE = {"location": "/x"}


@pytest.mark.parametrize(
    "response",
    [
        JSONResponse(ORDER_BODY, 200, HERE),
        JSONResponse(ORDER_BODY, 201),
        JSONResponse(ORDER_BODY, 201, HERE, media_type="text/plain"),
        JSONResponse(ORDER_BODY, 201, HERE | {"idempotency-replayed": "yes"}),
        JSONResponse(ORDER_BODY | {"amount": "900"}, 201, HERE),
        JSONResponse(ORDER_BODY | {"status": "lost"}, 201, HERE),
        Response(b"{", 201, HERE, "application/json"),
        Response(b"", 201, HERE, "application/json"),
        Response(b"\xff", 201, HERE, "application/json"),
        Response(status_code=204),
        Response(status_code=302, headers={"location": "http://elsewhere.invalid"}),
        Response("no JSON", 400, media_type="text/plain"),
        problem(422, type="unheard-of"),
        JSONResponse({}, 404, media_type=PROBLEM),
        Response("<html>", 502, media_type="text/html"),
    ],
)
async def test_what_is_not_declared_is_as_good_as_no_answer(
    pair: tuple[Shop, ApiClient], response: Response
) -> None:
    shop, api = pair
    shop.response = response
    with pytest.raises(DependencyUnavailable, match=r"^shop: an answer that its contract does not"):
        await api.place_order(body=NEW)


@pytest.mark.parametrize("status", [429, 500, 503, 599])
@pytest.mark.parametrize(
    ("wait", "seconds"),
    [("7", 7), ("", 1), ("\xb2", 1), ("-1", 1), ("soon", 1), ("9" * 5000, 1), ("0", 0)],
)
async def test_a_failing_dependency_is_unavailable(
    pair: tuple[Shop, ApiClient], status: int, wait: str, seconds: int
) -> None:
    shop, api = pair
    shop.response = problem(status, {"retry-after": wait})
    with pytest.raises(DependencyUnavailable, match=f"^shop: status {status}$") as failed:
        await api.get_version()
    assert failed.value.retry_after == seconds
    assert isinstance(failed.value.__cause__, UnexpectedProblem)
    assert failed.value.__cause__.body.title == "It"


async def test_an_error_that_the_default_declares(pair: tuple[Shop, ApiClient]) -> None:
    shop, api = pair
    shop.response = problem(418, {"retry-after": "9"}, detail="short", more=1)
    with pytest.raises(UnexpectedProblem, match=r"^shop: status 418$") as failed:
        await api.get_version()
    assert (failed.value.body.detail, failed.value.retry_after) == ("short", 9)


async def test_the_deadline_goes_with_the_call(pair: tuple[Shop, ApiClient]) -> None:
    shop, api = pair
    shop.response = JSONResponse({"name": "a", "version": "1", "commit": "c"})
    state = RequestState(time.monotonic(), "0" * 31 + "1", "request-1")
    apply(state, 1)
    token = current.set(state)
    try:
        await api.get_version()
        assert 500 < int(shop.request.headers["x-request-timeout-ms"]) <= 900
        assert shop.request.headers["x-request-id"] == "request-1"
        assert state.trace_id in shop.request.headers["traceparent"]
        apply(state, -1)
        with pytest.raises(DeadlineExceeded):
            await api.get_version()
    finally:
        current.reset(token)


async def test_nobody_there_is_unavailable() -> None:
    async with outbound("http://127.0.0.1:1") as client:
        with pytest.raises(DependencyUnavailable, match=r"^shop: Cannot connect"):
            await ApiClient(client).get_version()
