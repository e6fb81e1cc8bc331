"""Certificates of an authority that this machine comes to trust, for a test."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import hypercorn.asyncio
import hypercorn.config
import pytest
import trustme

from .process import free_port, until


class Authority:
    """A certificate authority with one server's certificate, for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._server = self._authority.issue_cert("127.0.0.1")
        self.root = folder / "root.pem"
        self._authority.cert_pem.write_to_path(str(self.root))
        self.certificate = folder / "server.pem"
        self._server.private_key_and_cert_chain_pem.write_to_path(str(self.certificate))

    def trusted(self, patch: pytest.MonkeyPatch) -> None:
        """As if the system had it among its own."""
        patch.setenv("SSL_CERT_FILE", str(self.root))


@asynccontextmanager
async def hypercorn_server(
    app: Callable[..., Awaitable[None]], certificate: Path | None = None
) -> AsyncIterator[str]:
    """Serve HTTP/1.1 and HTTP/2, encrypted where there is a certificate; yields the URL."""
    config = hypercorn.config.Config()
    port = free_port()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "ERROR"
    config.graceful_timeout = 0.1
    if certificate is not None:
        config.certfile = config.keyfile = str(certificate)
    over = asyncio.Event()
    serving = asyncio.create_task(hypercorn.asyncio.serve(app, config, shutdown_trigger=over.wait))
    await until(lambda: _listens(port))
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{port}"
    finally:
        over.set()
        await serving
        gc.collect()  # what it leaves open is complained about here, and not in a later test


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
