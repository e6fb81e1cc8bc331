"""Load by wrk, and what it says about it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import service

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Said:
    """What wrk printed.

    Attributes:
        requests: answered in all.
        rate: requests per second.
        p50, p99: ms that half and 99 of 100 of them took at most.
        failed: answers other than 2xx and 3xx, and connections or answers that failed.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    failed: int


def parse(output: str) -> Said:
    """Read the output of `wrk --latency`.

    Raises:
        ValueError: it is not what wrk prints.
    """
    requests = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p50, p99 = _percentile("50", output), _percentile("99", output)
    if not requests or not rate or p50 is None or p99 is None:
        raise ValueError(f"wrk printed something else:\n{output}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    sockets = re.search(r"Socket errors: (.*)", output)
    failed = int(refused[1]) if refused else 0
    failed += sum(map(int, re.findall(r"\d+", sockets[1]))) if sockets else 0
    return Said(int(requests[1]), float(rate[1]), p50, p99, failed)


def _percentile(which: str, output: str) -> float | None:
    found = re.search(rf"^\s+{which}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    return float(found[1]) * UNITS[found[2]] if found else None


def require() -> None:
    """Ends with one line where wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("make bench: needs wrk, which makes the load (on Debian: apt-get install wrk)")


def run(
    url: str,
    *,
    connections: int,
    seconds: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Said:
    """Load one address from the load's core: GET, or POST of a JSON body.

    Any answer but a good one ends the benchmark: nothing may be fast by failing.
    """
    given = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as folder:
        what = [f"-c{connections}", *given, *_posting(Path(folder), body), url]
        result, said = _once(what, seconds)
        if not result.requests:  # a busy machine: it may be that it needs more time
            result, said = _once(what, 5 * seconds)
    if result.failed or not result.requests:
        sys.exit(f"make bench: errors under load of {url}\n{said}")
    return result


def _once(what: Sequence[str], seconds: int) -> tuple[Said, str]:
    # A slow peer's queue at 256 connections is no error of its.
    how = ["-t1", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    command = service.pinned(service.LOAD_CORE, ["wrk", *how, *what])
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return parse(said), said


def _posting(folder: Path, body: bytes) -> Sequence[str]:
    """A script is the only way to give wrk a body."""
    if not body:
        return []
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = {json.dumps(body.decode())}\n",  # of ASCII: Lua reads it as JSON does
        encoding="utf-8",
    )
    return ["-s", str(script)]
