"""What an operation takes and how it ends, as the generated code declares it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

R = TypeVar("R")
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One declared way for an operation to end: `status`, `body` and the headers as fields."""

    media: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        python: its name in the handler.
        location: `path`, `query`, `header` or `cookie`.
        name: in HTTP; of a header, in lower case.
        type: what its value is checked against; anything pydantic takes.
        default: what an optional one is taken for when it is absent, as JSON; None: not there.
        style, explode: its spelling, as in OpenAPI; `json` for a JSON text.
    """

    python: str
    location: str
    name: str
    type: Any
    required: bool = False
    default: Any = None
    style: str = "simple"
    explode: bool = False
    description: str = ""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """One header of an answer; `python` is the result's field."""

    python: str
    name: str
    type: Any
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: a type per media type.

    Attributes:
        styles: of a form's fields that are not plain text: `json` or `deepObject`.
    """

    content: Mapping[str, Any]
    required: bool = True
    description: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of the contract.

    Attributes:
        content: a type per media type; empty when there is no body.
        results: the classes that a handler returns for it; none where it returns the body.
    """

    description: str
    content: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()
    results: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """A security scheme; `definition` is its OpenAPI object."""

    name: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Need:
    """What a caller must show, and with which scopes."""

    scheme: Scheme
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation(Generic[R]):
    """One operation of the contract; `R` is what its handler returns.

    Attributes:
        answers: by status: a number, a range (`4XX`) or `default`.
        security: alternatives, one of which must hold; empty when anyone may call.
        optional_security: a caller may also show nothing.
        deadline: the operation's own, in seconds; None for the server's.
        key_route: its log records are sampled as those of a key route.
        critical: under load it is refused last.
        stream: its answer has no fixed end; the handler is an async iterator of bytes.
    """

    id: str
    method: str
    path: str
    answers: Mapping[str, Answer]
    tag: str = "default"
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    security: tuple[Need, ...] = ()
    optional_security: bool = False
    deadline: float | None = None
    key_route: bool = False
    critical: bool = False
    stream: bool = False

    @property
    def route(self) -> str:
        """`METHOD /path`, as settings name it."""
        return f"{self.method} {self.path}"

    def answer_key(self, status: int) -> str | None:
        """Which of `answers` a status is: its own, its range's, the default, or none."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.answers:
                return key
        return None


def media_key(content: Mapping[str, Any], media: str) -> str | None:
    """Which of the declared media types one is: itself, its range (`image/*`), any, or none."""
    for key in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if key in content:
            return key
    return None
