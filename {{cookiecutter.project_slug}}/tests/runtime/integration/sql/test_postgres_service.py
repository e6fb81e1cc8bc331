"""The whole service on PostgreSQL: a server that goes, hangs and comes back, a late schema."""

import asyncio
import time
from itertools import count
from pathlib import Path

import httpx
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from steadfast_service.gateways.sql.schema import orders

from ....integration.sql.conftest import opened
from ....integration.sql.postgres import temporary_cluster
from ....support.process import UNHURRIED, command, environment, serving, starting, until
from ....support.serving import ORDER
from .link import link

BUDGET = 0.6  # seconds that a caller waits
IN_A_HURRY = {"X-Request-Timeout-Ms": str(int(BUDGET * 1000))}


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


async def test_every_accepted_order_outlives_a_crash_once(tmp_path: Path) -> None:
    with temporary_cluster() as server:
        env = environment(tmp_path, DATABASE__URL=server.url)
        migrated = await asyncio.to_thread(command, "migrate", env=env)
        assert migrated.returncode == 0, migrated.stderr
        with serving(tmp_path, DATABASE__URL=server.url) as process:
            async with process.client(timeout=20) as client:
                accepted: dict[str, str] = {}  # the order's id by its customer
                numbers, statuses, stop = count(), set(), asyncio.Event()

                async def place() -> None:
                    while not stop.is_set():
                        customer = f"cus_{next(numbers)}"
                        draft = {**ORDER, "customer_id": customer}
                        response = await client.post("/api/orders", json=draft)
                        statuses.add(response.status_code)
                        if response.status_code == 201:
                            accepted[customer] = response.json()["id"]

                async def more() -> None:
                    enough = len(accepted) + 50
                    async with asyncio.timeout(20):
                        while len(accepted) < enough:
                            await asyncio.sleep(0.01)

                async with asyncio.TaskGroup() as load:
                    for _ in range(8):
                        load.create_task(place())
                    for _ in range(3):
                        await more()
                        await asyncio.to_thread(server.stop)
                        await asyncio.to_thread(server.start)
                    await more()
                    stop.set()
            assert 201 in statuses
            assert statuses <= {201, 503, 504}
        database = opened(server.url)
        async with database.transaction() as connection:
            query = select(orders.c.customer_id, func.min(orders.c.id), func.count()).group_by(
                orders.c.customer_id
            )
            rows = (await connection.execute(query)).all()
        await database.close()
        assert {number for _, _, number in rows} == {1}
        stored = {customer: order for customer, order, _ in rows}
        assert accepted.items() <= stored.items()


async def test_a_server_that_hangs_holds_no_request(tmp_path: Path, postgres_url: str) -> None:
    migrated = await asyncio.to_thread(
        command, "migrate", env=environment(tmp_path, DATABASE__URL=postgres_url)
    )
    assert migrated.returncode == 0, migrated.stderr
    async with link(make_url(postgres_url)) as wire:
        far = wire.url.render_as_string(hide_password=False)
        patient = {**UNHURRIED, "DATABASE__POOL_WAIT": "20"}  # whoever hurries says so
        with starting(tmp_path, {**patient, "DATABASE__URL": far}) as process:
            await asyncio.to_thread(process.wait_ready)
            async with process.client(timeout=20) as client:

                async def reads(headers: dict[str, str]) -> set[int]:
                    ends = await asyncio.gather(
                        *(client.get("/api/orders", headers=headers) for _ in range(20))
                    )
                    return {response.status_code for response in ends}

                assert await reads({}) == {200}
                wire.silent = True
                for _ in range(3):
                    assert await reads(IN_A_HURRY) <= {503, 504}

                def ended() -> list[float]:
                    """Seconds of those reads, as the service saw it."""
                    return sorted(
                        record["duration_ms"] / 1000
                        for record in process.of("request")
                        if record["path"] == "/api/orders" and record["status"] >= 500
                    )

                await until(lambda: len(ended()) == 60)
                took = ended()
                assert took[len(took) // 2] < BUDGET + 0.05
                assert took[-1] < BUDGET + 0.5  # on a machine that does much else
                began = time.monotonic()
                unready = (await answers(client, "/readyz", 503)).json()
                assert time.monotonic() - began < 5
                assert "no answer within" in unready["checks"]["database"]["error"]
                assert (await client.get("/livez")).status_code == 200

                wire.silent = False
                await answers(client, "/readyz", 200)
                await answers(client, "/api/orders", 200)
                assert await reads({}) == {200}
                assert await process.metric("database_connections_in_use") == 0
                assert await process.metric("database_pool_waiting") == 0
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
