"""`python -m tools.drill.bare`: the same routes as plain FastAPI on plain uvicorn.

No chain: no deadline, no limit on requests in flight, no shedding. For comparison.
"""

import asyncio
import importlib
from contextlib import aclosing

import uvicorn
import uvloop

from ..package import PACKAGE


async def main() -> None:
    """Serve on the ports of the settings until a signal."""
    settings_of = importlib.import_module(f"{PACKAGE}.settings").open_settings
    app = importlib.import_module(f"{PACKAGE}.app")
    phase = importlib.import_module(f"{PACKAGE}.runtime.health").Phase
    async with (
        aclosing(await settings_of()) as opened,
        app.open_service(opened, app.open_logs(opened)) as service,
    ):
        settings = opened.settings
        service.health.phase = phase.SERVING
        config = uvicorn.Config(
            service.api,
            host=settings.http.host,
            port=settings.http.port,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
