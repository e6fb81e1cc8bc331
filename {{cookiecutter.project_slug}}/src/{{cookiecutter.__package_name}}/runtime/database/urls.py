"""What a database URL may say."""

from sqlalchemy import exc, make_url
from sqlalchemy.engine import URL

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
# Of a PostgreSQL URL; anything else the driver would only refuse when it connects.
PARAMETERS = frozenset({"ssl", "passfile", "target_session_attrs", "prepared_statement_cache_size"})


def parse_url(url: str) -> URL:
    """A database URL with the asynchronous driver filled in.

    Raises:
        ValueError: not a URL, or a database that is not supported here.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):  # its own words may show a part of the password
        raise ValueError("not a database URL") from None
    driver = DRIVERS.get(parsed.drivername, parsed.drivername)
    if driver not in DRIVERS.values():
        raise ValueError(f"{parsed.drivername} is not supported, use sqlite or postgresql")
    if driver == DRIVERS["sqlite"]:
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("the database URL names no file")
        return parsed.set(drivername=driver)
    if not parsed.host:
        raise ValueError("the database URL names no host")
    if parsed.port is not None and not 1 <= parsed.port <= 65535:
        raise ValueError(f"the database URL has port {parsed.port}, ports go from 1 to 65535")
    # The driver's name for what every provider's URL calls sslmode.
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    if unknown := query.keys() - PARAMETERS:
        raise ValueError(f"the database URL has a parameter {min(unknown)}, which is not supported")
    return parsed.set(drivername=driver, query=query)
