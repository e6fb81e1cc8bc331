"""The version operation: touches nothing, answers always."""

from ..contract import models
from ..contract.api import VersionApi


class VersionHandler(VersionApi):
    """Says what runs here."""

    def __init__(self, *, name: str, version: str, commit: str) -> None:
        self._version = models.Version(name=name, version=version, commit=commit)

    async def get_version(self) -> models.Version:
        return self._version
