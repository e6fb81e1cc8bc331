"""The whole service on PostgreSQL, with the server going away and coming back."""

import asyncio
from pathlib import Path

import httpx
import pytest

from ...support.postgres import cluster
from ...support.process import serving
from ...support.serving import ORDER


async def test_the_server_goes_and_comes_back(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        cluster(tmp_path_factory.mktemp("postgres")) as server,
        serving(tmp_path, DATABASE__URL=server.url) as process,
    ):
        async with httpx.AsyncClient(base_url=process.url, timeout=20) as client:
            placed = await client.post("/api/orders", json=ORDER)
            assert placed.status_code == 201
            order_id = placed.json()["id"]

            server.stop()
            async with asyncio.timeout(20):
                while (await client.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.1)
            refused = await client.post("/api/orders", json=ORDER)
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "1"
            assert (await client.get("/livez")).status_code == 200
            assert process.popen.poll() is None

            server.start()
            async with asyncio.timeout(20):
                while (await client.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.1)
            assert (await client.get(f"/api/orders/{order_id}")).json() == placed.json()
            assert len((await client.get("/api/orders")).json()["items"]) == 1
