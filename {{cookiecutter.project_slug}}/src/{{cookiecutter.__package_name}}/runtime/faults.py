"""What a fault is that somebody injects on purpose; `active_faults.py` has those that are on."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from .config.groups import Group, Seconds, SecondsOrZero


def _error_status(value: int) -> int:
    if value and not 400 <= value <= 599:
        raise ValueError("an error status, 400 to 599, or 0 for none")
    return value


class Fault(Group):
    """What to do to which requests, or to which calls of a dependency."""

    route: str = Field("", pattern=r"^([A-Z]+ /\S*)?$")  # "GET /api/orders/{id}"; empty: all
    dependency: str = ""  # calls to it instead of requests
    percentage: float = Field(100.0, gt=0, le=100, allow_inf_nan=False)
    delay: SecondsOrZero = 0.0  # before anything else; deadlines run meanwhile
    abort_status: Annotated[int, AfterValidator(_error_status)] = 0  # answered instead
    body_delay: SecondsOrZero = 0.0  # before each part of the response's body
    fail: bool = False  # the dependency's call ends as if nobody listened
    expires_in: Seconds = 600.0  # after which it is off, forgotten or not

    @model_validator(mode="after")
    def _does_something_to_one_kind(self) -> Self:
        of_requests = self.route or self.abort_status or self.body_delay
        if self.dependency and of_requests:
            raise ValueError("a dependency's fault has delay and fail only; the rest is a route's")
        if self.fail and not self.dependency:
            raise ValueError("fail needs the dependency whose calls are to fail")
        if not (self.delay or self.abort_status or self.body_delay or self.fail):
            raise ValueError("a fault needs one of delay, abort_status, body_delay and fail")
        return self

    @property
    def mark(self) -> str:
        """What it does, as logs, spans and the response's header say it."""
        whose = [f"dependency={self.dependency}"] if self.dependency else []
        return ";".join([*whose, *(f"{name}={value:g}" for name, value in self.effects.items())])

    @property
    def effects(self) -> dict[str, float]:
        """What it does and how much; `fail` is 1."""
        found = {
            "delay": self.delay,
            "abort": self.abort_status,
            "body_delay": self.body_delay,
            "fail": int(self.fail),
        }
        return {name: value for name, value in found.items() if value}
