# Generated from contract/openapi.yaml by `make contract`. Do not edit.
"""The schemas of the contract, as types."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from typing_extensions import TypeAliasType

from ..runtime.openapi.model import Model


class Version(Model):
    """What answers here."""

    name: str
    version: str
    commit: str


OrderId = TypeAliasType(
    "OrderId",
    Annotated[
        str,
        Field(
            description="A ULID with a prefix; sorts by time of creation.",
            examples=["ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT"],
            pattern="^ord_[0-9A-HJKMNP-TV-Z]{26}$",
        ),
    ],
)


Sku = TypeAliasType(
    "Sku", Annotated[str, Field(examples=["tea-01"], pattern="^[A-Za-z0-9._-]{1,64}$")]
)


CustomerId = TypeAliasType(
    "CustomerId",
    Annotated[str, Field(examples=["cus_1"], pattern="^[A-Za-z0-9._-]{1,64}$")],
)


Currency = TypeAliasType(
    "Currency",
    Annotated[str, Field(description="ISO 4217.", examples=["EUR"], pattern="^[A-Z]{3}$")],
)


MinorUnits = TypeAliasType(
    "MinorUnits",
    Annotated[
        int,
        Field(
            description="Money in minor units of its currency (cents).",
            ge=0,
            le=1000000000,
        ),
    ],
)


class NewItem(Model):
    """One line of a new order."""

    model_config = ConfigDict(
        extra="forbid",
    )
    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=10000)]
    unit_price: MinorUnits


class NewOrder(Model):
    """What a customer asks for."""

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: CustomerId
    currency: Currency
    items: Annotated[list[NewItem], Field(max_length=100, min_length=1)]


class Status(StrEnum):
    """
    Where an order stands; pending until the payment's outcome is known.
    """

    PENDING = "pending"
    AUTHORISED = "authorised"
    DECLINED = "declined"


class Item(Model):
    """One line of an order."""

    sku: str
    quantity: int
    unit_price: int


class Order(Model):
    """An order."""

    id: OrderId
    customer_id: str
    currency: str
    items: list[Item]
    amount: Annotated[int, Field(description="The sum of the lines.")]
    status: Status
    created_at: AwareDatetime


class OrderPage(Model):
    """One page of orders; pass `next` as `after` for the following one."""

    items: list[Order]
    next: str | None


class Problem(Model):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | MISSING = MISSING
    request_id: str | MISSING = MISSING


class In(StrEnum):
    BODY = "body"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


class InvalidValue(Model):
    """One value that does not match."""

    in_: Annotated[In, Field(alias="in")]
    pointer: Annotated[str, Field(description="A JSON pointer to the value.")]
    detail: str
    code: str


class AmountTooLarge(Model):
    """The amount is above what is accepted without a person."""

    type: Literal["amount-too-large"]
    title: str
    status: int
    detail: str | MISSING = MISSING
    request_id: str | MISSING = MISSING


class KeyReused(Model):
    """The idempotency key was used before, for another order."""

    type: Literal["idempotency-key-reused"]
    title: str
    status: int
    detail: str | MISSING = MISSING
    request_id: str | MISSING = MISSING


ListOrdersLimit = TypeAliasType("ListOrdersLimit", Annotated[int, Field(ge=1, le=100)])


PlaceOrderIdempotencyKey = TypeAliasType(
    "PlaceOrderIdempotencyKey", Annotated[str, Field(pattern="^[\\x21-\\x7e]{1,128}$")]
)


OrderRefused = TypeAliasType(
    "OrderRefused", Annotated[AmountTooLarge | KeyReused, Field(discriminator="type")]
)


class InvalidRequest(Model):
    """What of the request does not match."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str | MISSING = MISSING
    request_id: str | MISSING = MISSING
    errors: list[InvalidValue]
