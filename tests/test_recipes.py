"""What the service's README says how to do, done as it says."""

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.services import environment, make, service

_IMPORT = "from .gateways.payments import"
_FLAGS = "flags = open_flags(closing, meters, live(lambda s: s.flags))"
WIRING = {
    _IMPORT: f"from .gateways.ledger import HttpLedger\n{_IMPORT}",
    _FLAGS: f"""{_FLAGS}
        info["commit"] = str(await HttpLedger(clients["ledger"]).balance("a/b"))""",
}


class Ledger(BaseHTTPRequestHandler):
    """A dependency with one account."""

    def do_GET(self) -> None:
        body = json.dumps({"balance": 42}).encode()
        self.send_response(200 if self.path == "/accounts/a%2Fb" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def ledger() -> Iterator[str]:
    """Serve it in a thread; yields its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ledger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def follow(folder: Path) -> None:
    """Do what the README says about a dependency, with its own code."""
    section = folder.joinpath("README.md").read_text(encoding="utf-8")
    section = section.split("**A dependency, by hand.**")[1].split("**A setting.**")[0]
    entry, gateway = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    package = folder / "src" / "orders"
    settings = package / "settings.py"
    text = settings.read_text(encoding="utf-8")
    field = entry.splitlines()[1]
    payments = "    payments: Dependency = Dependency()\n"
    assert payments in text
    settings.write_text(text.replace(payments, f"{payments}{field}\n"), encoding="utf-8")
    package.joinpath("gateways", "ledger.py").write_text(gateway, encoding="utf-8")


def wire(folder: Path) -> None:
    """Hand it to whoever needs it: here the version, which any caller can see."""
    app = folder / "src" / "orders" / "app.py"
    text = app.read_text(encoding="utf-8")
    for old, new in WIRING.items():
        assert old in text
        text = text.replace(old, new)
    app.write_text(text, encoding="utf-8")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers 200, for as long as the process runs and half a minute at most."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not ready, exit code {process.poll()}")


def test_a_dependency_is_one_entry_and_one_class(tmp_path: Path) -> None:
    with service("recipe") as folder, ledger() as url:
        make(folder, "setup")
        follow(folder)
        print(make(folder, "lint"))
        wire(folder)
        port, ops = free_port(), free_port()
        env = environment(
            APP_DEPENDENCIES__LEDGER__URL=url,
            APP_DATABASE__URL=f"sqlite:///{tmp_path / 'orders.db'}",
            APP_HTTP__PORT=str(port),
            APP_MANAGEMENT__PORT=str(ops),
            APP_HTTP__DRAIN_DELAY="0",
        )
        command = [str(folder / ".venv" / "bin" / "python"), "-m", "orders"]
        subprocess.run([*command, "migrate"], env=env, check=True)
        with subprocess.Popen([*command, "serve"], env=env) as process:
            try:
                wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
                assert httpx.get(f"http://127.0.0.1:{port}/api/version").json()["commit"] == "42"
                report = httpx.get(f"http://127.0.0.1:{ops}/dependencies/ledger").json()
                assert report["state"] == "closed"
                checks = httpx.get(f"http://127.0.0.1:{ops}/readyz").json()["checks"]
                assert checks["ledger"] == {"status": "pass", "critical": False}
            finally:
                process.terminate()
        assert process.returncode == 0
