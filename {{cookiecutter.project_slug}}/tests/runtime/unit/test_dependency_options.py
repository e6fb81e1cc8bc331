"""The stages of a pipeline bound each other: what could never work is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from steadfast_service.runtime.outbound.client import fill
from steadfast_service.runtime.outbound.options import Dependency

from ...support.upstream_server import options


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"timeout": 1, "attempt_timeout": 2}, "attempt_timeout must be at most timeout"),
        ({"connect_timeout": 2}, "connect_timeout must be at most attempt_timeout"),
        ({"breaker": {"window": 1.9}}, "at least twice attempt_timeout"),
        ({"breaker": {"trials": 300}}, "trials must be at most max_concurrent"),
        ({"retry": {"backoff": 2}}, "backoff must be at most retry.backoff_max"),
        ({"max_concurrent": 1001}, "max_concurrent <= max_per_host"),
        ({"max_per_host": 2001}, "max_concurrent <= max_per_host"),
        ({"breaker": {"threshold": 0}}, "threshold must be above 0"),
        ({"breaker": {"threshold": 1.1}}, "less than or equal to 1"),
        ({"breaker": {"window": 0}}, "greater than 0"),
        ({"breaker": {"open_for": -1}}, "greater than 0"),
        ({"breaker": {"min_calls": 0}}, "greater than or equal to 1"),
        ({"retry": {"attempts": 0}}, "greater than or equal to 1"),
        ({"timeout": "inf"}, "finite number"),
        ({"timout": 1}, "Extra inputs"),
        ({"url": "payments:80"}, "URL"),
        ({"url": "http://payments/?key=1"}, "url must end with its path"),
    ],
)
def test_options_that_do_not_fit_are_refused(groups: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        options(**groups)


def test_the_defaults_fit() -> None:
    assert Dependency() == options()


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_value_stays_in_its_segment(value: str) -> None:
    path = fill("/a/{id}/b", {"id": value})
    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_changes_the_path_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="id cannot be"):
        fill("/a/{id}", {"id": value})
