"""Orders in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.orders import Item, Order, Status
from ...runtime.database.engine import Database
from .schema import orders


class SqlOrders:
    """The repository. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, order: Order, key: str | None, fingerprint: str) -> tuple[Order, str]:
        """Store it; the unique key decides between requests that arrive at the same time."""
        row = {
            **asdict(order),
            "items": [asdict(item) for item in order.items],
            "idempotency_key": key,
            "fingerprint": fingerprint,
        }
        same = orders.c.id == order.id
        if key is not None:
            same |= orders.c.idempotency_key == key

        async def insert(connection: AsyncConnection) -> None:
            await connection.execute(orders.insert().values(row))

        try:
            # The id is ours: what a lost connection has stored already meets its repetition.
            await self._database.run(insert, repeatable=True)
        except IntegrityError:
            found = await self._first(select(orders).where(same))
            if found is None:
                raise
            return _order(found), found.fingerprint
        return order, fingerprint

    async def has(self, key: str) -> bool:
        """By the unique key."""
        query = select(orders.c.id).where(orders.c.idempotency_key == key)
        return await self._first(query) is not None

    async def settle(self, order_id: str, status: Status) -> None:
        """A settled order stays as it is."""
        query = (
            update(orders)
            .where(orders.c.id == order_id, orders.c.status == Status.PENDING)
            .values(status=status)
        )

        async def settle(connection: AsyncConnection) -> None:
            await connection.execute(query)

        await self._database.run(settle, repeatable=True)

    async def get(self, order_id: str) -> Order | None:
        """One order by its primary key."""
        found = await self._first(select(orders).where(orders.c.id == order_id))
        return _order(found) if found is not None else None

    async def page(self, after: str | None, limit: int) -> Sequence[Order]:
        """Along the primary key: a page costs the same wherever it starts."""
        query = select(orders).order_by(orders.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(orders.c.id < after)

        async def read(connection: AsyncConnection) -> Sequence[Order]:
            return [_order(row) for row in (await connection.execute(query)).all()]

        return await self._database.run(read, repeatable=True)

    async def _first(self, query: Select[*tuple[Any, ...]]) -> Row[*tuple[Any, ...]] | None:
        async def read(connection: AsyncConnection) -> Row[*tuple[Any, ...]] | None:
            return (await connection.execute(query)).first()

        return await self._database.run(read, repeatable=True)


def _order(row: Row[*tuple[object, ...]]) -> Order:
    created_at: datetime = row.created_at
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        currency=row.currency,
        items=tuple(Item(**item) for item in row.items),
        amount=row.amount,
        status=Status(row.status),
        # SQLite gives the instant back without its zone.
        created_at=created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC),
    )
