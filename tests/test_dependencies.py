"""The pins of each option, and who may bring which package."""

import pytest

from tests import pins
from tests.rendering import rendered


def test_without_a_database_none_of_its_packages_is_left() -> None:
    service = rendered(database="none")
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        text = service.joinpath(name).read_text(encoding="utf-8").lower()
        for package in ("sqlalchemy", "alembic", "asyncpg", "aiosqlite", "greenlet", "mako"):
            assert package not in text, f"{name} still has {package}"


def test_only_what_one_option_needs_is_guarded() -> None:
    everything = "a==1\nb==2\nc==3\nd==4\ne==5\n"
    without = {"database": "a==1\nd==4\ne==5\n", "auth": "a==1\nb==2\nc==3\ne==5\n"}
    sql, jwt = pins.guard("database"), pins.guard("auth")
    expected = f"a==1\n{sql}\nb==2\nc==3\n{pins.END}\n{jwt}\nd==4\n{pins.END}\ne==5\n"
    assert pins.guarded(everything, without) == expected
    assert pins.guarded("a==1\nb==2\n", {"auth": "a==1\n"}).endswith(f"{pins.END}\n")
    with pytest.raises(ValueError, match="a==2"):
        pins.guarded("a==1\n", {"auth": "a==2\n"})
    with pytest.raises(ValueError, match="gone without any"):
        pins.guarded("a==1\n", {"auth": "", "database": ""})
