"""Fixtures of all tests."""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from .support.records import Records, record_logs

# A time limit per example would measure the machine, not the code.
hypothesis.settings.register_profile("service", deadline=None, max_examples=60)
hypothesis.settings.load_profile("service")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The event loop that the service runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Settings come from the test, never from the shell that started it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith(("APP_", "OTEL_")):
                patch.delenv(name)
        yield


@pytest.fixture
def records() -> Records:
    """What is logged during the test."""
    return record_logs()[1]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded of themselves, also where another process ran them."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
