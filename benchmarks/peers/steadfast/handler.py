"""The operations that every program is measured by: `work.py` of the peers, by contract."""

import asyncio
import time

from ..contract import models
from ..contract.api import BenchApi

VERSION = models.Version(name="orders", version="0.1.0", commit="unknown")
LINE = models.BenchLine(sku="tea-01", quantity=2, unit_price=450)


class BenchHandler(BenchApi):
    """Each does what its namesake in `work.py` does."""

    async def bench_version(self) -> models.Version:
        return VERSION

    async def bench_quote(self, *, body: models.BenchQuote) -> models.BenchPrice:
        amount = sum(line.quantity * line.unit_price for line in body.items)
        return models.BenchPrice(
            customer_id=body.customer_id, currency=body.currency, amount=amount
        )

    async def bench_lines(self, *, count: int) -> models.BenchLines:
        return models.BenchLines(items=[LINE] * count)

    async def bench_busy(self, *, ms: int) -> models.Version:
        await asyncio.sleep(0.001)
        until = time.thread_time() + ms / 1000
        while time.thread_time() < until:
            pass
        return VERSION
