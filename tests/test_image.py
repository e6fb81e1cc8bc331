"""The image, built and run as the manifests run it: small, quick, still, and it loses nothing."""

import os
import re
import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests import containers
from tests.rendering import render

ORDER = {
    "customer_id": "cus_1",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
}
DATABASE = {"APP_DATABASE__URL": "sqlite:////data/orders.db"}
MOST_MB_ON_TOP = 60
MOST_SECONDS_TO_READY = 2.0
# The same in processor time where other tests have the processors too, whose caches they share.
MOST_BUSY_SECONDS = 3.0
MOST_SHARE_OF_MEMORY = 0.6
# What a load balancer may take to hear that an instance is not ready; the drain delay is 5 s.
PROPAGATION = 1.0
LOAD_SECONDS = int(os.environ.get("IMAGE_LOAD_SECONDS", "10"))


@dataclass(frozen=True, slots=True)
class Built:
    """The image of the default service."""

    name: str
    base: str
    service: Path
    asked: containers.Asked


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build it as a user does."""
    containers.skip_without_tools()
    base = containers.base()
    service = render(tmp_path_factory.mktemp("one"))
    name = "localhost/steadfast-orders:one"
    print(containers.build(service, name, base))
    return Built(name, base, service, containers.asked(service))


@pytest.fixture
def data(built: Built, tmp_path: Path) -> Path:
    """A volume with a database whose schema a container of the image has brought."""
    folder = tmp_path / "data"
    folder.mkdir()
    options = containers.hardened(built.asked, folder, **DATABASE)
    assert "schema at" in containers.once(built.name, options, "migrate")
    return folder


@pytest.fixture
def running(built: Built, data: Path) -> Iterator[containers.Running]:
    """The service in its container, ready."""
    with containers.running(built.name, built.asked, data, **DATABASE) as one:
        one.ready_after()
        yield one


def test_it_says_what_it_is_and_runs_as_nobody(built: Built) -> None:
    found = containers.described(built.name)
    assert found["Config"]["User"] == built.asked.user == "10001:10001"
    assert found["Config"]["Entrypoint"] == ["python", "-m", "orders"]
    assert found["Config"]["Cmd"] == ["serve"]
    assert "Healthcheck" not in found["Config"]
    labels = {name.rpartition(".")[2]: text for name, text in found["Labels"].items()}
    assert labels["title"] == "orders"
    assert labels["description"] == "Takes orders and authorises their payment"
    assert labels["version"] == "0.1.0"
    assert labels["revision"] == "unknown"
    assert labels["created"] == "1970-01-01T00:00:00Z"
    assert labels["source"] == "https://git.example.com/orders.git"
    assert labels["licenses"] == "MIT"


def test_it_holds_the_service_and_nothing_to_build_or_test_it_with(built: Built) -> None:
    with containers.contents(built.name) as root:
        app = [path for path in root.joinpath("app").rglob("*") if not path.is_symlink()]
        names = {path.name for path in app}
        assert {"orders", "fastapi", "uvloop", "asyncpg"} <= names
        assert not names & {"pytest", "hypothesis", "mypy", "ruff", "tests", "testing", "hatchling"}
        assert not [path for path in app if path.suffix in {".c", ".h", ".pyi", ".pyx", ".sh"}]
        assert not [path for path in app if path.stat().st_uid or path.stat().st_mode & 0o022]
        assert {path.name for path in root.joinpath("app").iterdir()} == {"site", "src"}
        assert not list(root.glob("usr/**/site-packages/pip")) + list(
            root.glob("usr/**/dist-packages/pip")
        )
        assert not list(root.joinpath("build").glob("*"))
        assert not list(root.joinpath("data").iterdir())


def test_it_is_small(built: Built) -> None:
    whole, base = (containers.described(name)["Size"] for name in (built.name, built.base))
    print(f"{(whole - base) / 1e6:.1f} MB on top of the base's {base / 1e6:.1f} MB")
    assert whole - base <= MOST_MB_ON_TOP * 1e6


def test_a_second_build_is_the_same_to_the_byte(built: Built, tmp_path: Path) -> None:
    # In another folder, by a user who keeps files to himself.
    before = os.umask(0o077)
    try:
        service = render(tmp_path / "two")
        name = "localhost/steadfast-orders:two"
        containers.build(service, name, built.base, "--no-cache")
    finally:
        os.umask(before)
    one, two = (containers.described(image) for image in (built.name, name))
    assert one["RootFS"]["Layers"] == two["RootFS"]["Layers"]
    assert one["Id"] == two["Id"]
    assert one["Digest"] == two["Digest"]


def test_it_is_ready_soon(built: Built, data: Path) -> None:
    quiet = os.getloadavg()[0] < (os.cpu_count() or 1) / 2
    took, used = [], []
    for _ in range(3):
        with containers.running(built.name, built.asked, data, **DATABASE) as one:
            took.append(one.ready_after())
            used.append(one.cpu_seconds())
    print(f"ready after {', '.join(f'{each:.2f}' for each in took)} s, engine included")
    print(f"processor time until then {', '.join(f'{each:.2f}' for each in used)} s")
    if quiet:
        assert statistics.median(took) <= MOST_SECONDS_TO_READY
    assert statistics.median(used) <= MOST_BUSY_SECONDS


def test_nothing_but_its_two_folders_can_be_written(built: Built, data: Path) -> None:
    program = (
        "import os, pathlib, importlib.util as find\n"
        "assert os.getuid() == os.getgid() == 10001\n"
        "for name in ('pip', 'setuptools', 'wheel', 'pytest', 'hatchling'):\n"
        "    assert find.find_spec(name) is None, name\n"
        "for folder in ('/', '/app', '/app/src/orders', '/etc', '/usr/lib', '/var'):\n"
        "    try: pathlib.Path(folder, 'x').touch()\n"
        "    except OSError: continue\n"
        "    raise SystemExit(folder)\n"
        "for folder in ('/data', '/tmp'): pathlib.Path(folder, 'x').touch()\n"
        "try: os.execv('/bin/sh', ['sh', '-c', 'exit 9'])\n"
        "except PermissionError: print('nothing to write to, no shell to call')\n"
    )
    options = [*containers.hardened(built.asked, data), "--entrypoint", "python"]
    assert "no shell to call" in containers.once(built.name, options, "-c", program)


def test_it_serves_within_its_memory(built: Built, running: containers.Running) -> None:
    with httpx.Client(base_url=running.http) as client:
        order = client.post("/api/orders", json=ORDER)
        assert order.status_code == 201
        created = f"/api/orders/{order.json()['id']}"
        assert client.get(created).json() == order.json()
        assert client.get("/api/version").json()["name"] == "orders"
    idle = running.peak_mib()
    wrk = ["wrk", "--threads", "1", "--connections", "8", "--duration", f"{LOAD_SECONDS}s"]
    stopped = threading.Event()

    def write() -> Counter[int]:
        found: Counter[int] = Counter()
        with httpx.Client(base_url=running.http, timeout=30) as client:
            while not stopped.is_set():
                found[client.post("/api/orders", json=ORDER).status_code] += 1
        return found

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write) for _ in range(4)]
        done = subprocess.run(
            [*wrk, f"{running.http}{created}"], capture_output=True, text=True, check=False
        )
        stopped.set()
        answers = sum((one.result() for one in writers), Counter[int]())
    print(done.stdout, answers)
    counted = re.search(r"(\d+) requests in", done.stdout)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    # What is refused needs no memory; a busy machine sheds load, and still does its work.
    served = int(counted[1]) - int(refused[1] if refused else 0) if counted else 0
    assert served >= 100
    peak, limit = running.peak_mib(), built.asked.memory_mib
    print(f"idle {idle:.0f} MiB, under load {peak:.0f} MiB of {limit} MiB ({peak / limit:.0%})")
    assert peak <= MOST_SHARE_OF_MEMORY * limit


def test_it_drains_under_load_and_loses_nothing(built: Built, running: containers.Running) -> None:
    closed = threading.Event()

    def call() -> Counter[str]:
        found: Counter[str] = Counter()
        with httpx.Client(base_url=running.http, timeout=30) as client:
            while not closed.is_set():
                try:
                    found[str(client.post("/api/orders", json=ORDER).status_code)] += 1
                except httpx.TransportError as exc:
                    found[repr(exc)] += 1
        return found

    def follow() -> None:
        """Be the load balancer: hear of the readiness, and take its time."""
        while httpx.get(f"{running.management}/readyz", timeout=30).status_code == 200:
            time.sleep(0.05)
        time.sleep(PROPAGATION)
        closed.set()

    with ThreadPoolExecutor() as pool:
        callers = [pool.submit(call) for _ in range(4)]
        balancer = pool.submit(follow)
        time.sleep(1)
        terminated = time.monotonic()
        running.terminate()
        try:
            balancer.result()
        finally:
            closed.set()
        answers = sum((caller.result() for caller in callers), Counter[str]())
    code = running.process.wait(60)
    took = time.monotonic() - terminated
    print(f"{answers}, exit code {code} after {took:.1f} s")
    assert set(answers) == {"201"}
    assert code == 0
    assert took < built.asked.termination_grace
