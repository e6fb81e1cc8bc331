"""`/logs` and `/flags` on the operators' port: what is counted."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from steadfast_service.domain.orders import MAX_AMOUNT
from steadfast_service.runtime.ops.logs import Rates

from ...support.management import OPERATOR, TOKEN
from ...support.process import until
from ...support.records import record_logs
from ...support.serving import ORDER, Served, served


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of what looks back, in seconds."""
    reads = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: reads[0])
    return reads


async def logs(running: Served) -> dict[str, Any]:
    read: dict[str, Any] = (await running.ops.get("/logs")).json()
    return read


def counted(read: dict[str, Any], outcome: str) -> int:
    return int(sum(one[outcome] for one in read["records"]))


async def test_records_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    async with served(tmp_path, log={"sample_rate": 0, "key_route_rate": 0}) as running:
        before = await logs(running)
        assert [one["level"] for one in before["records"]][:3] == ["debug", "info", "warning"]
        await running.client.get("/api/version")
        structlog.get_logger().warning("outside of a request")
        running.records.dropped = 3
        after = await logs(running)
        assert counted(after, "sampled") == counted(before, "sampled") + 1
        assert counted(after, "written") >= counted(before, "written") + 1
        assert after["dropped"] == 3

        async def rate() -> float:
            return float((await logs(running))["per_second"]["sampled"])

        async with asyncio.timeout(10):
            while not await rate():
                await asyncio.sleep(0.05)


async def test_what_decides_is_shown_as_it_is_now(tmp_path: Path) -> None:
    log = {"sample_rate": 0.25, "key_routes": ["GET /api/version"], "level": "warning"}
    groups: dict[str, Any] = {"log": log, "management": {"token": TOKEN}}
    async with served(tmp_path, **groups) as running:
        read = await logs(running)
        assert read["level"] == "warning"
        assert read["sampling"]["sample_rate"] == 0.25
        assert read["sampling"]["key_route_rate"] == running.config.settings.log.key_route_rate
        assert "GET /api/version" in read["sampling"]["key_routes"]
        assert "POST /api/orders" in read["sampling"]["key_routes"]  # the contract's
        assert 0 <= read["sampling"]["trace_ratio"] <= 1
        await running.ops.put("/loggers/root", json={"level": "debug"}, headers=OPERATOR)
        assert (await logs(running))["level"] == "debug"
        await running.ops.delete("/loggers/root", headers=OPERATOR)


def test_a_rate_is_of_the_last_ten_seconds_whenever_they_are_looked_at(now: list[float]) -> None:
    pipeline, _ = record_logs()
    rates = Rates(pipeline)
    assert rates.report() == {"written": 0, "sampled": 0}
    pipeline.written["info"] += 600
    for seconds in (1.0, 5.0):  # the second look comes late
        now[0] += seconds
        rates.look(0.0)
    assert rates.report() == {"written": 100, "sampled": 0}
    for _ in range(10):
        now[0] += 1
        rates.look(0.0)
    assert rates.report() == {"written": 0, "sampled": 0}


def test_a_dropped_record_is_news_for_a_minute(now: list[float]) -> None:
    pipeline, records = record_logs()
    rates = Rates(pipeline)
    records.dropped = 3
    rates.look(0.0)
    assert rates.dropped() == {"dropped": 3, "dropped_last_minute": 3}
    for _ in range(65):
        now[0] += 1
        rates.look(0.0)
    assert rates.dropped() == {"dropped": 3, "dropped_last_minute": 0}


async def test_flags_are_shown_with_their_layer_and_counts(tmp_path: Path) -> None:
    flags = {
        "large_orders": {"enabled": True, "percentage": 50, "headers": {"X-Beta": ["yes"]}},
        "unused": {"claims": {"tier": ["gold"]}, "percentage": 0},
    }
    async with served(tmp_path, flags=flags) as running:
        lines = [{"sku": "gold", "quantity": 1, "unit_price": one} for one in (MAX_AMOUNT, 1)]
        for beta in ("yes", "yes", "no"):
            order = ORDER | {"items": lines}
            await running.client.post("/api/orders", json=order, headers={"X-Beta": beta})
        read = (await running.ops.get("/flags")).json()["flags"]
        assert [one["name"] for one in read] == ["large_orders", "unused"]
        counts = read[0].pop("evaluations")
        assert read[0] == {
            "name": "large_orders",
            "enabled": True,
            "percentage": 50,
            "headers": {"X-Beta": ["yes"]},
            "claims": {},
            "source": "arguments",
        }
        assert sum(counts.values()) == 3
        assert counts["on"] >= 2
        assert read[1]["evaluations"] == {"on": 0, "off": 0, "default": 0}
        assert read[1]["claims"] == {"tier": ["gold"]}


async def test_the_log_is_not_looked_at_after_the_end(tmp_path: Path) -> None:
    async with served(tmp_path):
        assert "log rates" in {task.get_name() for task in asyncio.all_tasks()}
    await until(lambda: "log rates" not in {task.get_name() for task in asyncio.all_tasks()})
