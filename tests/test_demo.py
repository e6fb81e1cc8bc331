"""The first command of the README, end to end: a fresh copy of the repository, `make demo`."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.repository import copy_of
from tests.services import environment

ORDER = {
    "customer_id": "cus_1",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
}
# A cold machine has to fetch and install everything twice.
PATIENCE = 600.0


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What somebody else would clone."""
    return copy_of(tmp_path / "clone")


class Running:
    """A command in a process group of its own, as a terminal would start it."""

    def __init__(self, command: list[str], folder: Path, ports: tuple[int, int]) -> None:
        """Start `command` in `folder`, its service listening on `ports`."""
        self.output = folder.parent / "output.txt"
        with self.output.open("w") as sink:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(
                    APP_HTTP__PORT=str(ports[0]),
                    APP_MANAGEMENT__PORT=str(ports[1]),
                    APP_HTTP__DRAIN_DELAY="1",
                ),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text(encoding="utf-8")

    def wait_until_ready(self, base: str) -> None:
        """Return when the service says that it is ready; fail when it ended or never does."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            assert self.process.poll() is None, self.said()
            try:
                if httpx.get(f"{base}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        pytest.fail(f"not ready after {PATIENCE:g} s\n{self.said()}")

    def interrupt(self) -> int:
        """Press Ctrl-C: the signal goes to the whole group. Return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=60)

    def end(self) -> None:
        """Leave nothing running, whatever happened before."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two ports that were free a moment ago."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def demo(clone: Path, ports: tuple[int, int]) -> Iterator[Running]:
    """`make demo`, started in the fresh copy."""
    running = Running(["make", "demo"], clone, ports)
    yield running
    running.end()


def test_demo_serves_a_first_order_and_drains(
    demo: Running, clone: Path, ports: tuple[int, int]
) -> None:
    base = f"http://127.0.0.1:{ports[0]}"
    demo.wait_until_ready(base)

    made = httpx.post(f"{base}/api/orders", json=ORDER)
    assert made.status_code == 201, made.text
    order = made.json()
    assert order["amount"] == 900
    assert order["status"]
    read = httpx.get(f"{base}/api/orders/{order['id']}")
    assert read.status_code == 200
    assert read.json() == order
    assert httpx.get(f"{base}/api/version").json()["name"] == "orders"
    assert httpx.get(f"http://127.0.0.1:{ports[1]}/metrics").status_code == 200

    before = demo.said()
    for place in (base, f"{base}/docs", f"http://127.0.0.1:{ports[1]}", json.dumps(ORDER)):
        assert place in before
    # Interrupted make ends by the signal, like every program that does not catch it.
    assert demo.interrupt() in {0, -signal.SIGINT}
    after = demo.said().removeprefix(before)
    assert "drain" in after.lower()
    for scare in ("***", "Traceback", "Error"):
        assert scare not in after
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.process.pid, 0)

    # Make hides the exit code of what it ran; started by itself, the service shows it.
    python = clone / "build" / "orders" / ".venv" / "bin" / "python"
    alone = Running([str(python), "-m", "orders", "serve"], clone / "build" / "orders", ports)
    try:
        alone.wait_until_ready(base)
        assert alone.interrupt() == 0, alone.said()
    finally:
        alone.end()
