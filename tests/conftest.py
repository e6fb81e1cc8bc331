"""Says in the header of a run how long it takes to generate a service, and begins with the long.

What several files share is here, too.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rendering import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Of a service that is changed by its users; it runs there.
collect_ignore = ["upgrades/own"]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One for a file; each test has a profile of its own."""
    from tests.browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A service with an environment of its own."""
    from tests.running import installed

    with installed() as made:
        yield made


def pytest_report_header() -> str:
    """Measure it once; other work on the machine makes a limit on it useless as a test."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        try:
            render(Path(scratch))
        except AssertionError:
            # The tests will say it better.
            return "the default service could not be generated"
        return f"generating the default service took {time.perf_counter() - began:.2f} s"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole services first: each takes one process as long as all else takes the others."""
    items.sort(key=lambda item: item.path.name != "test_services.py")
