"""Says in the header of a run how long it takes to generate a service, and begins with the long."""

import tempfile
import time
from pathlib import Path

import pytest

from tests.rendering import render


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
