"""Generated services, each put through its own `make setup`, `make lint` and `make test`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from packaging.requirements import Requirement

from hooks import pre_gen_project
from tests.services import make, service


@pytest.fixture(scope="class")
def made(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Generate the service that a class is about, and run its `make setup`."""
    with service(request.cls.label, **request.cls.answers) as folder:
        print(make(folder, "setup", uv=request.cls.uv))
        yield folder


class Service:
    """One service; a class of its own, since the tests of a class share a process and a folder."""

    label: ClassVar[str]
    answers: ClassVar[Mapping[str, str]]
    uv: ClassVar[bool]

    def test_setup_installs_exactly_the_pinned_versions(self, made: Path) -> None:
        installed = _in(
            made,
            "import importlib.metadata as m;"
            "print(json.dumps({d.name: d.version for d in m.distributions()}))",
        )
        have = {_normal(name): version for name, version in installed.items()}
        lines = made.joinpath("requirements-dev.txt").read_text(encoding="utf-8").splitlines()
        here = _in(
            made,
            "import platform as p;print(json.dumps({'python_full_version': p.python_version()}))",
        )
        all_ = [Requirement(line) for line in lines]
        wanted = [one for one in all_ if one.marker is None or one.marker.evaluate(here)]
        pins = {one.name: str(one.specifier).removeprefix("==") for one in wanted}
        # An environment that venv makes begins with pip, which is pinned, and on 3.11 with this.
        ours = {_normal(made.name), "setuptools"}
        assert {name: version for name, version in have.items() if name not in ours} == pins
        # Nothing is stale, so a second setup has nothing to do.
        assert "Installing" not in make(made, "setup", uv=self.uv)

    def test_no_service_can_hide_what_it_depends_on(self, made: Path) -> None:
        modules = _in(
            made,
            "import importlib.metadata as m;print(json.dumps(list(m.packages_distributions())))",
        )
        possible = {name for name in modules if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)}
        refused = pre_gen_project.DEPENDENCIES | sys.stdlib_module_names
        assert possible - {made.name.replace("-", "_")} <= refused

    def test_its_lint_is_clean(self, made: Path) -> None:
        print(make(made, "lint", uv=self.uv))


class TestDefault(Service):
    """The service that nobody has answered a question for, with uv on the path."""

    label = "default"
    answers: ClassVar[Mapping[str, str]] = {}
    uv = True

    def test_its_tests_pass(self, made: Path) -> None:
        print(make(made, "test", "ALL=1"))

    def test_twenty_deploys_under_load_lose_nothing(self, made: Path) -> None:
        drill = ["tests/drills/test_drain.py", "-k", "loses_nothing", "-q", "-s"]
        done = subprocess.run(
            [made / ".venv" / "bin" / "python", "-m", "pytest", *drill],
            cwd=made,
            env=os.environ | {"DRAIN_ROUNDS": "20"},
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        assert done.returncode == 0
        assert done.stdout.count(" 0 failed, exit code 0") == 20

    def test_its_drills_hold(self, made: Path) -> None:
        print(make(made, "drill", "SHORT=1"))


class TestOther(Service):
    """The service that differs from it in every answer, with nothing but venv and pip.

    The matrix has the tests of services with other answers; what is left is another name.
    """

    label = "other"
    answers: ClassVar[Mapping[str, str]] = {
        "project_slug": "order-intake",
        "database": "none",
        "auth": "jwt",
        "config_center": "etcd",
        "license": "Apache-2.0",
        "ci": "gitlab",
    }
    uv = False

    def test_its_tests_know_its_name(self, made: Path) -> None:
        python = made / ".venv" / "bin" / "python"
        named = (f"tests/integration/test_{of}.py" for of in ("contract", "orders_api", "cli"))
        done = subprocess.run(
            [python, "-m", "pytest", "-q", *named],
            cwd=made,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        assert done.returncode == 0


def test_pins_change_nothing_that_still_fits() -> None:
    with service("pins") as folder:
        names = ("requirements.txt", "requirements-dev.txt")
        before = [folder.joinpath(name).read_bytes() for name in names]
        make(folder, "pins")
        assert [folder.joinpath(name).read_bytes() for name in names] == before


def _in(folder: Path, program: str) -> dict[str, str]:
    python = folder / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", f"import json;{program}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
