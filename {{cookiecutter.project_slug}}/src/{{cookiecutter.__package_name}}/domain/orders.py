"""Orders: what one is, when one is accepted, and how payment and store work together.

Money is an integer in minor units of its currency (cents), never a float.
"""

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

# 1,000,000.00 in a currency with two decimals: above that a person should look first.
MAX_AMOUNT = 100_000_000
MAX_LARGE_AMOUNT = 10 * MAX_AMOUNT  # for customers who have been looked at
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


class Status(StrEnum):
    """Where an order stands. `pending` means that the payment's outcome is not known yet."""

    PENDING = "pending"
    AUTHORISED = "authorised"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order; `unit_price` in minor units."""

    sku: str
    quantity: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What a customer asks for."""

    customer_id: str
    currency: str
    items: tuple[Item, ...]

    @property
    def amount(self) -> int:
        """The sum of the lines, in minor units."""
        return sum(item.quantity * item.unit_price for item in self.items)

    def fingerprint(self) -> str:
        """Equal for equal drafts: tells a repeated request from a reused key."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is stored. `id` sorts by time of creation."""

    id: str
    customer_id: str
    currency: str
    items: tuple[Item, ...]
    amount: int
    status: Status
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """The result of placing an order; `replayed` when the same key had placed it before."""

    order: Order
    replayed: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Orders, newest first; `next` is the id to continue after, None at the end."""

    orders: Sequence[Order]
    next: str | None


class AmountTooLarge(Exception):
    """The amount is above what is accepted without a person."""


class OrderNotFound(Exception):
    """No order has this id."""


class KeyReused(Exception):
    """The idempotency key was used before, for another order."""


class OrderRepository(Protocol):
    """Where orders are kept."""

    async def add(self, order: Order, key: str | None, fingerprint: str) -> tuple[Order, str]:
        """Store `order`, unless one with this key exists; returns the stored one, its print."""

    async def has(self, key: str) -> bool:
        """Whether an order was placed with this key."""

    async def settle(self, order_id: str, status: Status) -> None:
        """Record the payment's outcome of a pending order; a settled one stays as it is."""

    async def get(self, order_id: str) -> Order | None:
        """The order, or None."""

    async def page(self, after: str | None, limit: int) -> Sequence[Order]:
        """At most `limit` orders older than `after`, newest first."""


class Payments(Protocol):
    """Who moves the money."""

    async def authorise(self, order_id: str, amount: int, currency: str) -> bool:
        """Whether the amount is authorised. Asking again with the same id changes nothing."""


class Orders:
    """Places and finds orders.

    Args:
        may_be_large: whether a customer's orders may be up to `MAX_LARGE_AMOUNT`. Asked for
            amounts above `MAX_AMOUNT` only.
        now: seconds of Unix time.
    """

    def __init__(
        self,
        repository: OrderRepository,
        payments: Payments,
        may_be_large: Callable[[str], Awaitable[bool]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._repository = repository
        self._payments = payments
        self._may_be_large = may_be_large
        self._now = now

    async def place(self, draft: Draft, key: str | None) -> Placed:
        """Accept an order and have its amount authorised.

        The order is stored as pending before the payment is asked for, and the payment is
        keyed by the order's id: whatever fails in between, the caller repeats the request
        with the same key, and it is finished, once.

        Raises:
            AmountTooLarge, KeyReused: the draft is refused; nothing is stored.
        """
        if draft.amount > MAX_AMOUNT and not await self._accepts_large(draft, key):
            raise AmountTooLarge
        now = self._now()
        order = Order(
            id=new_order_id(now),
            customer_id=draft.customer_id,
            currency=draft.currency,
            items=draft.items,
            amount=draft.amount,
            status=Status.PENDING,
            created_at=datetime.fromtimestamp(int(now * 1000) / 1000, UTC),
        )
        fingerprint = draft.fingerprint()
        stored, stored_fingerprint = await self._repository.add(order, key, fingerprint)
        if stored_fingerprint != fingerprint:
            raise KeyReused
        if stored.status is Status.PENDING:
            authorised = await self._payments.authorise(stored.id, stored.amount, stored.currency)
            status = Status.AUTHORISED if authorised else Status.DECLINED
            await self._repository.settle(stored.id, status)
            stored = replace(stored, status=status)
        return Placed(stored, replayed=stored.id != order.id)

    async def _accepts_large(self, draft: Draft, key: str | None) -> bool:
        if draft.amount > MAX_LARGE_AMOUNT:
            return False
        if await self._may_be_large(draft.customer_id):
            return True
        # One placed while it might be large is repeated to the same end, and finished.
        return key is not None and await self._repository.has(key)

    async def get(self, order_id: str) -> Order:
        """The order. Raises `OrderNotFound`."""
        order = await self._repository.get(order_id)
        if order is None:
            raise OrderNotFound
        return order

    async def page(self, after: str | None, limit: int) -> Page:
        """One page, newest first."""
        found = await self._repository.page(after, limit + 1)
        orders = found[:limit]
        return Page(orders, orders[-1].id if len(found) > limit else None)


def new_order_id(now: float) -> str:
    """`ord_` and 26 characters: 48 bits of milliseconds, then 80 random ones (a ULID)."""
    number = int(now * 1000) << 80 | secrets.randbits(80)
    return "ord_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
