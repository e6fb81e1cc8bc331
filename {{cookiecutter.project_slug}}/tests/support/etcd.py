"""Real etcd servers, of our own and for one test."""

import asyncio
import base64
import shutil
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from .process import LIMIT, free_port
from .server import ServerProcess, program
from .tls import Authority

ROOT_PASSWORD = "root-password"


class EtcdServer(ServerProcess):
    """One member. It may be stopped and started; what it has written stays until it is wiped.

    Args:
        authority: it speaks TLS with this one's certificate.
        ask_certificates: of its clients, too.
        token_ttl: seconds after which a token that is not used expires.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "only",
        authority: Authority | None = None,
        ask_certificates: bool = False,
        token_ttl: int = 300,
    ) -> None:
        super().__init__(folder / f"{name}.log")
        self.name, self.port, self._peer_port = name, free_port(), free_port()
        self._authority, self._ask_certificates = authority, ask_certificates
        self._token_ttl = token_ttl
        self._data = folder / name
        self._has_users = False

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def peer(self) -> str:
        """What its cluster knows it by."""
        return f"{self.name}=http://127.0.0.1:{self._peer_port}"

    async def start(self, cluster: Sequence["EtcdServer"] = ()) -> None:
        """Start it, as one of a new cluster of these or alone, and wait until it answers."""
        self._spawn(cluster or [self])
        async with asyncio.timeout(LIMIT):
            await self._ready()

    def _spawn(self, cluster: Sequence["EtcdServer"]) -> None:
        scheme, peer = "https" if self._authority else "http", self.peer.partition("=")[2]
        options = {
            "name": self.name,
            "data-dir": str(self._data),
            "listen-client-urls": f"{scheme}://{self.host}",
            "advertise-client-urls": f"{scheme}://{self.host}",
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": ",".join(one.peer for one in cluster),
            "heartbeat-interval": "20",  # a fifth of the timeout, as etcd wants it
            "election-timeout": "100",  # 1 s by default, which a single member waits for, too
            "auth-token-ttl": str(self._token_ttl),
        }
        if self._authority is not None:
            options["cert-file"] = options["key-file"] = str(self._authority.certificate)
        if self._authority is not None and self._ask_certificates:
            options["trusted-ca-file"] = str(self._authority.root)
        etcd = program("etcd", "REQUIRE_ETCD")
        self.run([etcd, *(f"--{name}={value}" for name, value in options.items())])

    async def _ready(self) -> None:
        while self.running:
            with suppress(httpx.TransportError):
                if (await self._post("/v3/maintenance/status")).status_code == 200:
                    return
            await asyncio.sleep(0.01)
        raise AssertionError(self.log.read_text())

    def wipe(self) -> None:
        """Remove what a stopped server has written."""
        shutil.rmtree(self._data)
        self._has_users = False

    async def put(self, key: str, value: str | bytes) -> int:
        """Set a key; the revision of that."""
        return await self.transaction({key: value})

    async def delete(self, *keys: str) -> int:
        """Delete these keys; the revision of that."""
        return await self.transaction({}, *keys)

    async def transaction(self, put: Mapping[str, str | bytes], *delete: str) -> int:
        """Do all of it at once; the revision of that."""
        doing = [
            {"request_put": {"key": base64_of(key), "value": base64_of(value)}}
            for key, value in put.items()
        ] + [{"request_delete_range": {"key": base64_of(key)}} for key in delete]
        answer = await self.call("/v3/kv/txn", success=doing)
        return int(answer["header"]["revision"])

    async def compact(self, revision: int) -> None:
        """Forget what was before this revision."""
        await self.call("/v3/kv/compaction", revision=str(revision))

    async def enable_auth(self, user: str, password: str, prefix: str) -> None:
        """From now on `user` may read below `prefix`, and we may do everything."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        reading = {"permType": "READ", "key": base64_of(prefix), "range_end": base64_of(end)}
        for name, secret in (("root", ROOT_PASSWORD), (user, password)):
            await self.call("/v3/auth/role/add", name=name)
            await self.call("/v3/auth/user/add", name=name, password=secret)
            await self.call("/v3/auth/user/grant", user=name, role=name)
        await self.call("/v3/auth/role/grant", name=user, perm=reading)
        await self.call("/v3/auth/enable")
        self._has_users = True

    async def disable_auth(self) -> None:
        await self.call("/v3/auth/disable")
        self._has_users = False

    async def call(self, path: str, **body: Any) -> Any:
        """One request to its gateway, which must succeed."""
        response = await self._post(path, **body)
        assert response.status_code == 200, response.text
        return response.json()

    async def _post(self, path: str, **body: Any) -> httpx.Response:
        trust = self._trust()
        base = f"http{'s' if trust else ''}://{self.host}"
        async with httpx.AsyncClient(verify=trust or False, base_url=base) as client:
            headers = {}
            if self._has_users:
                root = {"name": "root", "password": ROOT_PASSWORD}
                answer = await client.post("/v3/auth/authenticate", json=root)
                headers["Authorization"] = answer.json()["token"]
            return await client.post(path, json=body, headers=headers)

    def _trust(self) -> ssl.SSLContext | None:
        if self._authority is None:
            return None
        trust = ssl.create_default_context(cafile=self._authority.root)
        trust.load_cert_chain(self._authority.certificate)
        return trust


def base64_of(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return base64.b64encode(data).decode()


@asynccontextmanager
async def etcd_server(folder: Path, **options: Any) -> AsyncIterator[EtcdServer]:
    """A running server; the options are `EtcdServer`'s."""
    server = EtcdServer(folder, **options)
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def etcd_cluster(folder: Path, size: int = 3) -> AsyncIterator[Sequence[EtcdServer]]:
    """Running members of one cluster."""
    members = [EtcdServer(folder, name=f"member{number}") for number in range(size)]
    try:
        await asyncio.gather(*(member.start(members) for member in members))
        yield members
    finally:
        for member in members:
            member.stop()
