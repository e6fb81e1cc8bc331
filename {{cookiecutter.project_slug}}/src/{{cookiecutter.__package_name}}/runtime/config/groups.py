"""What settings are made of: branches of the tree, and the types of their leaves."""

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


def _http_url(value: str) -> str:
    if value:
        _HTTP_URL.validate_python(value)
    return value


OptionalUrl = Annotated[str, AfterValidator(_http_url)]


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
