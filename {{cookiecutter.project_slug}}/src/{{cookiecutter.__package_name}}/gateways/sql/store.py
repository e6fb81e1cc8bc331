"""The SQL store, with what the rest of the service wants to know about it."""

from ...runtime.database.engine import Database
from ...runtime.health import Health
from ...runtime.observability.metrics import Metrics
from .migrate import check_schema
from .orders import SqlOrders


class SqlStore:
    """Opens the database; `orders` is the repository.

    Args:
        url, pool_size, pool_wait: as `Database` has them.
        statement_timeout: seconds.
    """

    def __init__(
        self, url: str, *, pool_size: int, pool_wait: float, statement_timeout: float
    ) -> None:
        self._database = Database(
            url, pool_size=pool_size, pool_wait=pool_wait, statement_timeout=statement_timeout
        )
        self.orders = SqlOrders(self._database)

    async def open(self, health: Health, metrics: Metrics) -> None:
        """Refuse to start on a store that cannot work; report on it from now on."""
        database = self._database
        await database.verify()
        health.register("database", database.ping, critical=True)
        health.register("schema", lambda: check_schema(database), critical=True)
        database.report(metrics)

    def waiting(self) -> int:
        """How many wait for a connection."""
        return self._database.waiting()

    async def close(self) -> None:
        await self._database.close()
