"""What the running service says of itself: its `/openapi.json`."""

import asyncio
import importlib
import tempfile
from contextlib import aclosing
from pathlib import Path

import httpx

from .document import Json, Refusal


def fetched(url: str) -> Json:
    """From a service that runs somewhere. Raises `Refusal` when there is no such thing."""
    try:
        response = httpx.get(url, timeout=10).raise_for_status()
        return response.json()
    except (httpx.HTTPError, ValueError) as exc:
        raise Refusal("", f"{url}: {exc}") from None


def described(package: str) -> Json:
    """From this code: the service is opened, asked over its own routes, and closed."""
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        return asyncio.run(_asked(package, Path(folder)))


async def _asked(package: str, folder: Path) -> Json:
    app = importlib.import_module(f"{package}.app")
    settings = importlib.import_module(f"{package}.settings")
    # Beside a service that may run here already, and without its log.
    own = {
        "database": {"url": f"sqlite:///{folder / 'drift.db'}"},
        "auth": {"sandbox_port": 0},
        "log": {"level": "error"},
    }
    groups = {name: own[name] for name in own.keys() & settings.Settings.model_fields.keys()}
    async with (
        aclosing(await settings.open_settings(groups)) as config,
        app.open_service(config, app.open_logs(config)) as service,
    ):
        transport = httpx.ASGITransport(service.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return (await client.get("/openapi.json")).raise_for_status().json()
