"""What a database error means to the request that met it."""

from sqlalchemy import exc

from ..deadlines import DeadlineExceeded
from ..errors import DependencyUnavailable

QUERY_CANCELED = "57014"
# SQLSTATE classes: connection, transaction lost to another, resources, intervention, system.
UNAVAILABLE = ("08", "40", "53", "55", "57", "58")
# SQLite: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL. Not ERROR, which is
# a mistake in a statement.
SQLITE_UNAVAILABLE = frozenset({5, 6, 7, 8, 10, 13, 14, 15})


class ConnectionLost(DependencyUnavailable):
    """The connection broke.

    Attributes:
        sent: some of the transaction may have reached the server, and may have been done.
    """

    def __init__(self, dependency: str, reason: str, *, sent: bool) -> None:
        super().__init__(dependency, reason)
        self.sent = sent


def failure(error: exc.DBAPIError, *, sent: bool) -> Exception | None:
    """What to raise in place of `error`; None for a mistake of ours, which stays as it is."""
    state: str = getattr(error.orig, "sqlstate", None) or ""
    reason = f"{error.orig}"
    if state == QUERY_CANCELED:
        return DeadlineExceeded("the database")
    if error.connection_invalidated:
        return ConnectionLost("database", reason, sent=sent)
    code: int = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the primary one
    if state.startswith(UNAVAILABLE) or code in SQLITE_UNAVAILABLE:
        return DependencyUnavailable("database", reason)
    return None
