"""`python -m tools.drill.payments PORT BOOK`: the sandbox of the payments service, with a book.

It is a process of its own, so that it can be killed. Each authorization that it decides is
one line of the book (order, approved), written before its caller hears of it.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..package import PACKAGE
from .processes import HOST


class Booked:
    """Writes down what the application answers."""

    def __init__(self, app: ASGIApp, book: int) -> None:
        self._app = app
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = bytearray()

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            if message["type"] == "http.response.body" and asked:
                answer: dict[str, Any] = orjson.loads(message["body"])
                line = (orjson.loads(asked)["order_id"], answer.get("approved"))
                os.write(self._book, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            await send(message)

        await self._app(scope, hear, say)


def read_book(path: Path) -> dict[str, list[bool]]:
    """What was decided, by order."""
    decided: dict[str, list[bool]] = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        order, approved = orjson.loads(line)
        decided.setdefault(order, []).append(approved)
    return decided


def main(port: int, book: Path) -> None:
    """Serve it."""
    app = importlib.import_module(f"{PACKAGE}.gateways.sandbox").sandbox_app()
    descriptor = os.open(book, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    uvicorn.run(
        Booked(app, descriptor),
        host=HOST,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=300,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
