"""A service to which everything has happened, and a real Prometheus that scrapes it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from steadfast_service.domain.orders import MAX_AMOUNT
from tools.package import ROOT

from ..support.config_files import Volume
from ..support.process import Process, free_port, serving, until
from ..support.server import ServerProcess, program
from ..support.serving import ORDER

TOKEN = "monitored-token-0123"
FLAGS = b"flags: {large_orders: {enabled: true, percentage: 100}}"


@asynccontextmanager
async def eventful_service(folder: Path) -> AsyncIterator[Process]:
    """Orders, failures, a slow and a dead dependency, an open breaker, a refused setting."""
    volume = Volume(folder / "mounted", {"settings.yaml": FLAGS})
    settings = {
        "CONFIG__DIRECTORIES": json.dumps([str(volume.mount)]),
        "MANAGEMENT__TOKEN": TOKEN,
        "RATE_LIMIT__LIMIT": "100000/second",
    }
    with serving(folder, **settings) as process:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            process.client() as client,
            httpx.AsyncClient(base_url=process.ops_url, headers=headers) as ops,
        ):
            placed = await client.post("/api/orders", json=ORDER)
            assert placed.status_code == 201, placed.text
            await client.get(f"/api/orders/{placed.json()['id']}")
            large = [{"sku": "gold", "quantity": 1, "unit_price": MAX_AMOUNT} for _ in range(2)]
            await client.post("/api/orders", json=ORDER | {"items": large})
            await client.get("/no/such/path")
            await client.get("/api/orders/x", headers={"X-Request-Timeout-Ms": "0"})
            for fault in (
                {"route": "GET /api/version", "abort_status": 500},
                {"dependency": "payments", "fail": True},
            ):
                assert (await ops.post("/faults", json=fault)).status_code == 201
            assert (await client.get("/api/version")).status_code == 500
            while await process.metric("circuit_breaker_state") != 2:
                await client.post("/api/orders", json=ORDER)
            volume.swap({"settings.yaml": FLAGS, "log.level": b"deafening"})
            while await process.metric("config_reloads_total", outcome="refused") < 1:
                await client.get("/livez")
        yield process


async def exposed(process: Process) -> Mapping[str, frozenset[str]]:
    """Every metric that the process shows, with the labels of its samples."""
    async with httpx.AsyncClient(base_url=process.ops_url) as client:
        text = (await client.get("/metrics")).text
    found: dict[str, frozenset[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


class Prometheus(ServerProcess):
    """One with the configuration of compose, but for addresses, and quicker."""

    def __init__(self, folder: Path, target: str) -> None:
        super().__init__(folder / "prometheus.log")
        self._program = program("prometheus", "REQUIRE_PROMETHEUS")
        self._folder, self.port = folder, free_port()
        text = ROOT.joinpath("deploy/compose/prometheus.yaml").read_text(encoding="utf-8")
        config: dict[str, Any] = yaml.safe_load(text)
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config["rule_files"] = [str(folder / "rules.yaml")]
        (job,) = config["scrape_configs"]
        job["static_configs"][0]["targets"] = [target.removeprefix("http://")]
        folder.joinpath("prometheus.yaml").write_text(yaml.safe_dump(config))
        rules = ROOT.joinpath("observability/rules.yaml").read_text(encoding="utf-8")
        assert "interval: 30s" in rules
        folder.joinpath("rules.yaml").write_text(rules.replace("interval: 30s", "interval: 1s"))

    async def start(self) -> None:
        """Start it, and wait until rules have recorded what came of several scrapes."""
        options = {
            "config.file": self._folder / "prometheus.yaml",
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"127.0.0.1:{self.port}",
        }
        self.run([self._program, *(f"--{name}={value}" for name, value in options.items())])
        await until(lambda: len(self.result("job:slo_failures:ratio_rate3d")) == 2)

    def get(self, path: str, **params: str) -> Any:
        """What its API answers; None while it starts."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        try:
            answer = httpx.get(url, params=params)
        except httpx.TransportError:
            assert self.running, self.log.read_text()
            return None
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, f"{params}: {answer.text}"
        return answer.json()["data"]

    def result(self, query: str) -> list[Any]:
        """The series of an instant query."""
        data = self.get("query", query=query)
        return data["result"] if data else []
