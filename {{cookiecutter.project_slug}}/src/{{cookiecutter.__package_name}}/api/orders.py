"""The orders operations: HTTP in, domain out."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from ..domain.orders import ORDER_ID_PATTERN, AmountTooLarge, KeyReused, OrderNotFound, Orders
from ..runtime.http.problems import Problem
from .schemas import NewOrder, OrderOut, OrderPage

OrderId = Annotated[
    str,
    Path(
        pattern=ORDER_ID_PATTERN,
        description="A malformed id names no order: 404, as for an unknown one.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Repeat a request with its key and it is done once. 1 to 128 characters.",
    ),
]


class OrdersApi:
    """Binds the operations of the tag `orders` to the domain."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def register(self, router: APIRouter) -> None:
        """Add the routes."""
        add = router.add_api_route
        add(
            "/api/orders",
            self.place,
            methods=["POST"],
            status_code=201,
            tags=["orders"],
            operation_id="placeOrder",
            summary="Place an order",
        )
        add(
            "/api/orders",
            self.list,
            methods=["GET"],
            tags=["orders"],
            operation_id="listOrders",
            summary="List orders, newest first",
        )
        add(
            "/api/orders/{order_id}",
            self.get,
            methods=["GET"],
            tags=["orders"],
            operation_id="getOrder",
            summary="Get an order",
        )

    async def place(
        self, order: NewOrder, response: Response, idempotency_key: IdempotencyKey = None
    ) -> OrderOut:
        """Stores the order and has its amount authorised; `status` says how that went."""
        try:
            placed = await self._orders.place(order.draft(), idempotency_key)
        except AmountTooLarge:
            raise Problem(422, "The amount is too large.", type_="amount-too-large") from None
        except KeyReused:
            detail = "This Idempotency-Key was used for another order."
            raise Problem(422, detail, type_="idempotency-key-reused") from None
        response.headers["Location"] = f"/api/orders/{placed.order.id}"
        if placed.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return OrderOut.of(placed.order)

    async def get(self, order_id: OrderId) -> OrderOut:
        """One order by its id."""
        try:
            return OrderOut.of(await self._orders.get(order_id))
        except OrderNotFound:
            raise Problem(404) from None

    async def list(
        self,
        after: Annotated[str | None, Query(pattern=ORDER_ID_PATTERN)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> OrderPage:
        """A page costs the same wherever it starts: it continues after an id, not an offset."""
        page = await self._orders.page(after, limit)
        return OrderPage(items=[OrderOut.of(order) for order in page.orders], next=page.next)
