"""Each error of the server means something to the request that met it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.database.failures import ConnectionLost
from steadfast_service.runtime.database.urls import parse_url
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable

from ....integration.sql.conftest import opened
from .requests import assert_whole


class Failing:
    """Work that the server refuses with this SQLSTATE."""

    def __init__(self, state: str) -> None:
        self._state = state
        self.times = 0

    async def __call__(self, connection: AsyncConnection) -> None:
        self.times += 1
        raising = f"RAISE EXCEPTION 'no' USING ERRCODE = '{self._state}'"
        await connection.execute(text(f"DO $$ BEGIN {raising}; END $$"))


@pytest.mark.parametrize(
    ("state", "error", "times"),
    [
        ("57014", DeadlineExceeded, 1),  # canceled
        ("57P01", ConnectionLost, 2),  # shutting down
        ("25006", ConnectionLost, 2),  # a standby by now
        ("53100", DependencyUnavailable, 1),  # its disk is full
        ("53300", DependencyUnavailable, 1),  # too many connections
        ("40001", DependencyUnavailable, 1),  # serialization failure
        ("55P03", DependencyUnavailable, 1),  # somebody else has the lock
        ("58030", DependencyUnavailable, 1),  # its disk fails
        ("23505", IntegrityError, 1),
        ("22012", DBAPIError, 1),  # a division by zero is a mistake of ours
    ],
)
async def test_what_the_server_says(
    postgres: Database, state: str, error: type[Exception], times: int
) -> None:
    work = Failing(state)
    with pytest.raises(error) as caught:
        await postgres.run(work, repeatable=True)
    assert type(caught.value) is error
    assert work.times == times
    await assert_whole(postgres)


async def test_a_database_that_is_not_there_is_unavailable(postgres_url: str) -> None:
    database = opened(f"{postgres_url}_missing")
    with pytest.raises(DependencyUnavailable, match="does not exist"):
        async with database.transaction():
            raise AssertionError("there is no such database")
    with pytest.raises(DependencyUnavailable, match="does not exist"):
        await database.ping()
    assert database.in_use() == 0
    await database.close()


@given(port=st.integers(-70_000, 140_000))
def test_a_port_is_one_of_16_bits(port: int) -> None:
    url = f"postgresql://host:{port}/orders"
    if 1 <= port <= 65535:
        assert parse_url(url).port == port
    else:
        with pytest.raises(ValueError, match="database URL"):
            parse_url(url)
