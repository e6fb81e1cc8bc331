"""The steps of a canary: more and more requests while the numbers are good, back otherwise."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .cluster import Cluster, ClusterError
from .judging import Limits, Verdict, judge
from .kubectl import KubectlError
from .measures import MeasureError, Measures, Reading

GOODS = 3  # good looks in a row, for the next step
BADS = 2  # bad looks in one step, for the way back
DEAF = 3  # looks in a row without an answer of Prometheus, for the way back
TRIES = 5  # of each part of the way back


class Failed(Exception):
    """It goes back; the message says why."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, and percent.

    Attributes:
        window: how far back each look reaches, and how long a step takes at least.
        interval: between looks; several scrapes.
        patience: how long a step may take, for want of requests.
        weights: of the canary, step by step.
    """

    window: float = 300
    interval: float = 30
    patience: float = 1800
    weights: Sequence[int] = (5, 25, 50, 100)


class Canary:
    """One canary, from its first pod to its promotion or its end."""

    def __init__(
        self,
        cluster: Cluster,
        measures: Measures,
        limits: Limits,
        pace: Pace,
        say: Callable[[str], None],
    ) -> None:
        self._cluster, self._measures = cluster, measures
        self._limits, self._pace, self._say = limits, pace, say
        self._stable = Reading()
        self._old = ""

    def check(self) -> None:
        """Whether it can begin.

        Raises:
            ClusterError, MeasureError: it cannot.
            KubectlError: the cluster does not answer.
        """
        self._cluster.stable()
        if remains := self._cluster.remains():
            raise ClusterError("; ".join([*remains, "--clean removes what a killed run has left"]))
        if not self._measures.scraped("stable"):
            raise MeasureError('Prometheus has no pod of the service with the label track="stable"')

    def run(self, image: str) -> None:
        """All steps and the promotion.

        Raises:
            Failed, ClusterError, KubectlError: `back` has to follow, as after any other end.
        """
        self._say(f"making {self._cluster.canary} of {image}")
        self._cluster.hold()
        self._cluster.make(image)
        self._cluster.weigh(0, header=True)
        self._say("requests with the header X-Canary: always go to it")
        for weight in self._pace.weights:
            self._cluster.scale(weight)
            self._cluster.weigh(weight, header=True)
            self._say(f"{weight} % of the requests go to it")
            self._watch(weight)
        self._say("giving the image to the stable")
        self._old = self._cluster.image()
        self._cluster.give(image)
        self._cluster.given()
        self._old = ""

    def back(self) -> bool:
        """All to the stable, and nothing left of the canary; whether that is so now."""
        old = self._old
        parts: list[tuple[str, Callable[[], None]]] = [("weights", self._unweigh)]
        if old:  # the promotion did not end: most of its pods are of the old image still
            parts.append(("image", lambda: self._cluster.give(old)))
        parts += [("Deployment", self._cluster.remove), ("autoscaler", self._cluster.release)]
        # Without its part before, the canary still has requests: it must not go.
        return all(self._try(what, part) for what, part in parts)

    def _unweigh(self) -> None:
        self._cluster.weigh(0, header=False)

    def _try(self, what: str, part: Callable[[], None]) -> bool:
        for rest in reversed(range(TRIES)):
            try:
                part()
            except (ClusterError, KubectlError) as exc:
                self._say(f"{what}: {exc}")
                if rest:
                    time.sleep(min(2.0, self._pace.interval))
            else:
                return True
        return False

    def _watch(self, weight: int) -> None:
        """Look again and again until this step is good.

        Raises:
            Failed: it is not.
            ClusterError: its weight is not what it was set to.
        """
        began, good, bad, deaf = time.monotonic(), 0, 0, 0
        while True:
            time.sleep(self._pace.interval)
            passed = time.monotonic() - began
            self._cluster.expect(weight)
            try:
                verdict, why = self._look(min(passed, self._pace.window))
                deaf = 0
            except MeasureError as exc:
                verdict, why, deaf = Verdict.UNKNOWN, str(exc), deaf + 1
            self._say(f"{verdict.value}: {why}")
            good = good + 1 if verdict is Verdict.GOOD else 0
            bad += verdict is Verdict.BAD
            if bad >= BADS or deaf >= DEAF:
                raise Failed(why)
            if good >= GOODS and passed >= self._pace.window:
                return
            if passed > self._pace.patience:
                raise Failed(f"not good within {self._pace.patience:g} s: {why}")

    def _look(self, window: float) -> tuple[Verdict, str]:
        canary, stable = self._measures.read(window)
        if stable.requests >= self._limits.min_requests:
            self._stable = stable  # the last step leaves it nothing to compare with
        if missing := self._cluster.missing():
            return Verdict.BAD, f"{missing} of its pods are not available"
        verdict, why = judge(canary, self._stable, self._limits)
        return verdict, f"{why} (canary: {canary}; stable: {self._stable})"
