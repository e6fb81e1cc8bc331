"""The world of a canary: two versions that run, their traffic, a cluster, a Prometheus."""

import asyncio
import copy
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tools.package import ROOT

from ...support.process import LIMIT, Process
from ...support.prometheus import Prometheus
from ..support import overlay, rendered

PODS = 6
# As fast as one scrape a second allows; latency says something where a test wants it to.
PACE = ("--window=5", "--interval=0.5", "--min-requests=4", "--fast-enough=10", "--patience=100")
RATE = 60  # requests per second


class Cluster:
    """The objects of the production overlay, in the stand-in's file."""

    def __init__(self, folder: Path) -> None:
        objects: dict[str, Any] = {
            f"{one['kind'].lower()}/{one['metadata']['name']}": dict(one)
            for one in rendered(overlay("production")).objects
        }
        [key] = [key for key in objects if key.startswith("deployment/")]
        self.name = key.partition("/")[2]
        self.file = folder / "cluster.json"
        self.stable = objects[key] = copy.deepcopy(objects[key])
        self.namespace: str = self.stable["metadata"]["namespace"]
        self.stable["spec"]["replicas"] = PODS
        self.stable["status"] = {"availableReplicas": PODS}
        self.change(objects)
        self.at_rest = self.objects()
        stand_in = folder / "bin" / "kubectl"
        stand_in.parent.mkdir()
        words = f'exec "{sys.executable}" "{Path(__file__).with_name("kubectl.py")}" "$@"'
        stand_in.write_text(f"#!/bin/sh\n{words}\n")
        stand_in.chmod(0o755)
        path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | {"PATH": path, "CLUSTER": str(self.file)}

    def objects(self) -> dict[str, Any]:
        """Everything there is."""
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found

    def change(self, objects: Mapping[str, Any]) -> None:
        """Have these from now on."""
        new = self.file.with_suffix(".test")
        new.write_text(json.dumps(objects))
        new.rename(self.file)

    def weight(self, rule: str = "by-weight") -> int:
        """The canary's, in percent."""
        [found] = [
            one["backendRefs"][1]["weight"]
            for one in self.objects()[f"httproute/{self.name}"]["spec"]["rules"]
            if one["name"] == rule
        ]
        return int(found)

    def labels(self, track: str) -> dict[str, str]:
        """What Prometheus knows of a pod, by its operator."""
        return {"namespace": self.namespace, "job": self.name, "track": track}


class World:
    """What a test sees of it."""

    def __init__(self, cluster: Cluster, prometheus: Prometheus) -> None:
        self.cluster, self.prometheus = cluster, prometheus
        self.runs: list[asyncio.subprocess.Process] = []

    async def start(self, image: str, *words: str) -> asyncio.subprocess.Process:
        """Run the tool."""
        url = f"--prometheus={self.prometheus.url}"
        run = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tools.canary", image, url, *PACE, *words),
            cwd=ROOT,
            env=self.cluster.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.runs.append(run)
        return run

    async def run(self, image: str, *words: str) -> tuple[int, str]:
        """Run the tool to its end: its exit code and what it said."""
        return await self.ended(await self.start(image, *words))

    async def ended(self, run: asyncio.subprocess.Process) -> tuple[int, str]:
        """The exit code and what it said."""
        async with asyncio.timeout(4 * LIMIT):
            said, _ = await run.communicate()
        assert run.returncode is not None
        return run.returncode, said.decode()

    async def weight(self, run: asyncio.subprocess.Process, least: int) -> None:
        """Wait until the canary has this part of the requests."""
        async with asyncio.timeout(4 * LIMIT):
            while self.cluster.weight() < least:
                await asyncio.sleep(0.05)
                assert run.returncode is None, await self.ended(run)


@asynccontextmanager
async def traffic(cluster: Cluster, stable: Process, canary: Process) -> AsyncIterator[None]:
    """Requests to both, as the route says."""

    stopping = asyncio.Event()  # not a cancellation: a connection may be half made

    async def send() -> None:
        async with (
            stable.client() as old,
            canary.client() as new,
            asyncio.TaskGroup() as group,
        ):
            while not stopping.is_set():
                await asyncio.sleep(10 / RATE)
                # Rounded up: a machine that is busy must have its samples, too.
                share = math.ceil(cluster.weight() / 10)
                for number in range(10):
                    group.create_task(ask(new if number < share else old))

    async def ask(client: httpx.AsyncClient) -> None:
        with suppress(httpx.TransportError):
            await client.get("/api/version", timeout=5)

    task = asyncio.create_task(send())
    try:
        yield
        assert not task.done(), task
    finally:
        stopping.set()
        await task


@asynccontextmanager
async def world(folder: Path, stable: Process, canary: Process) -> AsyncIterator[World]:
    """Everything runs, and the canary has no request yet."""
    cluster = Cluster(folder)
    targets = [
        (stable.ops_url, cluster.labels("stable")),
        (canary.ops_url, cluster.labels("canary")),
    ]
    it = World(cluster, Prometheus(folder, targets))
    try:
        await it.prometheus.start()
        async with traffic(cluster, stable, canary):
            yield it
    finally:
        for run in it.runs:
            with suppress(ProcessLookupError):
                run.kill()
        it.prometheus.stop()
