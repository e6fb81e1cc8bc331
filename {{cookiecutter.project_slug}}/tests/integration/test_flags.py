"""Feature flags through the front door: the example's, which lets orders be large."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from steadfast_service.domain.orders import MAX_AMOUNT, MAX_LARGE_AMOUNT
from steadfast_service.runtime.flags.bucketing import within

from ..support.collector import SERVER, collecting
from ..support.process import LIMIT, serving
from ..support.serving import ORDER, Served, served

# The first customers within half of all, and beyond it.
CUSTOMERS = [f"cus_{number}" for number in range(20)]
EARLY = next(one for one in CUSTOMERS if within(50, "large_orders", one))
LATE = next(one for one in CUSTOMERS if not within(50, "large_orders", one))


def order(amount: int, customer: str = "cus_1") -> dict[str, Any]:
    prices = (amount - 1, 1)  # one line of all of it could be above what a line may be
    lines = [{"sku": "gold", "quantity": 1, "unit_price": price} for price in prices]
    return ORDER | {"customer_id": customer, "items": lines}


async def place(
    running: Served, amount: int = MAX_LARGE_AMOUNT, customer: str = "cus_1", beta: str = ""
) -> httpx.Response:
    headers = {"x-BETA": beta} if beta else {}
    return await running.client.post("/api/orders", json=order(amount, customer), headers=headers)


async def counted(running: Served, **labels: str) -> float:
    return await running.metric("feature_flag_evaluations_total", **labels)


async def test_without_the_flag_nobody_s_order_is_large(tmp_path: Path) -> None:
    async with served(tmp_path) as running:
        assert (await place(running, MAX_AMOUNT)).status_code == 201
        response = await place(running, MAX_AMOUNT + 1)
        assert (response.status_code, response.json()["type"]) == (409, "amount-too-large")
        assert await counted(running) == await counted(running, reason="flag_not_found") == 1


async def test_a_share_of_the_customers_may_place_large_orders(tmp_path: Path) -> None:
    flags = {"large_orders": {"enabled": True, "percentage": 50}}
    async with served(tmp_path, flags=flags) as running:
        assert (await place(running, customer=EARLY)).status_code == 201
        assert (await place(running, MAX_LARGE_AMOUNT + 1, EARLY)).status_code == 409
        assert (await place(running, customer=LATE)).status_code == 409
        said = [record.get("flags") for record in running.records.of("request")]
        assert said == [{"large_orders": "on"}, None, {"large_orders": "off"}]
        for variant in ("on", "off"):
            labels = {"flag": "large_orders", "variant": variant, "reason": "split"}
            assert await counted(running, **labels) == 1


async def test_a_header_tries_it_out(tmp_path: Path) -> None:
    flag = {"enabled": True, "percentage": 0, "headers": {"X-Beta": ["large-orders"]}}
    async with served(tmp_path, flags={"large_orders": flag}) as running:
        assert (await place(running, beta="large-orders")).status_code == 201
        assert (await place(running, beta="other")).status_code == 409
        assert (await place(running)).status_code == 409
        assert await counted(running, reason="targeting_match") == 1
        assert await counted(running, reason="default") == 2


async def test_an_evaluation_is_an_event_of_the_request_s_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        flags = {"large_orders": {"enabled": True}}
        async with served(tmp_path, flags=flags, tracing={"sample_ratio": 1}) as running:
            await place(running, MAX_AMOUNT)
            await place(running)
    ordinary, large = collector.of(SERVER)
    assert ordinary.events == []
    assert large.events == [
        (
            "feature_flag.evaluation",
            {
                "feature_flag.key": "large_orders",
                "feature_flag.provider.name": "settings",
                "feature_flag.result.reason": "static",
                "feature_flag.result.variant": "on",
            },
        )
    ]


async def test_a_release_grows_and_is_taken_back_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"

    def release(percentage: int) -> None:
        flag = {"enabled": True, "percentage": percentage}
        new = file.with_suffix(".new")
        new.write_text(json.dumps({"flags": {"large_orders": flag}}))
        new.replace(file)

    release(0)
    with serving(tmp_path, CONFIG__FILE=str(file)) as process:
        async with process.client() as client:

            async def statuses() -> list[int]:
                bodies = [order(MAX_LARGE_AMOUNT, one) for one in (EARLY, LATE)]
                return [(await client.post("/api/orders", json=one)).status_code for one in bodies]

            assert await statuses() == [409, 409]
            for percentage, expected in ((50, [201, 409]), (100, [201, 201]), (0, [409, 409])):
                release(percentage)
                async with asyncio.timeout(LIMIT):
                    while await statuses() != expected:
                        await asyncio.sleep(0.01)
