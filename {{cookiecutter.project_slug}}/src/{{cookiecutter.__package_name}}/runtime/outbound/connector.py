"""aiohttp's pool of connections, with a limit for handshakes, and limits that change."""

import asyncio
import ssl
from typing import Any

import aiohttp
from aiohappyeyeballs import start_connection


class Connector(aiohttp.TCPConnector):
    """The pool of one dependency.

    aiohttp has one limit for connecting and shaking hands together. A peer that accepts and
    then says nothing is another failure than one that cannot be reached, and is told apart here.

    Args:
        tls_timeout: seconds for a TLS handshake.
    """

    def __init__(self, *, tls_timeout: float, **options: Any) -> None:
        super().__init__(**options)
        self._tls_timeout = tls_timeout

    def resize(self, *, limit: int, limit_per_host: int, keepalive_timeout: float) -> None:
        """Change the limits. Idle connections beyond them go now, others when they are free."""
        self._limit, self._limit_per_host = limit, limit_per_host
        self._keepalive_timeout = keepalive_timeout
        for key, idle in self._conns.items():
            while idle and self._surplus(key):
                idle.popleft()[0].close()  # the one used longest ago
        self._cleanup()  # and its next turn is after the new time
        for _ in range(sum(map(len, self._waiters.values()))):
            self._release_waiter()

    def _surplus(self, key: Any) -> bool:
        """Whether the host has more than it may; a dependency is one host, so that is all."""
        idle, busy = self._conns.get(key, ()), self._acquired_per_host.get(key, ())
        return len(idle) + len(busy) > self._limit_per_host

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        super()._release(key, protocol, should_close=should_close or self._surplus(key))

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[Any],
        req: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = self._tls_timeout
        try:
            async with asyncio.timeout(timeout.sock_connect):
                sock = await start_connection(
                    addr_infos,
                    happy_eyeballs_delay=self._happy_eyeballs_delay,
                    interleave=self._interleave,
                    loop=self._loop,
                )
            return await self._loop.create_connection(*args, **options, sock=sock)
        except ssl.SSLCertVerificationError as exc:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, exc) from exc
        except ssl.SSLError as exc:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, exc) from exc
        except TimeoutError:
            raise
        except OSError as exc:
            # The limit of the handshake says what it is, and has no number.
            known = exc if exc.strerror else OSError(exc.errno or 0, str(exc))
            raise client_error(req.connection_key, known) from exc
