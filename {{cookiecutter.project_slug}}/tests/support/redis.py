"""A real Redis server, of our own and for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import free_port
from .server import ServerProcess, program


class RedisServer(ServerProcess):
    """It may be stopped and started; it keeps nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "redis.log")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        found = program("redis-server", "REQUIRE_REDIS")
        self._command = [found, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]

    def start(self) -> None:
        self.run(self._command)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A running server; without one the test skips, or fails where it must run."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
