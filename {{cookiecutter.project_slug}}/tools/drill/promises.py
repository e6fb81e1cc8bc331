"""Promises and what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What is known about a promise. Every drill but a skipped one ends in one of the others."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    NOT_JUDGED = "not judged"  # a figure that a short run is too short for
    INVALID = "invalid"  # the drill itself could not be held
    SKIPPED = "skipped"


BAD = (Verdict.FAIL, Verdict.INVALID)


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of the scorecard."""

    text: str
    seen: str
    limit: str
    verdict: Verdict


@dataclass
class Scorecard:
    """The promises of one drill.

    Args:
        drill: its name.
        short: figures of time are then shown and not judged.
    """

    drill: str
    short: bool = False
    promises: list[Promise] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether any promise was broken, or could not be looked at."""
        return any(promise.verdict in BAD for promise in self.promises)

    def holds(self, text: str, kept: bool, seen: object = "", limit: object = "yes") -> None:
        """A promise that is kept or broken."""
        verdict = Verdict.PASS if kept else Verdict.FAIL
        said = str(seen) or ("yes" if kept else "no")
        self.promises.append(Promise(text, said, str(limit), verdict))

    def none(self, text: str, found: Iterable[object]) -> None:
        """There is nothing of this kind; the first of them is shown."""
        them = list(found)
        self.holds(text, not them, f"{len(them)}, first {them[0]}" if them else "0", "0")

    def at_most(
        self, text: str, value: float, limit: float, unit: str = "", *, timing: bool = False
    ) -> None:
        """A figure with an upper limit; `timing` marks one that only a full run can judge."""
        self._figure(text, value, limit, value <= limit, "<=", unit, timing)

    def at_least(
        self, text: str, value: float, limit: float, unit: str = "", *, timing: bool = False
    ) -> None:
        """A figure with a lower limit."""
        self._figure(text, value, limit, value >= limit, ">=", unit, timing)

    def shown(self, text: str, value: object) -> None:
        """A figure that nothing is promised about, for comparison."""
        self.promises.append(Promise(text, str(value), "", Verdict.NOT_JUDGED))

    def invalid(self, text: str, reason: str) -> None:
        """The drill could not be held."""
        self.promises.append(Promise(text, reason, "", Verdict.INVALID))

    def skipped(self, reason: str) -> None:
        """It does not apply here."""
        self.promises.append(Promise("held here", reason, "", Verdict.SKIPPED))

    def _figure(
        self, text: str, value: float, limit: float, kept: bool, sign: str, unit: str, timing: bool
    ) -> None:
        verdict = Verdict.PASS if kept else Verdict.FAIL
        if timing and self.short:
            verdict = Verdict.NOT_JUDGED
        seen, bound = (f"{number(one)} {unit}".strip() for one in (value, limit))
        self.promises.append(Promise(text, seen, f"{sign} {bound}", verdict))


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
