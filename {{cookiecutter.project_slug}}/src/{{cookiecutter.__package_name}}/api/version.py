"""The version operation: touches nothing, answers always."""

from fastapi import APIRouter

from .schemas import Version


class VersionApi:
    """Says what runs here."""

    def __init__(self, *, name: str, version: str, commit: str) -> None:
        self._version = Version(name=name, version=version, commit=commit)

    def register(self, router: APIRouter) -> None:
        """Add the route."""
        router.add_api_route(
            "/api/version",
            self.get,
            methods=["GET"],
            tags=["version"],
            operation_id="getVersion",
            summary="What runs here",
        )

    async def get(self) -> Version:
        """Name, version and commit of this service."""
        return self._version
