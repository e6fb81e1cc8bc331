"""The contract, read: operations with everything in its place, schemas under their names."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .document import Json
from .schemas import Schemas


@dataclass(kw_only=True)
class Parameter:
    """One parameter; `python` is its name in the handler."""

    pointer: str
    name: str
    location: str
    required: bool
    schema: Json
    style: str
    explode: bool
    description: str = ""
    deprecated: bool = False
    component: str = ""
    python: str = ""


@dataclass(kw_only=True)
class Header:
    """One header of a response."""

    pointer: str
    name: str
    required: bool
    schema: Json
    description: str = ""
    component: str = ""


@dataclass(kw_only=True)
class Answer:
    """One response; `status` is a number, a range such as 4XX, or default."""

    pointer: str
    status: str
    description: str
    headers: list[Header]
    content: dict[str, Json]
    is_error: bool
    component: str = ""

    @property
    def is_problem(self) -> bool:
        """Said by raising a problem, and not by returning something."""
        return self.is_error and list(self.content) == ["application/problem+json"]


@dataclass(kw_only=True)
class Operation:
    """One operation; `python` is its method's name, `tag` the class it belongs to."""

    pointer: str
    method: str
    path: str
    id: str
    python: str
    tag: str
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    parameters: list[Parameter] = field(default_factory=list)
    body: dict[str, Json] = field(default_factory=dict)
    body_encoding: dict[str, str] = field(default_factory=dict)
    body_required: bool = False
    body_description: str = ""
    answers: list[Answer] = field(default_factory=list)
    security: list[dict[str, list[str]]] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)


@dataclass
class Contract:
    """What is generated from, and what is compared."""

    document: Json
    schemas: Schemas
    operations: list[Operation]
    security_schemes: dict[str, Json]


def media_type(name: str) -> str:
    """Without its parameters."""
    return name.partition(";")[0].strip().lower()


def is_json(media: str) -> bool:
    """JSON, by name or by suffix."""
    return media_type(media) == "application/json" or media_type(media).endswith("+json")


def is_form(media: str) -> bool:
    """What a browser sends."""
    return media_type(media) in ("application/x-www-form-urlencoded", "multipart/form-data")


def by_tag(operations: list[Operation]) -> Iterator[tuple[str, list[Operation]]]:
    """Operations under their tag, in the order of their first one."""
    for tag in dict.fromkeys(operation.tag for operation in operations):
        yield tag, [operation for operation in operations if operation.tag == tag]
