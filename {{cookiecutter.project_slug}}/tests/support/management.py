"""The routes of the operators' port, so that a test walks all of them, new ones included."""

from starlette.applications import Starlette
from starlette.routing import Route

from steadfast_service.app import Service
from steadfast_service.runtime.ops.browsers import BrowserGuard

TOKEN = "a-token-of-the-operators"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
READING = {"GET", "HEAD"}


def routes(service: Service) -> list[Route]:
    """Every one of them."""
    assert isinstance(service.management, BrowserGuard)
    assert isinstance(service.management.app, Starlette)
    return [one for one in service.management.app.routes if isinstance(one, Route)]


def documents(service: Service) -> list[str]:
    """The paths of those that answer JSON and need nothing in their path."""
    pages = ("/", "/metrics")
    return [
        one.path
        for one in routes(service)
        if "{" not in one.path and one.path not in pages and not one.path.startswith("/console/")
    ]


def changes(service: Service) -> list[tuple[str, str]]:
    """Method and path, filled in with a name, of everything that changes something."""
    return [
        (method, "/".join("1" if "{" in part else part for part in one.path.split("/")))
        for one in routes(service)
        for method in sorted((one.methods or set()) - READING)
    ]
