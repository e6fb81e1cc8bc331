"""The first minute of a service in production: it starts, answers, and stops when it is told to."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.running import ORDER, PATIENCE, free_ports, until
from tests.services import environment

# Of the management port; what a page or a document is made of must be in the wheel.
READ = ("/", "/readyz", "/metrics", "/info", "/config", "/dependencies", "/debug/tasks")


def serve(python: Path, scratch: Path, answers: Mapping[str, str]) -> None:
    """Start it with an empty folder, make a first order, read what operators read, stop it.

    Raises:
        AssertionError: one of these went wrong; the message says how, with the log.
    """
    port, ops = free_ports()
    env = {
        **environment(),
        "APP_HTTP__PORT": str(port),
        "APP_MANAGEMENT__PORT": str(ops),
        "APP_HTTP__DRAIN_DELAY": "0",
        "APP_LOG__FORMAT": "json",
    }
    command = [str(python), "-m", "orders"]
    if answers["database"] == "sql":
        env["APP_DATABASE__URL"] = f"sqlite:///{scratch / 'orders.db'}"
        done = subprocess.run(
            [*command, "migrate"], cwd=scratch, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    log = scratch / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "serve"], cwd=scratch, env=env, stdout=out, stderr=out
        )
    wrong = ""
    try:
        with httpx.Client(timeout=PATIENCE) as client:
            until(lambda: process.poll() is not None or _answers(client, port), "it is ready")
            if process.poll() is None:
                _ask(client, port, ops, answers)
                process.send_signal(signal.SIGTERM)
        if process.wait(PATIENCE) != os.EX_OK:
            wrong = f"it ended with {process.returncode}"
    except AssertionError as failure:
        wrong = str(failure)
    finally:
        # What it has not written yet, it writes when it ends.
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
    text = log.read_text(encoding="utf-8")
    assert not wrong, f"{wrong}\n{text}"
    assert '"level":"error"' not in text, text
    assert "Traceback" not in text, text


def _answers(client: httpx.Client, port: int) -> bool:
    try:
        return client.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _ask(client: httpx.Client, port: int, ops: int, answers: Mapping[str, str]) -> None:
    made = client.post(f"http://127.0.0.1:{port}/api/orders", json=ORDER)
    if answers["auth"] == "jwt":
        assert made.status_code == httpx.codes.UNAUTHORIZED, made.text
    else:
        assert made.status_code == httpx.codes.CREATED, made.text
        read = client.get(f"http://127.0.0.1:{port}{made.headers['location']}")
        assert read.json() == made.json()
    for path in READ:
        answer = client.get(f"http://127.0.0.1:{ops}{path}")
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
