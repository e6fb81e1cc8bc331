"""Each combination of answers becomes a service that is whole, and works.

In `make test` all of them are read, and those that differ in code run; `make matrix` runs all.
"""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.matrix.checking import Checks, read, shares
from tests.matrix.combinations import Combination, combinations, of_code
from tests.matrix.slot import slot
from tests.rendering import render

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

WHOLE = os.environ.get("MATRIX") == "whole"
EVERY = combinations()
RUN = EVERY if WHOLE else of_code()


def named(one: Combination) -> str:
    """With those answers in it that are not the usual ones."""
    words = [answer for answer in one.answers.values() if answer not in {"none", "no"}]
    return f"{one.name}:{'-'.join(words)}"


def alone(one: Combination) -> "ParameterSet":
    """`make matrix` keeps what is done with it in one process."""
    return pytest.param(one, marks=pytest.mark.xdist_group(one.name))


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Path]]:
    """All of them, by the combination's name."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda one: render(Path(scratch, one.name), **one.answers), EVERY)
        yield {one.name: folder for one, folder in zip(EVERY, made, strict=True)}


@pytest.fixture(scope="module")
def checks() -> Iterator[Checks]:
    """One for all, so that nothing is checked twice."""
    with slot() as place:
        yield Checks(place)


@pytest.mark.parametrize("one", EVERY, ids=named)
def test_nothing_is_left_over_and_nothing_lacks(
    one: Combination, services: dict[str, Path]
) -> None:
    read(services[one.name], one.answers)


@pytest.mark.parametrize("one", [alone(one) for one in RUN], ids=map(named, RUN))
class TestEach:
    """What takes an environment."""

    def test_its_lint_is_clean(
        self, one: Combination, services: dict[str, Path], checks: Checks
    ) -> None:
        checks.lint(one, services[one.name])

    def test_it_starts_answers_and_stops_as_an_image_would(
        self, one: Combination, services: dict[str, Path], checks: Checks
    ) -> None:
        checks.start(one, services[one.name])

    def test_a_share_of_its_tests_passes(
        self, one: Combination, services: dict[str, Path], checks: Checks
    ) -> None:
        share = shares(services[each.name] for each in RUN)[RUN.index(one)]
        checks.test(one, services[one.name], share)

    @pytest.mark.skipif(not WHOLE, reason="test_deliveries.py checks the manifests of each pair")
    def test_its_manifests_have_no_finding(
        self, one: Combination, services: dict[str, Path], checks: Checks
    ) -> None:
        checks.manifests(one, services[one.name])
