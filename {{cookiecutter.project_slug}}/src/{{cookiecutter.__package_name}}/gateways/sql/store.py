"""The SQL store, with what the rest of the service wants to know about it."""

from ...runtime.config.groups import Group
from ...runtime.config.live import Live
from ...runtime.database.engine import Database
from ...runtime.health import Health
from ...runtime.observability.metrics import Metrics
from .migrate import check_schema
from .orders import SqlOrders


class SqlStore:
    """Opens the database; `orders` is the repository.

    Args:
        live: `url`, which is secret; `pool_size`, `pool_wait` and `deadline_share` as `Database`
            has them, which follows them as far as it can.
        statement_timeout: seconds.
    """

    def __init__(self, live: Live[Group], *, statement_timeout: float) -> None:
        options = dict(live.now)
        url = options.pop("url").get_secret_value()
        self._database = Database(url, **options, statement_timeout=statement_timeout)
        live.follow(self._database.update)
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
