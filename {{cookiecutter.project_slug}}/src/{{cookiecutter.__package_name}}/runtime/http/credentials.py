"""Finds what a caller shows for an operation, and has it verified by the `authorize` hook."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import cookie_parser
from starlette.types import Scope

from ..openapi.operation import Need, Operation
from .authorization import Authorize, Credential, unauthenticated

Find = Callable[[Scope], str | None]


class Credentials:
    """The security of one operation: alternatives, the first one shown counts."""

    def __init__(self, operation: Operation[Any], authorize: Authorize | None) -> None:
        if authorize is None:
            raise TypeError(f"{operation.id} asks for credentials: build_router needs authorize")
        self._authorize = authorize
        self._ways = [(need, _finder(need)) for need in operation.security]
        self._optional = operation.optional_security
        self._kind = _kind(operation.security[0])

    async def verify(self, scope: Scope) -> None:
        """Raises a 401 problem when nothing is shown; what the hook raises goes on."""
        for need, find in self._ways:
            value = find(scope)
            if value is not None:
                await self._authorize(Credential(need.scheme.name, value, need.scopes))
                return
        if not self._optional:
            raise unauthenticated(kind=self._kind)


def _kind(need: Need) -> str:
    """Its name in `WWW-Authenticate`; an API key has no registered one."""
    definition = need.scheme.definition
    if definition["type"] == "apiKey":
        return "ApiKey"
    return "Basic" if definition.get("scheme", "").lower() == "basic" else "Bearer"


def _finder(need: Need) -> Find:
    definition = need.scheme.definition
    if definition["type"] == "apiKey":
        return _key_finder(definition["in"], definition["name"])
    return _basic if _kind(need) == "Basic" else _bearer


def _header(scope: Scope, name: bytes) -> str | None:
    found = [value for key, value in scope["headers"] if key == name]
    # Two of them: whoever reads the other one would see another caller.
    return found[0].decode("latin-1") if len(found) == 1 else None


def _authorization(scope: Scope, kind: str) -> str | None:
    scheme, _, value = (_header(scope, b"authorization") or "").partition(" ")
    return value.strip() or None if scheme.lower() == kind else None


def _bearer(scope: Scope) -> str | None:
    return _authorization(scope, "bearer")


def _basic(scope: Scope) -> str | None:
    """`user:password`, decoded."""
    value = _authorization(scope, "basic")
    try:
        return base64.b64decode(value, validate=True).decode() if value else None
    except ValueError:  # no base64, or not of UTF-8
        return None


def _key_finder(place: str, name: str) -> Find:
    if place == "header":
        wire = name.lower().encode()
        return lambda scope: _header(scope, wire)
    if place == "query":
        return lambda scope: parse_qs(scope["query_string"].decode("latin-1")).get(name, [None])[-1]
    return lambda scope: cookie_parser(_header(scope, b"cookie") or "").get(name)
