"""The databases of the store's tests."""

from ....integration.sql.conftest import database, postgres, postgres_url, server, url

__all__ = ["database", "postgres", "postgres_url", "server", "url"]
