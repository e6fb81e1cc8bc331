"""The whole service on PostgreSQL: a server that goes and comes back, a schema that is late."""

import asyncio
from pathlib import Path

import httpx

from ...support.process import command, environment, serving, starting
from ...support.serving import ORDER
from .postgres import temporary_cluster


async def answers(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """Wait until `path` answers with this status."""
    async with asyncio.timeout(20):
        while True:
            response = await client.get(path)
            if response.status_code == status:
                return response
            await asyncio.sleep(0.05)


async def test_the_server_goes_and_comes_back(tmp_path: Path) -> None:
    with temporary_cluster() as server:
        migrated = command("migrate", env=environment(tmp_path, DATABASE__URL=server.url))
        assert migrated.returncode == 0, migrated.stderr
        with serving(tmp_path, DATABASE__URL=server.url) as process:
            async with process.client(timeout=20) as client:
                key = {"Idempotency-Key": "one"}
                placed = await client.post("/api/orders", json=ORDER, headers=key)
                assert placed.status_code == 201
                path = placed.headers["location"]

                server.stop()
                unready = (await answers(client, "/readyz", 503)).json()
                assert unready["checks"]["database"]["status"] == "fail"
                for attempt in range(3):
                    refused = await client.post("/api/orders", json=ORDER)
                    assert refused.status_code == 503, attempt
                    assert refused.headers["content-type"] == "application/problem+json"
                    assert refused.headers["retry-after"] == "1"
                    assert (await client.get(path)).status_code == 503
                assert (await client.get("/livez")).status_code == 200

                server.start()
                await answers(client, "/readyz", 200)
                again = await client.post("/api/orders", json=ORDER, headers=key)
                assert again.json() == placed.json()
                assert again.headers["idempotency-replayed"] == "true"
                assert (await client.get(path)).json() == placed.json()
                assert (await client.get("/api/orders")).json()["items"] == [placed.json()]
            process.signal()
            assert await process.ended() == 0
            assert process.errors() == ""


async def test_it_waits_for_its_schema(tmp_path: Path, postgres_url: str) -> None:
    with starting(tmp_path, {"DATABASE__URL": postgres_url}) as process:
        process.wait_ready("/livez")
        async with process.client(timeout=20) as client:
            unready = (await answers(client, "/readyz", 503)).json()
            assert unready["checks"]["database"]["status"] == "pass"
            assert "run `migrate`" in unready["checks"]["schema"]["error"]
            done = command("migrate", env=environment(tmp_path, DATABASE__URL=postgres_url))
            assert done.returncode == 0, done.stderr
            await answers(client, "/readyz", 200)
            assert (await client.post("/api/orders", json=ORDER)).status_code == 201
