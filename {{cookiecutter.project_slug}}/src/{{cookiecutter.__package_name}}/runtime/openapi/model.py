"""The base of every generated model."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Fields go by their Python names in code and by the contract's names in JSON.

    Absent and null are different things: an optional field that was not sent is `MISSING`.
    """

    model_config = ConfigDict(
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
