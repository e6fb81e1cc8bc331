"""`make bench`: generates the default service, installs it, and prints one table.

- The production chain against bare FastAPI: both servers are up at once on one core, wrk
  on the other loads them in turns (A B B A ...); a round is one ratio.
- Per layer and per log record: see `inside`.
- Start to ready, idle memory, generation.

`ARGS=--quick` takes fewer and shorter rounds. Ratios within a run are what counts: the
absolute figures are those of this machine at this moment.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .table import HEAD, line

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
SERVICE = BUILD / "orders"
CONNECTIONS = 32


def main() -> None:
    """Run everything; ends with a message where something is missing."""
    quick = "--quick" in sys.argv
    rounds, seconds = (4, 1) if quick else (12, 3)
    if shutil.which("wrk") is None:
        sys.exit("make bench: needs wrk (on Debian: apt-get install wrk)")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    generation = [generate() for _ in range(3)]
    say("installing the service's pinned versions")
    subprocess.run(["make", "--silent", "-C", SERVICE, "setup"], check=True)
    print(HEAD)
    print(line("generation of the service", generation, "s", "<= 2"))
    start_and_memory(3 if quick else 5)
    chain_against_bare(rounds, seconds)
    inside = [python(), "-m", "benchmarks.inside", str(3 if quick else 7)]
    subprocess.run(
        pinned(0, inside), check=True, cwd=BUILD, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )


def say(what: str) -> None:
    """Progress, apart from the table."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


def python() -> str:
    """The service's interpreter."""
    return str(SERVICE / ".venv" / "bin" / "python")


def pinned(core: int, command: list[str]) -> list[str]:
    """On one core where there are two: the load must not take from the server."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(core), *command]


def generate() -> float:
    """Write the default service afresh, keeping its environment; seconds."""
    new = BUILD / "new"
    shutil.rmtree(new, ignore_errors=True)
    begun = time.perf_counter()
    cookiecutter = [sys.executable, "-m", "cookiecutter", "--no-input", "--default-config"]
    subprocess.run(
        [*cookiecutter, "--output-dir", new, ROOT], check=True, stdout=subprocess.DEVNULL
    )
    seconds = time.perf_counter() - begun
    if (SERVICE / ".venv").is_dir():
        shutil.move(SERVICE / ".venv", new / "orders" / ".venv")
    shutil.rmtree(SERVICE, ignore_errors=True)
    shutil.move(new / "orders", SERVICE)
    return seconds


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], url: str, env: dict[str, str]) -> Iterator[tuple[int, float]]:
    """A server process that answers at `url`; yields its pid and the seconds that took."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        pinned(0, command), env=os.environ | env, stdout=subprocess.DEVNULL, cwd=SERVICE
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(url, timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"bench: {' '.join(command)} ended with {process.returncode}")
            time.sleep(0.005)
        yield process.pid, time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def production(**extra: str) -> tuple[list[str], str, dict[str, str]]:
    """The service as it runs in production: its command, address and environment."""
    port = free_port()
    env = {
        "APP_ENVIRONMENT": "production",
        "APP_HTTP__PORT": str(port),
        "APP_HTTP__DRAIN_DELAY": "0",
        "APP_MANAGEMENT__PORT": str(free_port()),
        "APP_DATABASE__URL": f"sqlite:///{BUILD / 'orders.db'}",
        "APP_DEPENDENCIES__PAYMENTS__URL": "http://127.0.0.1:9",
        **extra,
    }
    subprocess.run(
        [python(), "-m", "orders", "migrate"],
        check=True,
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
    )
    return [python(), "-m", "orders", "serve"], f"http://127.0.0.1:{port}", env


def start_and_memory(rounds: int) -> None:
    """Process start until `/readyz` says yes, and resident memory then."""
    say("start to ready")
    starts, memory = [], []
    for _ in range(rounds):
        command, url, env = production()
        with running(command, f"{url}/readyz", env) as (pid, seconds):
            status = Path(f"/proc/{pid}/status").read_text()
            starts.append(seconds)
            memory.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024)
    print(line("start to ready", starts, "s", "<= 1.5"))
    print(line("resident memory when idle", memory, "MB", "<= 110"))


def load(url: str, seconds: int) -> float:
    """Requests per second that wrk gets; any answer but 200 ends the run."""
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"{url}/api/version"]
    said = subprocess.run(pinned(1, wrk), check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"bench: errors under load\n{said}")
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])


def chain_against_bare(rounds: int, seconds: int) -> None:
    """The row of the issue: GET /api/version, whole chain over bare."""
    say(f"chain against bare FastAPI, {rounds} rounds of {seconds} s each")
    bare = free_port()
    bare_url = f"http://127.0.0.1:{bare}"
    command, url, env = production()
    with ExitStack() as stack:
        peer = [python(), str(ROOT / "benchmarks" / "bare.py"), str(bare)]
        stack.enter_context(running(peer, f"{bare_url}/api/version", {}))
        stack.enter_context(running(command, f"{url}/readyz", env))
        for each in (bare_url, url):
            load(each, 1)
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(rounds):
            turns = [(bare_url, theirs), (url, ours)]
            for where, into in turns if number % 2 else reversed(turns):
                into.append(load(where, seconds))
    print(line("bare FastAPI, thousand requests a second", [r / 1000 for r in theirs]))
    print(line("whole production chain, thousand requests a second", [r / 1000 for r in ours]))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(line("GET /api/version, whole chain / bare FastAPI", ratios, "", ">= 0.8"))


if __name__ == "__main__":
    main()
