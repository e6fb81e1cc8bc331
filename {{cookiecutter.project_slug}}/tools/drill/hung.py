"""`python -m tools.drill.hung serve`: the service, with a shutdown hook that never ends."""

import asyncio
import importlib
from types import TracebackType
from typing import Any

from ..package import PACKAGE

Closing: Any = importlib.import_module(f"{PACKAGE}.runtime.shutdown").Closing


class HungClosing(Closing):  # type: ignore[misc]  # the package has a name at run time only
    """Hangs first, so that all the others still have to close."""

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.add("hung hook", asyncio.Event().wait)
        await super().__aexit__(kind, exc, tb)


if __name__ == "__main__":
    app: Any = importlib.import_module(f"{PACKAGE}.app")
    app.Closing = HungClosing
    importlib.import_module(f"{PACKAGE}.__main__").cli(prog_name=PACKAGE)
