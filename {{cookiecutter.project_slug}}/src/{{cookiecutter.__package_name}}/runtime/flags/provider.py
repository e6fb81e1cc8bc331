"""OpenFeature's provider over the flags in force."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from ..context import current
from .flag import Flag
from .rule import Rule

T = TypeVar("T")
Structure = Sequence[FlagValueType] | Mapping[str, FlagValueType]
NAME = "settings"


class SettingsProvider(AbstractProvider):
    """Answers from memory, without waiting: the synchronous and the other calls cost the same.

    Flags are booleans, their variants `on` and `off`. The headers and the claims are those of
    the current request; the key is the context's targeting key, or else the caller's `sub`.
    What cannot be decided is the default of the calling code, with the reason why.
    """

    def __init__(self) -> None:
        super().__init__()
        self._flags: Mapping[str, Flag] = {}
        self._rules: Mapping[str, Rule] = {}

    def update(self, /, **flags: Flag) -> None:
        """Put these flags in force instead of those before; subscribers hear what changed."""
        before, self._flags = self._flags, flags
        self._rules = {name: Rule(name, flag) for name, flag in flags.items()}
        changed = [
            name for name in before.keys() | flags.keys() if before.get(name) != flags.get(name)
        ]
        if changed:
            details = ProviderEventDetails(flags_changed=sorted(changed))
            self.emit_provider_configuration_changed(details)

    def __contains__(self, name: object) -> bool:
        """Whether there is a flag of this name."""
        return name in self._rules

    def get_metadata(self) -> Metadata:
        return Metadata(NAME)

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        rule = self._rules.get(flag_key)
        if rule is None:
            return _failed(default_value, ErrorCode.FLAG_NOT_FOUND)
        state = current.get()
        headers = state.headers if state is not None else ()
        claims = (state.principal if state is not None else None) or {}
        given = evaluation_context.targeting_key if evaluation_context is not None else None
        decision = rule.decide(headers, claims, _key(given, claims.get("sub")))
        if decision is None:
            return _failed(default_value, ErrorCode.TARGETING_KEY_MISSING)
        variant = "on" if decision.on else "off"
        return FlagResolutionDetails(decision.on, reason=decision.reason, variant=variant)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        return self._no_boolean(flag_key, default_value)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        return self._no_boolean(flag_key, default_value)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        return self._no_boolean(flag_key, default_value)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Structure,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Structure]:
        return self._no_boolean(flag_key, default_value)

    def _no_boolean(self, flag_key: str, default_value: T) -> FlagResolutionDetails[T]:
        known = flag_key in self._rules
        code = ErrorCode.TYPE_MISMATCH if known else ErrorCode.FLAG_NOT_FOUND
        return _failed(default_value, code)


def _failed(default_value: T, code: ErrorCode) -> FlagResolutionDetails[T]:
    return FlagResolutionDetails(default_value, error_code=code, reason=Reason.ERROR)


def _key(*candidates: object) -> str | None:
    """The first that can be one; whoever shares an empty key would share their fate."""
    return next((one for one in candidates if isinstance(one, str) and one), None)
