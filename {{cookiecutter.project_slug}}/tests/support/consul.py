"""Consul: a real one where there is one, and one that does what a test says."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from .centre import Centre
from .process import LIMIT, free_port
from .server import ServerProcess, program


class Consul(Centre):
    """Answers recursive reads of keys as Consul's servers do, blocking ones too.

    Attributes:
        index: of the newest write, in any key.
        token: that it wants; empty: none.
        filtered: its answers leave out what the token may not read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.index = 100
        self.token = ""
        self.filtered = False
        self._values: dict[str, str | None] = {}
        self._written: dict[str, int] = {}  # deleted keys too, until they are forgotten

    async def put(self, values: Mapping[str, bytes | None]) -> None:
        """Write keys, one after the other."""
        self._put(values)

    def _put(self, values: Mapping[str, bytes | None]) -> None:
        for key, value in values.items():
            self.put_raw(key, None if value is None else base64.b64encode(value).decode())

    def put_raw(self, key: str, value: str | None) -> None:
        """Write what it will send as a value, whether it is base64 or not."""
        self.index += 1
        self._values[key] = value
        self._written[key] = self.index
        self.changed()

    async def delete(self, *keys: str) -> None:
        """Delete them; their index stays known for a while."""
        for key in keys:
            self.index += 1
            del self._values[key]
            self._written[key] = self.index
        self.changed()

    def forget(self) -> None:
        """Let go of what was deleted, as it does after 15 minutes."""
        self._written = {k: v for k, v in self._written.items() if k in self._values}
        self.changed()

    def restore(self, values: Mapping[str, bytes | None], index: int = 10) -> None:
        """An older state, or none, in place of what it holds."""
        self._values, self._written, self.index = {}, {}, index
        self._put(values)
        self.changed()

    async def answer(self, request: Request) -> Response:
        if self.token and request.headers.get("X-Consul-Token") != self.token:
            return PlainTextResponse("ACL not found", 403)
        if request.method != "GET" or "recurse" not in request.query_params:
            return PlainTextResponse("a read of one key", 400)
        prefix = request.url.path.removeprefix("/v1/kv/")
        known = int(request.query_params.get("index", 0))
        if known:
            wait = request.query_params["wait"].removesuffix("ms")
            with suppress(TimeoutError):
                async with asyncio.timeout(int(wait) / 1000 * 17 / 16):  # what it adds at most
                    while self._index(prefix) <= known:
                        await self.hold(request)
        return self._list(prefix)

    def _index(self, prefix: str) -> int:
        """Of the newest write below the prefix; where nothing is known of any, of the store."""
        ours = [at for key, at in self._written.items() if key.startswith(prefix)]
        return max(ours, default=self.index)

    def _list(self, prefix: str) -> Response:
        headers = {"X-Consul-Index": str(self._index(prefix)), "X-Consul-KnownLeader": "true"}
        if self.filtered:
            headers["X-Consul-Results-Filtered-By-ACLs"] = "true"
        pairs = [
            {
                "LockIndex": 0,
                "Key": key,
                "Flags": 0,
                "Value": value,
                "CreateIndex": self._written[key],
                "ModifyIndex": self._written[key],
            }
            for key, value in sorted(self._values.items())
            if key.startswith(prefix)
        ]
        if not pairs:
            return Response(b"", 404, headers)
        return Response(json.dumps(pairs), 200, headers, "application/json")


class ConsulServer(ServerProcess):
    """A real one, of our own and for one test; it keeps nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "consul.log")
        self.port = free_port()
        self._command = [
            program("consul", "REQUIRE_CONSUL"),
            "agent", "-dev", "-bind", "127.0.0.1", "-http-port", str(self.port),
            "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
            "-serf-lan-port", str(free_port()), "-serf-wan-port", "-1",
            "-server-port", str(free_port()),
        ]  # fmt: skip

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.run(self._command)

    async def ready(self) -> None:
        """Wait until it leads itself."""
        async with httpx.AsyncClient(base_url=f"http://{self.host}") as client:
            async with asyncio.timeout(LIMIT):
                while not await _leads(client):
                    await asyncio.sleep(0.05)

    async def put(self, values: Mapping[str, bytes | None]) -> None:
        """Write keys, one after the other."""
        async with httpx.AsyncClient(base_url=f"http://{self.host}") as client:
            for key, value in values.items():
                answer = await client.put(f"/v1/kv/{key}", content=value or b"")
                answer.raise_for_status()

    async def delete(self, *keys: str) -> None:
        """Delete them."""
        async with httpx.AsyncClient(base_url=f"http://{self.host}") as client:
            for key in keys:
                (await client.delete(f"/v1/kv/{key}")).raise_for_status()


async def _leads(client: httpx.AsyncClient) -> bool:
    with suppress(httpx.TransportError):
        answer = await client.get("/v1/status/leader")
        return answer.status_code == 200 and len(answer.json()) > 0
    return False


@contextmanager
def consul_server(folder: Path) -> Iterator[ConsulServer]:
    """A running server; without one the test skips, or fails where it must run."""
    server = ConsulServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
