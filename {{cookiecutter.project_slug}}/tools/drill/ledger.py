"""Nothing lost: every accepted order is stored exactly once, and paid with one outcome."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx

from .promises import Scorecard
from .records import Records
from .stage import Stage
from .store import Row
from .traffic import BODY, PLACE
from .world import World

PATIENCE = 30.0  # seconds that a client goes on asking
CLIENTS = 16
# A refusal is an answer: of those only so many are asked again, the unknown outcomes all.
REFUSALS = 500
PENDING, AUTHORISED = "pending", "authorised"


async def nothing_lost(stage: Stage, world: World, *loads: Records) -> None:
    """Ask again, as clients do, for every order without an answer; then look into the books."""
    accepted: dict[str, str] = {}
    for record in (one for records in loads for one in records.of(PLACE)):
        if record.order:
            accepted[record.key] = record.order
    open_keys = _open_keys(loads)
    finished = await _ask_again(world, open_keys)
    accepted |= finished
    rows = await world.store.orders()
    card = stage.card
    card.none(
        "orders without an answer that asking again does not finish",
        [key for key in open_keys if key not in finished],
    )
    judge(card, accepted, rows, world.payments.decided())


def _open_keys(loads: tuple[Records, ...]) -> list[str]:
    refused: list[str] = []
    unknown: list[str] = []
    for record in (one for records in loads for one in records.of(PLACE)):
        if not record.order:
            (refused if record.status in (503, 429) else unknown).append(record.key)
    random.Random(7).shuffle(refused)  # noqa: S311 - the same ones in each run
    return unknown + refused[:REFUSALS]


async def _ask_again(world: World, keys: list[str]) -> dict[str, str]:
    """Repeat each order with its key until it is accepted; the orders by key."""
    found: dict[str, str] = {}
    waiting = list(keys)
    end = time.monotonic() + PATIENCE

    async def client() -> None:
        while waiting and time.monotonic() < end:
            key = waiting.pop()
            headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
            try:
                answer = await world.service.client.post(
                    "/api/orders", content=BODY, headers=headers
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in (200, 201):
                found[key] = answer.json()["id"]
            else:
                waiting.insert(0, key)
                await asyncio.sleep(0.1)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return found


def judge(
    card: Scorecard,
    accepted: Mapping[str, str],
    rows: Sequence[Row],
    decided: Mapping[str, list[bool]],
) -> None:
    """Hold what is stored and paid against what callers were told.

    Args:
        accepted: order ids by key.
        decided: what payments decided, by order id.
    """
    by_id = {row.id: row for row in rows}
    stored = Counter(row.id for row in rows)
    keys = Counter(row.key for row in rows if row.key)
    once = sum(stored[order] == 1 for order in accepted.values())
    ours = [(key, by_id[order]) for key, order in accepted.items() if order in by_id]
    card.holds(
        "every accepted order is stored exactly once",
        0 < len(accepted) == once,
        f"{once} of {len(accepted)}",
        "all",
    )
    card.none(
        "orders stored under another key than their caller's",
        [row for key, row in ours if row.key not in (key, "")],
    )
    card.none("keys that are stored twice", [key for key, count in keys.items() if count > 1])
    card.none("accepted orders whose payment is open", [r for _, r in ours if r.status == PENDING])
    card.none(
        "accepted orders that payments decided otherwise, or never saw",
        [r for _, r in ours if r.status != PENDING and not _decided_so(r, decided)],
    )
    card.none(
        "orders that were paid with two outcomes",
        [order for order, outcomes in decided.items() if len(set(outcomes)) > 1],
    )
    card.none("payments of orders that are not stored", [o for o in decided if o not in by_id])


def _decided_so(row: Row, decided: Mapping[str, list[bool]]) -> bool:
    return (row.status == AUTHORISED) in decided.get(row.id, ())
