"""Profiles of a real service in which faults were planted: each is found by its name."""

import asyncio
import base64
import hashlib
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ...support.management import TOKEN
from ...support.process import LIMIT
from ...support.profiles import ask, begun, finished
from ...support.serving import Served, served
from ...support.speedscope import assert_speedscope

LAB = "/api/lab"


class Mill:
    """One endpoint burns the processor, one waits, one holds the event loop."""

    def __init__(self) -> None:
        self.waits = asyncio.Event()
        self.opened = asyncio.Event()

    async def burn(self) -> int:
        return self.grind(0.1)  # seconds: far more than the test's own client takes

    def grind(self, seconds: float) -> int:
        turns, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            turns += 1
        return turns

    async def slow(self) -> None:
        await self.fetch_slowly()

    async def fetch_slowly(self) -> None:
        self.waits.set()
        await self.opened.wait()

    async def block(self) -> None:
        self.hold()

    def hold(self) -> None:
        time.sleep(0.3)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Served, Mill]]:
    async with served(tmp_path, management={"token": TOKEN}) as it:
        mill = Mill()
        for name in ("burn", "slow", "block"):
            it.service.api.router.add_api_route(f"{LAB}/{name}", getattr(mill, name))
        yield it, mill


@pytest.fixture
def idle() -> Iterator[None]:
    """A thread that is there, and does nothing."""
    done = threading.Event()

    def idle_keeper() -> None:
        done.wait(LIMIT)

    thread = threading.Thread(target=idle_keeper, name="keeper")
    thread.start()
    yield
    done.set()
    thread.join()


def lines_of(method: Any) -> range:
    """Where in this file it stands."""
    lines = [line for _, _, line in method.__code__.co_lines() if line]
    return range(min(lines), max(lines) + 1)


async def test_a_hot_spot_is_on_top_of_the_cpu_profile(
    running: tuple[Served, Mill], idle: None
) -> None:
    it, _ = running
    asking = ask(it.ops, kind="cpu", seconds=1, rate=200)
    while not asking.done():
        await it.client.get(f"{LAB}/burn")
    profile = await finished(asking)
    first = profile["top"][0]
    file, line = first["where"].rsplit(":", 1)
    assert first["name"] == "Mill.grind"
    assert file.endswith("test_profiles.py")
    assert int(line) in lines_of(Mill.grind)
    assert first["unit"] == "seconds"
    assert 0 < first["value"] <= 2 * profile["seconds"]
    assert first["share"] > 0.3
    collapsed = (await it.ops.get(profile["links"]["collapsed"])).text
    (line,) = {line.split(";")[0] for line in collapsed.splitlines() if "Mill.grind" in line}
    assert line == "thread MainThread"
    assert "Mill.burn;" in re.sub(r"[^; ]+ in ", "", collapsed)
    assert "idle_keeper" not in collapsed
    assert "profile sampler" not in collapsed
    assert profile["cost"]["overhead_ms"] > 0
    assert profile["samples"] > 0
    whole = await it.ops.get(profile["links"]["speedscope"])
    assert_speedscope(whole.json())
    assert "Mill.grind" in {frame["name"] for frame in whole.json()["shared"]["frames"]}


async def test_a_slow_wait_is_found_with_its_request(running: tuple[Served, Mill]) -> None:
    it, mill = running
    waiting = asyncio.ensure_future(it.client.get(f"{LAB}/slow"))
    await mill.waits.wait()
    profile = await finished(ask(it.ops, kind="wall", seconds=0.3))
    mill.opened.set()
    await waiting
    first = profile["top"][0]
    file, line = first["where"].rsplit(":", 1)
    assert first["name"] == "Mill.fetch_slowly"
    assert file.endswith("test_profiles.py")
    assert int(line) in lines_of(Mill.fetch_slowly)
    assert first["task"] == f"GET {LAB}/slow"
    assert "in Event.wait" in first["waits_in"]
    # The whole way of the request is there, from its outermost layer to what it waits for.
    text = (await it.ops.get(profile["links"]["collapsed"])).text
    (stack,) = {line for line in text.splitlines() if "Mill.fetch_slowly" in line}
    assert stack.startswith(f"requests;GET {LAB}/slow;")
    assert stack.index("RequestContext.__call__") < stack.index("Mill.slow;")
    assert_speedscope((await it.ops.get(profile["links"]["speedscope"])).json())


async def test_what_holds_the_event_loop_is_in_the_wall_profile(
    running: tuple[Served, Mill],
) -> None:
    it, _ = running
    asking = ask(it.ops, kind="wall", seconds=2, rate=200)
    await begun(it.ops)
    await it.client.get(f"{LAB}/block")
    profile = await finished(asking)
    text = (await it.ops.get(profile["links"]["collapsed"])).text
    assert re.search(rf"^requests;GET {LAB}/block;.* in Mill\.hold \d+$", text, re.MULTILINE)


async def test_the_flame_graph_may_run_its_own_script_alone(running: tuple[Served, Mill]) -> None:
    it, _ = running
    for kind in ("cpu", "wall", "heap"):
        profile = await finished(ask(it.ops, kind=kind, seconds=0.1))
        page = await it.ops.get(profile["links"]["flame"])
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for name in ("style", "script"):
            (content,) = re.findall(rf"<{name}>(.*?)</{name}>", page.text, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{name}-src 'sha256-{digest}'" in policy
        body = page.text.partition("<body>")[2].partition("<script>")[0]
        assert not re.search(r"\s(style|on\w+)=|https?:|<(img|link|iframe)", body)
        # What is needed to read it is there without the script.
        assert "<svg id=" in body
        assert profile["top"][0]["name"].split(".")[-1].strip("<>") in body
