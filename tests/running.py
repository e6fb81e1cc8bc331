"""A generated service as a running process, and callers that keep it busy."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.services import environment, make, service

TOKEN = "a-token-of-the-tests-0123456789"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PATIENCE = 60.0  # seconds; a machine that tests many things at once is slow
ORDER = {
    "customer_id": "cus_1",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
}


def free_ports() -> tuple[int, int]:
    """Two that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


@dataclass(frozen=True)
class Running:
    """One that serves. `url` is its service port, `ops` its management port."""

    url: str
    ops: str
    process: subprocess.Popen[bytes]

    def read(self, path: str) -> dict[str, object]:
        """A document of the management port."""
        document: dict[str, object] = httpx.get(self.ops + path).raise_for_status().json()
        return document

    def order(self) -> int:
        """Make one order; returns the status of the answer."""
        return httpx.post(f"{self.url}/api/orders", json=ORDER, timeout=20).status_code

    def stop(self) -> None:
        """As the cluster does it."""
        self.process.terminate()
        self.process.wait(PATIENCE)


@contextmanager
def installed() -> Iterator[Path]:
    """A generated service with an environment of its own.

    Each process of a test run has another one, so that none waits for the others.
    """
    with service(f"console-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}") as folder:
        make(folder, "setup")
        yield folder


@contextmanager
def running(
    folder: Path,
    scratch: Path,
    extra: Mapping[str, str] | None = None,
    ports: tuple[int, int] | None = None,
) -> Iterator[Running]:
    """The service in `folder`, once it is ready; stopped at the end.

    Args:
        scratch: where its database is.
        extra: environment variables.
    """
    port, ops = ports or free_ports()
    env = {
        **environment(),
        "APP_DATABASE__URL": f"sqlite:///{scratch / 'orders.db'}",
        "APP_HTTP__PORT": str(port),
        "APP_MANAGEMENT__PORT": str(ops),
        "APP_HTTP__DRAIN_DELAY": "0",
        **(extra or {}),
    }
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "orders"]
    subprocess.run([*command, "migrate"], env=env, check=True)
    with subprocess.Popen([*command, "serve"], env=env) as process:
        live = Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ops}", process)
        try:
            until(lambda: _ready(live), "the service is ready")
            yield live
        finally:
            live.stop()


def until(happened: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return when it has happened.

    Raises:
        AssertionError: it never did.
    """
    give_up = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < give_up, f"never: {what}"
        time.sleep(0.1)


@contextmanager
def load(live: Running, path: str = "/api/version", rate: float = 100) -> Iterator[None]:
    """Somebody who asks for `path` so many times a second, whatever the answers are."""
    stop = threading.Event()

    def call() -> None:
        with httpx.Client(base_url=live.url, timeout=20) as client:
            while not stop.wait(1 / rate):
                client.get(path)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        yield
    finally:
        stop.set()
        caller.join()


@contextmanager
def without_payments(live: Running) -> Iterator[None]:
    """Every call of the service to its payments fails, on purpose."""
    what = {"dependency": "payments", "percentage": 100, "fail": True, "expires_in": 600}
    where = f"{live.ops}/faults"
    httpx.post(where, json=what, headers=BEARER).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(where, headers=BEARER).raise_for_status()


def _ready(live: Running) -> bool:
    assert live.process.poll() is None, "it ended"
    try:
        answer = httpx.get(f"{live.url}/readyz", timeout=5)
    except httpx.TransportError:
        return False
    assert answer.status_code in {200, 503}, answer.text
    return answer.status_code == 200
