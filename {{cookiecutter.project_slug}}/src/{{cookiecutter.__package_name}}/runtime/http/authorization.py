"""What a caller shows for an operation, and the two ways to refuse it (RFC 6750)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from .problems import Problem


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller showed for one operation of the contract.

    Attributes:
        scheme: its name in the contract's `securitySchemes`.
        value: what was shown; of a bearer token without `Bearer `. Not part of the `repr`.
        scopes: that this operation asks for.
    """

    scheme: str
    value: str = field(repr=False)  # a credential in a log or traceback is an incident of its own
    scopes: tuple[str, ...]


# Passes by returning. Refuses by raising what `unauthenticated` or `forbidden` make.
Authorize = Callable[[Credential], Awaitable[None]]


def unauthenticated(error: str = "", description: str = "", kind: str = "Bearer") -> Problem:
    """A 401 with its challenge.

    Args:
        kind: the scheme that is asked for.
        error: `invalid_token`, or empty when no credential was shown: such a caller gets
            no error code.
        description: one sentence for the caller, without quotes or backslashes.
    """
    challenge = f'{kind} realm="service"'
    if error:
        challenge += f', error="{error}", error_description="{description}"'
    detail = description or "This operation needs a credential."
    return Problem(401, detail, headers={"WWW-Authenticate": challenge})


def forbidden(scopes: Sequence[str]) -> Problem:
    """A 403 for a caller who is known and lacks some of these scopes."""
    challenge = f'Bearer realm="service", error="insufficient_scope", scope="{" ".join(scopes)}"'
    detail = f"This operation needs the scope {' and '.join(scopes)}."
    return Problem(403, detail, headers={"WWW-Authenticate": challenge})
