"""What one feature flag says, as a branch of the settings."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from ..config.groups import Group

# One spelling everywhere: in code, as a key, and as a variable (APP_FLAGS__NEW_CHECKOUT), which
# has room for neither a hyphen nor two underscores in a row.
FlagName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]  # RFC 9110
HeaderValue = Annotated[str, Field(pattern=r"^[ -~]+$")]


class Flag(Group):
    """Who has the feature: whoever is named, and a share of all others.

    Headers are for trying a feature out. They are no permission: anyone can send one.
    """

    enabled: bool = False  # off for everybody, whatever the rest says
    # By the stable key, see `bucketing.py`. To be said where some are named: 0 is them alone.
    percentage: float = Field(100.0, ge=0, le=100, allow_inf_nan=False)
    # On for a request with a header that is one of these values; the name in any case.
    headers: Mapping[HeaderName, tuple[HeaderValue, ...]] = {}
    # On for a caller whose verified token has one of these values, or a list with one of them;
    # numbers and booleans as JSON writes them.
    claims: Mapping[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _others_are_decided(self) -> Self:
        # The default would release to everybody what was to be tried by a few.
        if (self.headers or self.claims) and "percentage" not in self.model_fields_set:
            raise ValueError("percentage is needed beside headers and claims; 0 for them alone")
        return self
