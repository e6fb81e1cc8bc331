"""One flag, ready to be asked many times."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from openfeature.flag_evaluation import Reason

from .bucketing import within
from .flag import Flag

Headers = Sequence[tuple[bytes, bytes]]
Claims = Mapping[str, Any]


class Decision(NamedTuple):
    """Whether the feature is on, and why."""

    on: bool
    reason: Reason


class Rule:
    """Decides for one flag. Everything that can be prepared is prepared here."""

    def __init__(self, name: str, flag: Flag) -> None:
        self._name = name
        self._flag = flag
        self._claims = {claim: frozenset(values) for claim, values in flag.claims.items()}
        self._headers: dict[bytes, set[bytes]] = {}
        for header, values in flag.headers.items():
            wanted = self._headers.setdefault(header.lower().encode(), set())
            wanted.update(value.encode() for value in values)
        self._unnamed = Reason.DEFAULT if self._headers or self._claims else Reason.STATIC

    def decide(self, headers: Headers, claims: Claims, key: str | None) -> Decision | None:
        """Whether it is on for this request; None where only a key could say so.

        Args:
            headers: as ASGI has them, names in lower case.
            claims: of the verified token.
            key: that stands for the same customer or caller again and again.
        """
        flag = self._flag
        if not flag.enabled:
            return Decision(False, Reason.DISABLED)
        if self._asks_for_it(headers) or self._is_named(claims):
            return Decision(True, Reason.TARGETING_MATCH)
        if flag.percentage in (0, 100):
            return Decision(flag.percentage == 100, self._unnamed)
        if key is None:
            return None
        return Decision(within(flag.percentage, self._name, key), Reason.SPLIT)

    def _asks_for_it(self, headers: Headers) -> bool:
        wanted = self._headers
        return bool(wanted) and any(value in wanted.get(name, ()) for name, value in headers)

    def _is_named(self, claims: Claims) -> bool:
        return any(
            not wanted.isdisjoint(_texts(claims.get(claim)))
            for claim, wanted in self._claims.items()
        )


def _texts(claim: Any) -> Iterable[str]:
    """The values of a claim as the settings write them; of what is no value, none."""
    for one in claim if isinstance(claim, list) else [claim]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, bool):
            yield "true" if one else "false"
        elif isinstance(one, (int, float)):
            yield str(one)
