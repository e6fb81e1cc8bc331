"""Services with the other configuration centres: their lint, and the tests of that centre."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from tests.services import environment, make, service


@pytest.fixture(scope="class")
def made(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Generate the service that a class is about, and run its `make setup`."""
    center = request.cls.center
    with service(f"center-{center}", config_center=center) as folder:
        print(make(folder, "setup"))
        yield folder


class Center:
    """One of them; etcd has a whole service of its own in `test_services.py`."""

    center: ClassVar[str]

    def test_its_lint_is_clean(self, made: Path) -> None:
        print(make(made, "lint"))

    def test_the_tests_of_the_centre_pass(self, made: Path) -> None:
        tests = ["tests/integration/config_center", "tests/integration/test_hot_logging.py"]
        done = subprocess.run(
            [made / ".venv" / "bin" / "python", "-m", "pytest", "-q", *tests],
            cwd=made,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        assert done.returncode == 0


class TestConsul(Center):
    """Consul."""

    center = "consul"


class TestNacos(Center):
    """Nacos."""

    center = "nacos"
