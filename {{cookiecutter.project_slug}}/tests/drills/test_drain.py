"""A deploy loses nothing: SIGTERM under load, as often as `DRAIN_ROUNDS` says."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from ..support.process import HAS_DATABASE, UNHURRIED, Process, serving, until
from ..support.serving import ORDER

ROUNDS = int(os.environ.get("DRAIN_ROUNDS", "3"))
CLIENTS = 12
# What a load balancer does: probe, and take an instance out after failures in a row.
PROBE_INTERVAL = 0.1
PROBE_FAILURES = 3
DELAY = "3"  # seconds: ten times that, for a machine on which probes come late


class Load:
    """Clients that keep their connection, behind a load balancer that looks at `/readyz`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._out = False
        self.draining = False
        self.sent = 0
        self.while_draining = 0
        self.failed: list[str] = []
        self.orders: list[str] = []

    async def run(self) -> None:
        """Until the load balancer has taken the service out."""
        await asyncio.gather(self._balance(), *(self._client(n) for n in range(CLIENTS)))

    async def _balance(self) -> None:
        failures = 0
        async with self._process.client(timeout=60) as client:
            while failures < PROBE_FAILURES:
                response = await client.get("/readyz")
                failures = failures + 1 if response.status_code != 200 else 0
                await asyncio.sleep(PROBE_INTERVAL)
        self._out = True

    async def _client(self, number: int) -> None:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        async with self._process.client(limits=limits, timeout=60) as client:
            while not self._out:
                draining = self.draining
                self.sent += 1
                try:
                    response = await self._one(client, posts=number % 3 == 0)
                except httpx.HTTPError as exc:
                    self.failed.append(repr(exc))
                    continue
                if response.status_code not in (200, 201):
                    self.failed.append(f"{response.status_code} {response.text}")
                if draining:
                    self.while_draining += 1
                    if response.headers.get("connection") != "close":
                        self.failed.append("a response of the drain kept its connection")

    async def _one(self, client: httpx.AsyncClient, *, posts: bool) -> httpx.Response:
        if not posts:
            return await client.get("/api/version")
        key = {"Idempotency-Key": str(uuid4())}
        response = await client.post("/api/orders", json=ORDER, headers=key)
        if response.status_code == 201:
            self.orders.append(response.json()["id"])
        return response


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_sigterm_under_load_loses_nothing(tmp_path: Path, number: int) -> None:
    with serving(tmp_path, **UNHURRIED, HTTP__DRAIN_DELAY=DELAY) as process:
        load = Load(process)
        running = asyncio.create_task(load.run())
        await until(lambda: load.sent > 20 * CLIENTS)
        process.signal()
        await until(lambda: bool(process.of("draining")))
        load.draining = True
        await asyncio.wait_for(running, 30)
        code = await process.ended()
        print(
            f"round {number}: {load.sent} requests, {load.while_draining} of them while draining,"
            f" {len(load.orders)} orders, {len(load.failed)} failed, exit code {code}"
        )
        assert load.failed == []
        assert code == 0
        assert process.of("stopped")[0]["cut"] == 0
        assert process.errors() == ""
    assert load.while_draining > 0
    assert load.orders
    if HAS_DATABASE:
        with closing(sqlite3.connect(tmp_path / "orders.db")) as connection:
            stored = [row[0] for row in connection.execute("SELECT id FROM orders")]
        assert sorted(stored) == sorted(load.orders)
