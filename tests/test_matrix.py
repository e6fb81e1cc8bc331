"""Each combination of answers becomes a service that is whole, and works.

`make matrix` does all of it. `make test` reads each pair of answers and all together, starts those
that differ in code, and runs the tests that the default service lacks.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.matrix.checking import Checks, read, shares
from tests.matrix.combinations import WHOLE, Combination, combinations, of_code
from tests.matrix.slot import slot
from tests.rendering import rendered

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

EVERY = combinations()
RUN = EVERY if WHOLE else of_code()


def named(one: Combination) -> str:
    """With those answers in it that are not the usual ones."""
    words = [answer for answer in one.answers.values() if answer not in {"none", "no"}]
    return f"{one.name}:{'-'.join(words)}"


def alone(one: Combination) -> "ParameterSet":
    """`make matrix` keeps what is done with it in one process."""
    return pytest.param(one, marks=pytest.mark.xdist_group(one.name))


def elsewhere(test: str) -> bool:
    """Whether `make test` runs it in the default service."""
    return not WHOLE and rendered().joinpath(test).exists()


@pytest.fixture(scope="module")
def checks() -> Iterator[Checks]:
    """One for all, so that nothing is checked twice."""
    with slot() as place:
        yield Checks(place)


READ = [one for one in EVERY if WHOLE or one.name.startswith(("code", "pairs", "all"))]


@pytest.mark.parametrize("one", READ, ids=named)
def test_nothing_is_left_over_and_nothing_lacks(
    one: Combination,
) -> None:
    read(rendered(**one.answers), one.answers)


@pytest.mark.parametrize("one", [alone(one) for one in RUN], ids=map(named, RUN))
class TestEach:
    """What takes an environment."""

    def test_its_lint_is_clean(self, one: Combination, checks: Checks) -> None:
        checks.lint(one, rendered(**one.answers))

    def test_it_starts_answers_and_stops_as_an_image_would(
        self, one: Combination, checks: Checks
    ) -> None:
        checks.start(one, rendered(**one.answers))

    def test_a_share_of_its_tests_passes(self, one: Combination, checks: Checks) -> None:
        share = shares((rendered(**each.answers) for each in RUN), elsewhere)[RUN.index(one)]
        checks.test(one, rendered(**one.answers), share)

    @pytest.mark.skipif(not WHOLE, reason="test_deliveries.py checks the manifests of each pair")
    def test_its_manifests_have_no_finding(self, one: Combination, checks: Checks) -> None:
        checks.manifests(one, rendered(**one.answers))
