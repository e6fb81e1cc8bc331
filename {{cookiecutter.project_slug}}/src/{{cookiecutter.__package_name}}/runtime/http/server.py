"""The process's life: both listeners on one event loop, the signals, the drain.

At the first SIGTERM readiness fails while traffic is still served, with `Connection: close`
so that clients with kept connections move on. After the drain delay the listener closes,
requests in flight finish within the grace, then everything else closes. A second signal,
or the end of the grace, cuts what is left and says how much that was.
"""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp

from ..errors import StartupError
from ..health import Health, Phase
from .slow_clients import SlowClients

# uvicorn looks for the end every 0.1 s; after a cut its own steps get this long.
CUT_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen; `setting` is the group of variables to change when that is impossible."""

    host: str
    port: int
    setting: str

    @property
    def url(self) -> str:
        """For people."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Times in seconds; `keep_alive` must exceed the load balancer's idle timeout."""

    service: Endpoint
    management: Endpoint
    drain_delay: float
    grace: float
    keep_alive: int
    trusted_proxies: tuple[str, ...] = ()


class Service(Protocol):
    """What the composition root hands over."""

    @property
    def app(self) -> ASGIApp: ...
    @property
    def management(self) -> ASGIApp: ...
    @property
    def health(self) -> Health: ...


def bind(endpoint: Endpoint) -> socket.socket:
    """A listening socket, or one clear line about why there is none."""
    where = f"{endpoint.host}:{endpoint.port}"
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        return socket.create_server((endpoint.host, endpoint.port), family=family, backlog=2048)
    except OSError as exc:
        in_use = exc.errno == errno.EADDRINUSE
        reason = "is in use" if in_use else f"cannot be bound: {exc.strerror}"
        no_host = isinstance(exc, socket.gaierror) or exc.errno == errno.EADDRNOTAVAIL
        wrong = f"{endpoint.setting}__{'HOST' if no_host else 'PORT'}"
        raise StartupError(f"{where} {reason} (set {wrong})") from exc


class Listener(uvicorn.Server):
    """uvicorn without its signals: the process has one owner, and it is not the listener."""

    def __init__(self, app: ASGIApp, options: ServerOptions) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=SlowClients,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(options.trusted_proxies),
                forwarded_allow_ips=list(options.trusted_proxies),
                timeout_keep_alive=options.keep_alive,
            )
        )
        self.up = asyncio.Event()
        self.over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self.over.set()

    def close_connections_politely(self) -> None:
        """From now on every response asks its client to open its next connection elsewhere."""
        close = (b"connection", b"close")
        self.config.encoded_headers = [*self.config.encoded_headers, close]
        self.server_state.default_headers = [*self.server_state.default_headers, close]

    def cut(self) -> int:
        """End what is in flight; returns how many requests that were."""
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        self.force_exit = True
        return len(tasks)


@asynccontextmanager
async def listening(
    app: ASGIApp, sock: socket.socket, options: ServerOptions
) -> AsyncIterator[Listener]:
    """A running listener; ended at once on the way out if it is not over by then."""
    listener = Listener(app, options)
    task = asyncio.create_task(listener.serve(sockets=[sock]))
    try:
        await listener.up.wait()
        yield listener
    finally:
        listener.should_exit = listener.force_exit = True
        await asyncio.wait({task}, timeout=CUT_TIMEOUT)
        task.cancel()


@asynccontextmanager
async def loopback(app: ASGIApp, port: int = 0, setting: str = "") -> AsyncIterator[str]:
    """Serve `app` on this machine alone, on a free port unless one is given; yields its URL."""
    sock = bind(Endpoint("127.0.0.1", port, setting))
    here = Endpoint("127.0.0.1", sock.getsockname()[1], setting)
    options = ServerOptions(here, here, drain_delay=0, grace=0, keep_alive=75)
    async with listening(app, sock, options):
        yield here.url


class Signals:
    """SIGTERM and SIGINT: the first asks to drain, the next to end at once.

    Before serving and while closing there is nothing to drain: a signal then interrupts.
    """

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.now = asyncio.Event()
        self.interrupt: Callable[[], object] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.now if self.drain.is_set() else self.drain).set()
        if self.interrupt is not None:
            self.interrupt()


async def run(
    open_service: Callable[[], AbstractAsyncContextManager[Service]], options: ServerOptions
) -> int:
    """Serve until a signal ends it. Returns the exit code: 0, or 1 if something was cut.

    Raises:
        StartupError: it never came to serving.
    """
    began = time.perf_counter()
    task = asyncio.current_task()
    assert task is not None
    signals = Signals()
    signals.interrupt = task.cancel
    log = structlog.get_logger().bind(logger="server")
    cut = 0
    try:
        with bind(options.service) as front, bind(options.management) as back:
            async with open_service() as service:
                async with (
                    listening(service.management, back, options),
                    listening(service.app, front, options) as listener,
                ):
                    signals.interrupt = None
                    gc.collect()
                    gc.enable()
                    gc.freeze()  # what start-up made stays: full collections skip it
                    service.health.phase = Phase.SERVING
                    log.info(
                        "serving",
                        url=options.service.url,
                        management=options.management.url,
                        start_seconds=round(time.perf_counter() - began, 3),
                    )
                    await signals.drain.wait()
                    service.health.phase = Phase.DRAINING
                    cut = await _drain(listener, options, signals)
                signals.interrupt = task.cancel
    except asyncio.CancelledError:
        if not signals.drain.is_set():
            raise
        task.uncancel()
        log.warning("interrupted")
        return 1
    log.info("stopped", cut=cut)
    return 1 if cut else 0


async def _drain(listener: Listener, options: ServerOptions, signals: Signals) -> int:
    """Serve on for the drain delay, close the listener, let the rest finish; what was cut."""
    log = structlog.get_logger().bind(logger="server")
    log.info("draining", drain_delay=options.drain_delay, grace=options.grace)
    listener.close_connections_politely()
    await _unless(signals.now, options.drain_delay)
    listener.should_exit = True
    over = asyncio.ensure_future(listener.over.wait())
    now = asyncio.ensure_future(signals.now.wait())
    await asyncio.wait({over, now}, timeout=options.grace, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (over, now):
        waiting.cancel()
    if listener.over.is_set():
        return 0
    cut = listener.cut()
    if cut:
        reason = "second signal" if signals.now.is_set() else "grace ran out"
        log.error("requests cut", requests=cut, reason=reason)
    await _unless(listener.over, CUT_TIMEOUT)
    return cut


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until the event."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
