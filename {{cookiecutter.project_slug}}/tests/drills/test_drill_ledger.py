"""The books of a drill: each way to lose an order, or to do one twice, is found."""

import pytest

from tools.drill.ledger import judge
from tools.drill.promises import Scorecard
from tools.drill.store import Row

ACCEPTED = {"k1": "ord_1", "k2": "ord_2"}
ROWS = [Row("ord_1", "k1", "authorised"), Row("ord_2", "k2", "declined")]
DECIDED = {"ord_1": [True, True], "ord_2": [False]}


def broken(accepted: dict[str, str], rows: list[Row], decided: dict[str, list[bool]]) -> list[str]:
    card = Scorecard("any")
    judge(card, accepted, rows, decided)
    return [promise.text for promise in card.promises if promise.verdict != "pass"]


def test_all_is_well() -> None:
    assert broken(ACCEPTED, ROWS, DECIDED) == []


def test_orders_that_nobody_was_told_of_are_no_loss() -> None:
    assert broken(ACCEPTED, [*ROWS, Row("ord_3", "k3", "pending")], DECIDED) == []


ONCE = "every accepted order is stored exactly once"
OTHERWISE = "accepted orders that payments decided otherwise, or never saw"
UNSTORED = "payments of orders that are not stored"


@pytest.mark.parametrize(
    ("rows", "decided", "wanted"),
    [
        (ROWS[:1], DECIDED, [ONCE, UNSTORED]),
        ([*ROWS, ROWS[0]], DECIDED, [ONCE, "keys that are stored twice"]),
        ([*ROWS, Row("ord_3", "k1", "declined")], DECIDED, ["keys that are stored twice"]),
        (
            [ROWS[0], Row("ord_2", "other", "declined")],
            DECIDED,
            ["orders stored under another key than their caller's"],
        ),
        (
            [ROWS[0], Row("ord_2", "k2", "pending")],
            DECIDED,
            ["accepted orders whose payment is open"],
        ),
        (ROWS, DECIDED | {"ord_1": [True, False]}, ["orders that were paid with two outcomes"]),
        (ROWS, DECIDED | {"ord_9": [True]}, [UNSTORED]),
        (ROWS, DECIDED | {"ord_1": [False]}, [OTHERWISE]),
        (ROWS, {"ord_1": [True]}, [OTHERWISE]),
    ],
)
def test_what_is_wrong_is_found(
    rows: list[Row], decided: dict[str, list[bool]], wanted: list[str]
) -> None:
    assert broken(ACCEPTED, rows, decided) == wanted


def test_a_drill_that_had_no_order_accepted_proves_nothing() -> None:
    assert broken({}, [], {}) == [ONCE]
