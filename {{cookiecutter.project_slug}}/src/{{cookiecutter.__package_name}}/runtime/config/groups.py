"""What settings are made of: branches of the tree, and the types of their leaves."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter

T = TypeVar("T")
# Marks what may change while the service runs: `level: Hot[Level]`. The rest waits for a restart.
HOT: Final = "hot"
Hot: TypeAlias = Annotated[T, HOT]

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
SecondsOrZero = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=1, le=65535)]
Level = Literal["debug", "info", "warning", "error"]
RouteName = Annotated[str, Field(pattern=r"^[A-Z]+ /\S*$")]
_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # of RFC 1123
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def _http_url(value: str) -> str:
    if value:
        _HTTP_URL.validate_python(value)
    return value


def _host_name(value: str) -> str:
    # A scheme or a port would never be equal to what a request has in its `Host`.
    name = value.removesuffix(".").lower()
    if not _HOST.fullmatch(name):
        raise ValueError("takes a host name such as ops.example.com, without scheme and port")
    return name


OptionalUrl = Annotated[str, AfterValidator(_http_url)]
HostName = Annotated[str, AfterValidator(_host_name)]


class Environment(StrEnum):
    """What kind of place this is; production refuses what is only safe elsewhere."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Group(BaseModel):
    """A branch of the tree: unknown names are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def unsafe(self, environment: Environment) -> Iterator[str]:
        """What must not be so in this environment, one line each with the variable's name."""
        yield from ()
