"""A service takes later states of the template, and keeps what its users changed.

Real cruft, real git: services of the last versions, with changes in every room that is theirs or
shared, are taken to what is checked out here, as docs/how-to/upgrade.md says.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.matrix.combinations import WHOLE
from tests.matrix.serving import serve
from tests.matrix.slot import Slot, slot
from tests.rendering import RECORD
from tests.services import make
from tests.upgrades.edits import edit, edits_of
from tests.upgrades.history import last_states, repository
from tests.upgrades.tools import cruft, git, run
from tests.upgrades.updating import PINS, created, differences, edited, update

Answers = dict[str, str]
DEFAULTS: Answers = {"database": "sql", "auth": "none"}
OTHERS: Answers = {"database": "none", "auth": "jwt", "config_center": "etcd", "ci": "gitlab"}
NEWEST = "main"
# Of the service: what its users changed, and what stands on the machinery that changed most.
TESTS = (
    "tests/unit/test_notes.py",
    "tests/unit/test_orders.py",
    "tests/unit/test_settings.py",
    "tests/runtime/unit/test_chain.py",
    "tests/integration/test_cli.py",
    "tests/integration/test_orders_api.py",
)


class Case(NamedTuple):
    """Which service is updated, from where."""

    version: str
    commit: str
    answers: Answers


class Updated(NamedTuple):
    """One after its update; `fresh` is a new one, with the same changes."""

    case: Case
    service: Path
    fresh: Path
    conflicts: list[str]


class Once:
    """Runs what takes long for one of those services that are the same, file by file."""

    def __init__(self, place: Slot) -> None:
        self.place = place
        self._done: set[tuple[str, str]] = set()

    def __call__(self, service: Path, run: Callable[[], object]) -> None:
        key = run.__qualname__, git(service, "rev-parse", "HEAD^{tree}")
        if key not in self._done:
            run()
            self._done.add(key)


def cases() -> list[Case]:
    """One of each of the last states; the matrix has the oldest of them with other answers too."""
    states = list(last_states().items())
    more = [Case(*states[0], OTHERS)] if WHOLE else []
    return [*(Case(*one, DEFAULTS) for one in states), *more]


def named(case: Case) -> str:
    """For people."""
    return f"{case.version}-{'-'.join(case.answers.values())}"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """The template's repository."""
    with tempfile.TemporaryDirectory() as scratch:
        yield repository(Path(scratch, "template"))


@pytest.fixture(scope="module")
def once() -> Iterator[Once]:
    """With the place where services get an environment."""
    with slot() as place:
        yield Once(place)


@pytest.fixture(scope="module", params=cases(), ids=named)
def updated(request: pytest.FixtureRequest, template: Path, once: Once) -> Iterator[Updated]:
    """A service that was made, changed and updated."""
    case: Case = request.param
    with tempfile.TemporaryDirectory() as scratch:
        made = created(Path(scratch, "made"), template, case.commit, case.answers)
        service = edited(once.place, made)
        conflicts = update(service)
        fresh = created(Path(scratch, "fresh"), template, NEWEST, case.answers)
        edit(fresh, edits_of(made))
        yield Updated(case, service, fresh, conflicts)


class TestFromEachOfTheLastStates:
    """What its user finds afterwards."""

    def test_nothing_conflicts_but_pins_that_moved(self, updated: Updated) -> None:
        # Before v0.5.0 the pins had no hashes; a library of one's own stands among them.
        expected = ["requirements.txt"] if updated.case.version == "v0.4.0" else []
        assert updated.conflicts == expected

    def test_it_is_a_new_service_with_the_same_changes(self, updated: Updated) -> None:
        assert not list(differences(updated.service, updated.fresh))
        for name in PINS:
            ours, theirs = (
                folder.joinpath(name).read_text(encoding="utf-8").splitlines()
                for folder in (updated.service, updated.fresh)
            )
            added = {line.split("==")[0] for line in set(ours) - set(theirs) if "==" in line}
            assert set(theirs) <= set(ours)
            assert added == {"humanize"}

    def test_a_second_update_has_nothing_to_do(self, updated: Updated, template: Path) -> None:
        record = json.loads(updated.service.joinpath(RECORD).read_text(encoding="utf-8"))
        assert record["commit"] == git(template, "rev-parse", NEWEST).strip()
        assert "SUCCESS" in cruft(updated.service, "check")
        assert "Nothing to do" in cruft(updated.service, "update", "--skip-apply-ask")
        assert not git(updated.service, "status", "--porcelain")

    def test_its_lint_is_clean(self, updated: Updated, once: Once) -> None:
        def lint() -> None:
            make(updated.service, "lint")

        once(updated.service, lint)

    def test_its_tests_pass(self, updated: Updated, once: Once) -> None:
        def test() -> None:
            python = updated.service / ".venv" / "bin" / "python"
            run(updated.service, str(python), "-m", "pytest", "-q", *TESTS)

        once(updated.service, test)

    def test_it_starts_answers_and_stops(
        self, updated: Updated, once: Once, tmp_path: Path
    ) -> None:
        def start() -> None:
            serve(once.place.production(), tmp_path, updated.case.answers)

        once(updated.service, start)


def test_an_answer_changes_later(template: Path, once: Once, tmp_path: Path) -> None:
    changed = {"auth": "jwt", "config_center": "etcd"}
    made = created(tmp_path / "made", template, NEWEST, DEFAULTS)
    service = edited(once.place, made)
    assert not update(service, "--variables-to-update", json.dumps(changed))
    fresh = created(tmp_path / "fresh", template, NEWEST, DEFAULTS | changed)
    edit(fresh, edits_of(made))
    assert not list(differences(service, fresh))
    make(service, "lint")
