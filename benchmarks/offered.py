"""Requests at a fixed rate, whether or not the earlier ones are answered: an overload.

`python -m benchmarks.offered URL RATE SECONDS PATIENCE` prints what came of them as JSON.
wrk waits for an answer before it asks again, so it cannot offer more than a server takes; real
callers can. Each request is due at its own time, and its latency counts from there. A caller
whose patience ends closes its connection, as a client with a timeout does.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from . import service

HEAD = b"\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Outcome:
    """What became of the requests that were offered.

    Attributes:
        seconds: for how long they were offered.
        statuses: how many of each; `late` for patience that ended, `broken` for connections
            that did.
        latencies: seconds from the due time to the whole answer, of those answered with 200.
        refused: the same of those answered with 503.
    """

    seconds: float
    statuses: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)


def offer(url: str, *, rate: float, seconds: float, patience: float) -> Outcome:
    """Do it in a process of its own, on the load's core."""
    numbers = [str(rate), str(seconds), str(patience)]
    command = [sys.executable, "-m", "benchmarks.offered", url, *numbers]
    said = subprocess.run(
        service.pinned(service.LOAD_CORE, command),
        check=True,
        stdout=subprocess.PIPE,
        cwd=service.ROOT,
    ).stdout
    return Outcome(**json.loads(said))


class Callers:
    """All callers together; connections are kept between them."""

    def __init__(self, url: str, patience: float) -> None:
        split = urlsplit(url)
        self._host, self._port = split.hostname or "", split.port or 80
        self._patience = patience
        path = f"{split.path}?{split.query}" if split.query else split.path
        self._request = f"GET {path} HTTP/1.1\r\nHost: {split.netloc}\r\n\r\n".encode()
        self._idle: list[Connection] = []

    async def call(self, due: float, outcome: Outcome) -> None:
        """One request, and what became of it."""
        try:
            async with asyncio.timeout_at(due + self._patience):
                status = await self._status()
        except TimeoutError:
            status = "late"
        except (OSError, EOFError):
            status = "broken"
        taken = asyncio.get_running_loop().time() - due
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        if status in ("200", "503"):
            (outcome.latencies if status == "200" else outcome.refused).append(taken)

    async def _status(self) -> str:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        whole = False
        try:
            writer.write(self._request)
            head = (await reader.readuntil(HEAD)).lower()
            await reader.readexactly(_length(head))
            whole = b"connection: close" not in head
        finally:
            if whole:
                self._idle.append((reader, writer))
            else:
                writer.close()
        return head[9:12].decode()

    def close(self) -> None:
        """Drop what is idle."""
        for _, writer in self._idle:
            writer.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def main(url: str, rate: float, seconds: float, patience: float) -> None:
    """Start every request when it is due, wait for the last ones, print."""
    callers, outcome = Callers(url, patience), Outcome(seconds)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(due - loop.time(), 0))
            group.create_task(callers.call(due, outcome))
    callers.close()
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
