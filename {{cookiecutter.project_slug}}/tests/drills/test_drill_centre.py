"""The configuration centre of a drill: the file in its place, and the verdicts."""

from pathlib import Path

import httpx
import pytest

from steadfast_service.runtime.config.centres import CENTRES
from steadfast_service.runtime.config.opening import open_configuration
from steadfast_service.runtime.config.problems import InvalidSettings
from steadfast_service.settings import Settings
from tools.drill.centre import FileCentre
from tools.drill.drills.config_centre import SETTING, Outcome, Trial
from tools.drill.promises import Scorecard
from tools.drill.readings import Reading, Readings
from tools.drill.stage import Span, Stage


@pytest.fixture
def centre(tmp_path: Path) -> FileCentre:
    return FileCentre(tmp_path / "a folder", "it is asked for")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()


async def in_force(centre: FileCentre) -> float:
    """What a service makes of it that starts now and must have it."""
    environ = {
        "APP_CONFIG__SOURCE": centre.url,
        "APP_CONFIG__REQUIRED": "true",
        "APP_CONFIG__START_TIMEOUT": "0.5",
    }
    config = await open_configuration(Settings, CENTRES, environ, {})
    await config.aclose()
    return config.settings.http.request_timeout


async def test_what_is_put_is_in_force(centre: FileCentre) -> None:
    await centre.put(3)
    assert await in_force(centre) == 3
    await centre.put(3.25)
    assert await in_force(centre) == 3.25


@pytest.mark.parametrize("kind", FileCentre.kinds)
async def test_garbage_is_refused_until_a_value_is_put(centre: FileCentre, kind: str) -> None:
    await centre.put(3)
    await centre.feed(kind)
    with pytest.raises(InvalidSettings):
        await in_force(centre)
    await centre.put(4)
    assert await in_force(centre) == 4


async def test_it_comes_back_with_what_it_had(centre: FileCentre) -> None:
    await centre.put(3)
    await centre.kill()
    with pytest.raises(InvalidSettings, match="No such file"):
        await in_force(centre)
    await centre.start()
    assert await in_force(centre) == 3


BEFORE, AFTER = 3.0, 3.25
GOOD = (
    Reading(9.0, 9.01, BEFORE, "ok"),
    Reading(10.5, 10.51, BEFORE, "degraded"),
    Reading(14.99, 15.02, AFTER, "ok"),  # neither during the fault nor after it
    Reading(15.2, 15.21, AFTER, "ok"),
)
TOLD = "faults that the status did not tell of"
OTHER = "killed: readings of another value than the last good one"
ARRIVES = "killed: from its end until the change is in force"
OK_AGAIN = "faults after which the status is not ok again"
ORDER = "the values in force were those that were put, in order"


async def broken(folder: Path, *readings: Reading, arrived: float, status: str) -> set[str]:
    """The promises that a centre which was killed from 10 to 15 leaves broken."""
    stage = Stage(Scorecard("any"), folder, short=False)
    async with httpx.AsyncClient() as ops:
        seen = Readings(ops, SETTING)
    seen.all.extend(readings)
    trial = Trial(stage, FileCentre(folder, "it is asked for"), seen, 1.0)
    trial.values = [BEFORE, AFTER]
    trial.outcomes = [Outcome(Span("killed", 10, 15), BEFORE, arrived, status)]
    trial.judge()
    return {one.text for one in stage.card.promises if one.verdict != "pass"}


@pytest.mark.parametrize(
    ("more", "promises"),
    [
        ([], set()),
        ([Reading(11, 11.01, 5.0, "degraded")], {OTHER, ORDER}),
        ([Reading(11, 11.01, AFTER, "degraded")], {OTHER}),
        ([Reading(11, 16, None, "ReadTimeout()")], {ORDER}),
        ([Reading(11, 11.01, None, "ConnectError()")], {OTHER, ORDER}),
        ([Reading(16, 16.01, BEFORE, "ok")], {ORDER}),
    ],
)
async def test_every_reading_counts(
    tmp_path: Path, more: list[Reading], promises: set[str]
) -> None:
    readings = sorted([*GOOD, *more])
    seen = await broken(tmp_path, *readings, arrived=15.2, status="ok")
    assert seen == promises


async def test_without_a_reading_nothing_is_known(tmp_path: Path) -> None:
    readings = (GOOD[0], GOOD[-1])
    assert await broken(tmp_path, *readings, arrived=15.2, status="ok") == {OTHER, TOLD}


async def test_a_fault_has_to_be_told_of_and_forgotten(tmp_path: Path) -> None:
    silent = [one._replace(status="ok") for one in GOOD]
    assert await broken(tmp_path, *silent, arrived=15.2, status="stale") == {TOLD, OK_AGAIN}


@pytest.mark.parametrize("arrived", [16.1, float("inf")])
async def test_a_change_may_not_be_late(tmp_path: Path, arrived: float) -> None:
    assert await broken(tmp_path, *GOOD, arrived=arrived, status="ok") == {ARRIVES}
