"""What speedscope reads, written down from its schema: a `sampled` profile in a file."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Index = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Frame(_Strict):
    name: str
    file: str | None = None
    line: int | None = None
    col: int | None = None


class _Shared(_Strict):
    frames: list[_Frame]


class _Sampled(_Strict):
    type: Literal["sampled"]
    name: str
    unit: Literal["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]
    start_value: Annotated[float, Field(alias="startValue")]
    end_value: Annotated[float, Field(alias="endValue")]
    samples: list[list[Index]]
    weights: list[Annotated[float, Field(ge=0)]]


class _File(_Strict):
    schema_: Annotated[
        Literal["https://www.speedscope.app/file-format-schema.json"], Field(alias="$schema")
    ]
    shared: _Shared
    profiles: list[_Sampled]
    name: str | None = None
    active_profile_index: Annotated[int | None, Field(alias="activeProfileIndex")] = None
    exporter: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "_File":
        for one in self.profiles:
            if len(one.samples) != len(one.weights):
                raise ValueError("not one weight for each sample")
            if any(index >= len(self.shared.frames) for stack in one.samples for index in stack):
                raise ValueError("a frame that is not there")
        return self


def assert_speedscope(content: Any) -> None:
    """Fails with what is wrong in it."""
    _File.model_validate(content)
