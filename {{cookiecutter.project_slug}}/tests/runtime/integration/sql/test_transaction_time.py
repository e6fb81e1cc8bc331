"""How long transactions take, and how they end."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.observability.metrics import Metrics

from ....support.upstream_server import samples

COUNT = "database_transaction_seconds_count"


async def one(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))


async def failing(connection: AsyncConnection) -> None:
    raise LookupError


async def test_each_transaction_is_counted_by_how_it_ended(database: Database) -> None:
    metrics = Metrics()
    database.report(metrics)
    for work in (one, one, failing):
        try:
            await database.run(work)
        except LookupError:
            assert work is failing
    async with database.transaction() as connection:
        await one(connection)
    await database.ping()  # a check is no transaction of ours
    found = samples(metrics, COUNT)
    assert {labels[0]: number for labels, number in found.items()} == {
        "committed": 3,
        "rolled_back": 1,
    }
    assert [name for name, _, _ in metrics.waits] == ["database", "waiting for a connection"]
