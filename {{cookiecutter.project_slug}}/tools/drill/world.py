"""A service with everything it needs, each part of it real and in reach of the drill."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ..package import PACKAGE, dependencies, groups
from .payments import read_book
from .postgres import Postgres
from .processes import HOST, START_LIMIT, Process, free_port, listens, python, until
from .proxy import Proxy, proxy
from .service import Service, environment, migrate, serving, token
from .store import MemoryStore, PostgresStore, SqliteStore, Store

NOWHERE = f"http://{HOST}:1"


class Payments:
    """The payments service, as a process that can be killed, and the way to it."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.port = free_port()
        self.book = folder / "payments.book"
        self.process: Process
        self.way: Proxy

    async def start(self) -> None:
        """Until it accepts calls."""
        words = ("-m", "tools.drill.payments", str(self.port), str(self.book))
        running = python("payments", *words, folder=self._folder)
        self.process = await self._stack.enter_async_context(running)
        await until(lambda: listens(self.port), START_LIMIT, "payments listens")

    def decided(self) -> dict[str, list[bool]]:
        """Every decision, by order."""
        return read_book(self.book)


class World:
    """The parts of one drill; `database_way` is None where it is not to be broken."""

    def __init__(
        self, folder: Path, server: Postgres | None, template: str, *, proxied: bool
    ) -> None:
        self.folder = folder
        self.server = server
        self._template = template
        self._proxied = proxied
        self.headers: Mapping[str, str] = {}
        self.env: dict[str, str] = {}
        self.payments: Payments
        self.service: Service
        self.store: Store
        self.database_way: Proxy | None = None
        self._starting: asyncio.Task[None]

    @property
    def volatile(self) -> bool:
        """Whether its orders end with the service."""
        return "database" not in groups()

    async def open(
        self, stack: AsyncExitStack, settings: Mapping[str, str], others: Mapping[str, str]
    ) -> None:
        """Start all that the service needs, and say in `env` where it is."""
        # Production asks for every address; only payments is called under this load.
        made = {f"DEPENDENCIES__{name.upper()}__URL": NOWHERE for name in dependencies()}
        self.payments = Payments(self.folder, stack)
        self._starting = asyncio.create_task(self.payments.start())
        self.payments.way = await stack.enter_async_context(proxy(self.payments.port))
        made["DEPENDENCIES__PAYMENTS__URL"] = f"http://{HOST}:{self.payments.way.port}"
        if "database" in groups():
            made["DATABASE__URL"] = await self._database(stack)
        if "auth" in groups():
            made |= await self._issuer(stack)
        self.env = environment(made | dict(settings), others)
        if "database" in groups() and self.server is None:
            await migrate(self.env, self.folder)

    async def _database(self, stack: AsyncExitStack) -> str:
        if self.server is None:
            path = self.folder / "orders.db"
            self.store = SqliteStore(path)
            return f"sqlite:///{path}"
        name = await self.server.fresh(self._template)
        self.store = PostgresStore(self.server, name)
        if not self._proxied:
            return self.server.url(name)
        self.database_way = await stack.enter_async_context(proxy(self.server.port))
        return self.server.url(name, self.database_way.port)

    async def _issuer(self, stack: AsyncExitStack) -> dict[str, str]:
        """A sandbox issuer here: outside development the service brings none of its own."""
        issuing = importlib.import_module(f"{PACKAGE}.runtime.auth.sandbox_issuer")
        loopback = importlib.import_module(f"{PACKAGE}.runtime.http.server").loopback
        settings = importlib.import_module(f"{PACKAGE}.settings")
        port = free_port()
        issuer = f"http://{HOST}:{port}"
        app = issuing.SandboxIssuer(issuer, settings.Auth().audience).app()
        await stack.enter_async_context(loopback(app, port))
        self.headers = {"Authorization": f"Bearer {await token(issuer)}"}
        return {"AUTH__ISSUER": issuer, "AUTH__JWKS_URL": issuer + issuing.JWKS_PATH}

    @asynccontextmanager
    async def serving(
        self,
        *,
        words: tuple[str, ...] = ("-m", PACKAGE, "serve"),
        stdout: int | None = None,
        core: int | None = None,
    ) -> AsyncIterator[Service]:
        """The service itself, as `service.serving` has it; may be started again."""
        async with serving(self.env, self.folder, words=words, stdout=stdout, core=core) as service:
            await self._starting
            service.client.headers.update(self.headers)
            if self.volatile:
                self.store = MemoryStore(service.client)
            self.service = service
            yield service
