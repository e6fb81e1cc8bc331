"""The rules of orders."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.domain.orders import (
    MAX_AMOUNT,
    MAX_LARGE_AMOUNT,
    AmountTooLarge,
    Draft,
    Item,
    KeyReused,
    Order,
    OrderNotFound,
    Orders,
    Status,
    new_order_id,
)

items = st.builds(Item, st.text(max_size=5), st.integers(1, 10_000), st.integers(0, 1_000_000_000))
DRAFT = Draft("cus_1", "EUR", (Item("tea-01", 2, 450),))


class Store:
    """The repository's contract, in a few lines."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.keys: dict[str, tuple[str, str]] = {}

    async def add(self, order: Order, key: str | None, fingerprint: str) -> tuple[Order, str]:
        if key is not None:
            order_id, stored = self.keys.setdefault(key, (order.id, fingerprint))
            if order_id != order.id:
                return self.orders[order_id], stored
        self.orders[order.id] = order
        return order, fingerprint

    async def has(self, key: str) -> bool:
        return key in self.keys

    async def settle(self, order_id: str, status: Status) -> None:
        if self.orders[order_id].status is Status.PENDING:
            self.orders[order_id] = replace(self.orders[order_id], status=status)

    async def get(self, order_id: str) -> Order | None:
        return self.orders.get(order_id)

    async def page(self, after: str | None, limit: int) -> Sequence[Order]:
        older = [i for i in sorted(self.orders, reverse=True) if after is None or i < after]
        return [self.orders[i] for i in older[:limit]]


class Payments:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int, str]] = []

    async def authorise(self, order_id: str, amount: int, currency: str) -> bool:
        self.asked.append((order_id, amount, currency))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Chosen:
    """Customers whose orders may be large; remembers who was asked for."""

    def __init__(self, *customers: str) -> None:
        self.customers = customers
        self.asked: list[str] = []

    async def __call__(self, customer_id: str) -> bool:
        self.asked.append(customer_id)
        return customer_id in self.customers


@given(st.lists(items, max_size=20).map(tuple))
def test_the_amount_is_the_sum_of_the_lines(lines: tuple[Item, ...]) -> None:
    amount = Draft("c", "EUR", lines).amount
    assert amount == sum(line.quantity * line.unit_price for line in lines)
    assert isinstance(amount, int)


@given(st.lists(st.integers(0, (1 << 48) - 1), min_size=2, max_size=10, unique=True))
def test_ids_match_their_pattern_and_sort_by_time(milliseconds: list[int]) -> None:
    # A little above the whole millisecond, so that no float falls below it.
    ids = [new_order_id((at + 0.4) / 1000) for at in sorted(milliseconds)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"ord_[0-9A-HJKMNP-TV-Z]{26}", order_id) for order_id in ids)


def test_ids_of_one_instant_differ() -> None:
    assert len({new_order_id(1_700_000_000.0) for _ in range(1000)}) == 1000


@given(st.builds(Draft, st.text(max_size=3), st.text(max_size=3), st.tuples(items)))
def test_a_fingerprint_tells_drafts_apart(draft: Draft) -> None:
    assert draft.fingerprint() == replace(draft).fingerprint()
    other = replace(draft, customer_id=draft.customer_id + "x")
    assert draft.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    ("authorised", "status"), [(True, Status.AUTHORISED), (False, Status.DECLINED)]
)
async def test_an_order_is_stored_with_the_payment_s_outcome(
    authorised: bool, status: Status
) -> None:
    store, payments = Store(), Payments(authorised)
    orders = Orders(store, payments, Chosen(), now=lambda: 1_700_000_000.1239)
    placed = await orders.place(DRAFT, None)
    assert not placed.replayed
    assert placed.order.status is status
    assert placed.order.amount == 900
    assert placed.order.created_at.isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert store.orders == {placed.order.id: placed.order}
    assert payments.asked == [(placed.order.id, 900, "EUR")]


async def test_an_amount_is_accepted_up_to_a_limit() -> None:
    store, payments = Store(), Payments(True)
    orders = Orders(store, payments, Chosen())
    most = Draft("cus_1", "EUR", (Item("gold", 1, MAX_AMOUNT),))
    assert (await orders.place(most, None)).order.amount == MAX_AMOUNT
    over = replace(most, items=(*most.items, Item("tea", 1, 1)))
    with pytest.raises(AmountTooLarge):
        await orders.place(over, "key")
    assert len(store.orders) == len(payments.asked) == 1
    assert store.keys == {}


@pytest.mark.parametrize("amount", [MAX_AMOUNT + 1, MAX_LARGE_AMOUNT])
async def test_chosen_customers_may_place_large_orders(amount: int) -> None:
    payments, chosen = Payments(True), Chosen("cus_1")
    orders = Orders(Store(), payments, chosen)
    large = Draft("cus_1", "EUR", (Item("gold", 1, amount),))
    assert (await orders.place(large, None)).order.amount == amount
    with pytest.raises(AmountTooLarge):
        await orders.place(replace(large, customer_id="cus_2"), None)
    assert chosen.asked == ["cus_1", "cus_2"]
    assert len(payments.asked) == 1


async def test_a_large_order_is_finished_though_its_customer_may_place_none_any_more() -> None:
    store, payments = Store(), Payments(ConnectionError(), True)
    large = Draft("cus_1", "EUR", (Item("gold", 1, MAX_LARGE_AMOUNT),))
    with pytest.raises(ConnectionError):
        await Orders(store, payments, Chosen("cus_1")).place(large, "key")
    orders = Orders(store, payments, Chosen())
    with pytest.raises(AmountTooLarge):
        await orders.place(large, "another key")
    placed = await orders.place(large, "key")
    assert (placed.replayed, placed.order.status) == (True, Status.AUTHORISED)
    with pytest.raises(KeyReused):
        await orders.place(replace(large, customer_id="cus_2"), "key")


async def test_nobody_is_asked_about_what_everybody_or_nobody_may() -> None:
    chosen = Chosen("cus_1")
    orders = Orders(Store(), Payments(True), chosen)
    most = Draft("cus_1", "EUR", (Item("gold", 1, MAX_AMOUNT),))
    await orders.place(most, None)
    with pytest.raises(AmountTooLarge):
        await orders.place(replace(most, items=(Item("gold", 1, MAX_LARGE_AMOUNT + 1),)), None)
    assert chosen.asked == []


async def test_a_repeated_request_is_done_once() -> None:
    payments = Payments(True)
    orders = Orders(Store(), payments, Chosen())
    first = await orders.place(DRAFT, "key")
    again = await orders.place(DRAFT, "key")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.order == first.order
    assert len(payments.asked) == 1


async def test_without_a_key_every_request_is_an_order() -> None:
    orders = Orders(Store(), Payments(True, True), Chosen())
    first, second = await orders.place(DRAFT, None), await orders.place(DRAFT, None)
    assert first.order.id != second.order.id


async def test_a_key_belongs_to_one_draft() -> None:
    store, payments = Store(), Payments(True)
    orders = Orders(store, payments, Chosen())
    await orders.place(DRAFT, "key")
    with pytest.raises(KeyReused):
        await orders.place(replace(DRAFT, currency="USD"), "key")
    assert len(store.orders) == len(payments.asked) == 1


async def test_what_the_payment_left_open_is_finished_by_the_repeat() -> None:
    store, payments = Store(), Payments(ConnectionError("down"), True)
    orders = Orders(store, payments, Chosen())
    with pytest.raises(ConnectionError):
        await orders.place(DRAFT, "key")
    [pending] = store.orders.values()
    assert pending.status is Status.PENDING
    placed = await orders.place(DRAFT, "key")
    assert placed.replayed
    assert placed.order == replace(pending, status=Status.AUTHORISED)
    # The payment is asked for by the order's id, so it is made once.
    assert [order_id for order_id, _, _ in payments.asked] == [pending.id, pending.id]


@given(st.integers(0, 30), st.integers(1, 10))
async def test_pages_cover_everything_once_newest_first(number: int, limit: int) -> None:
    clock = iter(range(1, number + 1))
    orders = Orders(Store(), Payments(*[True] * number), Chosen(), now=lambda: next(clock))
    placed = [(await orders.place(DRAFT, None)).order for _ in range(number)]
    seen: list[Order] = []
    after = None
    while True:
        page = await orders.page(after, limit)
        assert len(page.orders) <= limit
        seen += page.orders
        if page.next is None:
            break
        after = page.next
    assert seen == placed[::-1]


async def test_an_order_is_found_by_its_id_alone() -> None:
    orders = Orders(Store(), Payments(True), Chosen())
    placed = await orders.place(DRAFT, None)
    assert await orders.get(placed.order.id) == placed.order
    with pytest.raises(OrderNotFound):
        await orders.get(new_order_id(0))
