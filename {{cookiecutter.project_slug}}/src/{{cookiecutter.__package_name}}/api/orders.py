"""The orders operations: HTTP in, domain out."""

from ..contract import models
from ..contract.api import OrdersApi
from ..contract.operations import PlaceOrder201
from ..domain.orders import AmountTooLarge, Draft, Item, KeyReused, Order, OrderNotFound, Orders
from ..runtime.http.problems import Problem


class OrdersHandler(OrdersApi):
    """Binds the operations of the tag `orders` to the domain."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def place_order(
        self, *, body: models.NewOrder, idempotency_key: str | None
    ) -> PlaceOrder201:
        items = tuple(Item(one.sku, one.quantity, one.unit_price) for one in body.items)
        draft = Draft(body.customer_id, body.currency, items)
        try:
            placed = await self._orders.place(draft, idempotency_key)
        except AmountTooLarge:
            raise Problem(409, "The amount is too large.", type_="amount-too-large") from None
        except KeyReused:
            detail = "This Idempotency-Key was used for another order."
            raise Problem(409, detail, type_="idempotency-key-reused") from None
        return PlaceOrder201(
            body=_order(placed.order),
            location=f"/api/orders/{placed.order.id}",
            idempotency_replayed=placed.replayed or None,
        )

    async def get_order(self, *, order_id: str) -> models.Order:
        try:
            return _order(await self._orders.get(order_id))
        except OrderNotFound:
            raise Problem(404) from None

    async def list_orders(self, *, after: str | None, limit: int) -> models.OrderPage:
        page = await self._orders.page(after, limit)
        return models.OrderPage(items=[_order(order) for order in page.orders], next=page.next)


def _order(order: Order) -> models.Order:
    """In the contract's terms."""
    return models.Order(
        id=order.id,
        customer_id=order.customer_id,
        currency=order.currency,
        items=[
            models.Item(sku=item.sku, quantity=item.quantity, unit_price=item.unit_price)
            for item in order.items
        ],
        amount=order.amount,
        status=models.Status(order.status),
        created_at=order.created_at,
    )
