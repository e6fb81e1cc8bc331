"""A real etcd as a process of the drill, and the way to it."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from .centre import Server
from .processes import HOST, START_LIMIT, DrillError, Process, free_port, until
from .proxy import Proxy, proxy

PREFIX = "drill"
KEY = f"{PREFIX}/http/request_timeout"
DOCUMENT = f"{PREFIX}/settings.yaml"
PROGRAM = "etcd"
GARBAGE: Mapping[str, Mapping[str, bytes]] = {
    "a value that the schema refuses": {KEY: b"soon"},
    "binary": {KEY: bytes(range(256))},
    "a document that is no YAML": {DOCUMENT: b"http: {request_timeout"},
}


def installed() -> bool:
    """Whether one can be started here."""
    return shutil.which(PROGRAM) is not None


class EtcdCentre:
    """One member; what it has written stays until it is wiped.

    Args:
        way: to it, for the service; the drill itself talks to it directly.
    """

    kinds: Sequence[str] = tuple(GARBAGE)
    name = PROGRAM

    def __init__(self, folder: Path, way: Proxy) -> None:
        self.url = f"etcd://{HOST}:{way.port}/{PREFIX}"
        self._way = way
        self._peer_port = free_port()
        self._data, self._log = folder / "etcd", folder / "etcd.log"
        self._good: Mapping[str, bytes] = {}
        self._process: Process | None = None
        # No connection is kept: the server at the other end would be another one.
        self._client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{way.target}",
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=5,
        )

    async def put(self, value: float) -> None:
        self._good = {KEY: str(value).encode()}
        await self._set(self._good)

    async def feed(self, kind: str) -> None:
        await self._set({**self._good, **GARBAGE[kind]})

    async def _set(self, entries: Mapping[str, bytes]) -> None:
        """In one transaction, all that there is."""
        doing: list[Mapping[str, Mapping[str, str]]] = [
            {"request_put": {"key": _base64(key.encode()), "value": _base64(value)}}
            for key, value in entries.items()
        ]
        gone = {KEY, DOCUMENT} - entries.keys()
        doing += ({"request_delete_range": {"key": _base64(key.encode())}} for key in gone)
        (await self._client.post("/v3/kv/txn", json={"success": doing})).raise_for_status()

    async def start(self) -> None:
        client, peer = f"http://{HOST}:{self._way.target}", f"http://{HOST}:{self._peer_port}"
        options = {
            "name": "drill",
            "data-dir": str(self._data),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"drill={peer}",
            "heartbeat-interval": "20",  # a fifth of the timeout, as etcd wants it
            "election-timeout": "100",  # 1 s by default, which a single member waits for, too
        }
        line = [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]
        with self._log.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *line,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._process = Process(child, self._log)
        await until(self._answers, START_LIMIT, "etcd answers")

    async def _answers(self) -> bool:
        assert self._process is not None
        if not self._process.alive:
            raise DrillError(f"etcd ended: {self._process.errors()}")
        try:
            return (await self._client.post("/v3/maintenance/status")).is_success
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.process.wait()
            self._process = None

    async def wipe(self) -> None:
        await self.kill()
        await asyncio.to_thread(shutil.rmtree, self._data)
        await self.start()

    def partition(self) -> None:
        self._way.silent = True

    def heal(self) -> None:
        for end in self._way.ends:
            end.other = None
        self._way.silent = False

    async def close(self) -> None:
        """Nothing of it is left but its data."""
        await self.kill()
        await self._client.aclose()


@asynccontextmanager
async def etcd_centre(folder: Path) -> AsyncIterator[Server]:
    """A running one, empty."""
    async with proxy(free_port()) as way:
        centre = EtcdCentre(folder, way)
        try:
            await centre.start()
            yield centre
        finally:
            await centre.close()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
