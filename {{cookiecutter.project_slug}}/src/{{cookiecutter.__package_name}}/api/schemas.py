"""What the HTTP API takes and gives, as types."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from ..domain.orders import MAX_ITEMS, Draft, Item, Order, Status

Sku = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
CustomerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["cus_1"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"], description="ISO 4217")]
MinorUnits = Annotated[int, Field(ge=0, le=1_000_000_000, description="in minor units (cents)")]
Instant = Annotated[
    datetime, PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), return_type=str)
]


class Input(BaseModel):
    """Strict: a wrong JSON type is refused, not converted, and so is an unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NewItem(Input):
    """One line of a new order."""

    sku: Sku = Field(examples=["tea-01"])
    quantity: int = Field(ge=1, le=10_000, examples=[2])
    unit_price: MinorUnits = Field(examples=[450])


class NewOrder(Input):
    """What a customer asks for."""

    customer_id: CustomerId
    currency: Currency
    items: Annotated[list[NewItem], Field(min_length=1, max_length=MAX_ITEMS)]

    def draft(self) -> Draft:
        """In the domain's terms."""
        items = tuple(Item(i.sku, i.quantity, i.unit_price) for i in self.items)
        return Draft(self.customer_id, self.currency, items)


class ItemOut(BaseModel):
    """One line of an order."""

    sku: str
    quantity: int
    unit_price: int


class OrderOut(BaseModel):
    """An order."""

    id: str = Field(examples=["ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT"])
    customer_id: str
    currency: str
    items: list[ItemOut]
    amount: int = Field(description="the sum of the lines, in minor units")
    status: Status
    created_at: Instant

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        """From the domain's terms."""
        return cls(
            id=order.id,
            customer_id=order.customer_id,
            currency=order.currency,
            items=[
                ItemOut(sku=i.sku, quantity=i.quantity, unit_price=i.unit_price)
                for i in order.items
            ],
            amount=order.amount,
            status=order.status,
            created_at=order.created_at,
        )


class OrderPage(BaseModel):
    """One page of orders, newest first; pass `next` as `after` for the following one."""

    items: list[OrderOut]
    next: str | None


class Version(BaseModel):
    """What answers here."""

    name: str
    version: str
    commit: str
