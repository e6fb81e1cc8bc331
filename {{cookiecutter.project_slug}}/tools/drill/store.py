"""Where the service keeps its orders, read behind its back."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx

from .postgres import Postgres

QUERY = "SELECT id, idempotency_key, status FROM orders"


class Row(NamedTuple):
    """An order as it is stored."""

    id: str
    key: str
    status: str


class Store(Protocol):
    """One of the three below."""

    async def orders(self) -> Sequence[Row]:
        """Every order."""


class PostgresStore:
    """In PostgreSQL."""

    def __init__(self, server: Postgres, database: str) -> None:
        self._server = server
        self._database = database

    async def orders(self) -> Sequence[Row]:
        return [Row(*row) for row in await self._server.query(QUERY, self._database)]


class SqliteStore:
    """In the embedded database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def orders(self) -> Sequence[Row]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[Row]:
        with closing(sqlite3.connect(self._path)) as connection:
            return [Row(*row) for row in connection.execute(QUERY)]


class MemoryStore:
    """In the service's memory: it has to be asked, and does not say the keys."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def orders(self) -> Sequence[Row]:
        rows: list[Row] = []
        after: dict[str, str] = {}
        while True:
            answer = await self._client.get("/api/orders", params={"limit": "100", **after})
            page = answer.raise_for_status().json()
            rows += (Row(order["id"], "", order["status"]) for order in page["items"])
            if not page.get("next"):
                return rows
            after = {"after": page["next"]}
