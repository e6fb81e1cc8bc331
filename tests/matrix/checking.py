"""What is done with each combination."""

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from tests import dependencies, leftovers, orphans
from tests.rendering import ROOT, texts
from tests.services import environment, make

from .combinations import Answers, Combination
from .interpreters import interpreter
from .serving import serve
from .slot import Slot

# What lint and the service itself read; the rest of the files cannot change what they say.
READ = re.compile(r"(src|tests|tools|contract)/|Makefile$|pyproject\.toml$|requirements\S*\.txt$")
DEPLOYED = re.compile(
    r"(deploy|observability|src|tools|migrations)/|Makefile$|requirements\S*\.txt$"
)
LICENCE = re.compile(r"^license = .*$", re.MULTILINE)


def read(service: Path, answers: Answers) -> None:
    """Hold what was written to what it may consist of, without running it.

    Raises:
        AssertionError: with a line for each thing that does not belong there, or lacks.
    """
    wrong = [
        *leftovers.traces(service),
        *orphans.foreign(service, answers),
        *orphans.unreached(service),
        *dependencies.problems(service),
    ]
    assert not wrong, "\n".join(wrong)


class Checks:
    """Runs each check once for all combinations between which it can see no difference."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._done: dict[tuple[str, str], str] = {}

    def lint(self, one: Combination, service: Path) -> None:
        """Style, types, directions between rooms, contract."""
        self._once(one, service, READ, lambda folder: make(folder, "lint"))

    def start(self, one: Combination, service: Path) -> None:
        """The wheel with the pinned versions of production, from start to SIGTERM."""

        def run(_: Path) -> None:
            with tempfile.TemporaryDirectory() as scratch:
                serve(self._slot.production(), Path(scratch), one.answers)

        self._once(one, service, READ, run)

    def manifests(self, one: Combination, service: Path) -> None:
        """Everything that `make manifests` finds."""
        crds = ROOT.parent / "shared" / "crds"
        extra = [f"CRDS={crds}", "STRICT=1"] if crds.exists() else []
        self._once(one, service, DEPLOYED, lambda folder: make(folder, "manifests", *extra))

    def test(self, one: Combination, service: Path, files: Sequence[str]) -> None:
        """Some of the service's tests."""
        if not files:  # of which pytest would make all
            print("the others have all of them")
            return
        folder = self._slot.put(service, _python(one.answers))
        done = subprocess.run(
            [folder / ".venv" / "bin" / "python", "-m", "pytest", "-q", *files],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, f"{one.answers}\n{done.stdout}"

    def _once(
        self,
        one: Combination,
        service: Path,
        reads: re.Pattern[str],
        run: Callable[[Path], object],
    ) -> None:
        key = run.__qualname__, fingerprint(service, reads)
        if other := self._done.get(key):
            print(f"the same as {other}")
            return
        try:
            run(self._slot.put(service, _python(one.answers)))
        except AssertionError as failure:
            raise AssertionError(f"{one.answers}\n{failure}") from None
        self._done[key] = one.name


def fingerprint(service: Path, reads: re.Pattern[str]) -> str:
    """A hash of those files."""
    digest = hashlib.sha256()
    for name, text in texts(service).items():
        if reads.match(name):
            digest.update(f"{name}\n{LICENCE.sub('', text)}".encode())
    return digest.hexdigest()


def shares(services: Iterable[Path], apart: Callable[[str], bool]) -> list[list[str]]:
    """For each service some of its test files, so that each file that any of them has runs once.

    A file of one answer goes to a service that has it; which, changes from file to file.

    Args:
        services: the folders.
        apart: says of a test file's path whether something else runs it.
    """
    having: dict[str, list[int]] = {}
    found: list[list[str]] = []
    for number, service in enumerate(services):
        found.append([])
        for path in sorted(service.joinpath("tests").rglob("test_*.py")):
            name = str(path.relative_to(service))
            if not apart(name):
                having.setdefault(name, []).append(number)
    for count, (name, numbers) in enumerate(having.items()):
        found[numbers[count % len(numbers)]].append(name)
    return found


def _python(answers: Answers) -> str:
    path = interpreter(answers["python_version"])
    if path is None:
        pytest.skip(f"no Python {answers['python_version']} is installed")
    return path
