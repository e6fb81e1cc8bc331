"""Verdicts, and what the tool makes of them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from tools.drill.drills import every_drill
from tools.drill.processes import DrillError
from tools.drill.promises import Promise, Scorecard, Verdict
from tools.drill.records import quantile_of
from tools.drill.report import Report, table
from tools.drill.running import hold
from tools.drill.stage import Drill, Stage


def verdicts(card: Scorecard) -> list[Verdict]:
    return [promise.verdict for promise in card.promises]


def test_limits_are_inclusive() -> None:
    card = Scorecard("any")
    card.at_most("up to", 1.2, 1.2)
    card.at_most("above", 1.21, 1.2)
    card.at_least("from", 0.9, 0.9)
    card.at_least("below", 0.89, 0.9)
    assert verdicts(card) == ["pass", "fail", "pass", "fail"]
    assert card.failed


def test_a_short_run_shows_times_and_judges_the_rest() -> None:
    card = Scorecard("any", short=True)
    card.at_most("p99", 9, 1, "s", timing=True)
    assert card.promises == [Promise("p99", "9 s", "<= 1 s", Verdict.NOT_JUDGED)]
    assert not card.failed
    card.none("lost", ["ord_1", "ord_2"])
    assert card.promises[-1] == Promise("lost", "2, first ord_1", "0", Verdict.FAIL)
    assert card.failed


@pytest.mark.parametrize(
    ("values", "quantile", "wanted"),
    [([], 0.99, 0), ([5], 0.99, 5), (range(100), 0.5, 50), (range(1000), 0.99, 990)],
)
def test_quantiles(values: list[float], quantile: float, wanted: float) -> None:
    assert quantile_of(values, quantile) == wanted


async def broken(_: Stage) -> None:
    raise DrillError("the service ended with 1")


async def wrong(_: Stage) -> None:
    raise ValueError("a mistake")


async def endless(_: Stage) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("run", "seen"),
    [
        (broken, "the service ended with 1"),
        (wrong, "ValueError: a mistake"),
        (endless, "given up after 0.05 s"),
    ],
)
async def test_a_drill_that_cannot_be_held_is_no_pass(
    tmp_path: Path, run: Callable[[Stage], Awaitable[None]], seen: str
) -> None:
    stage = Stage(Scorecard("any"), tmp_path, short=False)
    await hold(Drill("any", "breaks", run), stage, 0.05)
    assert [(p.seen, p.verdict) for p in stage.card.promises] == [(seen, Verdict.INVALID)]
    assert stage.card.failed


def test_the_report(tmp_path: Path) -> None:
    card = Scorecard("first")
    card.holds("<nothing> breaks", True)
    card.at_most("late by", 60, 50, "ms")
    report = Report(tmp_path / "drill")
    report.add(card, "this & that", [])
    page = (tmp_path / "drill/index.html").read_text()
    assert "&lt;nothing&gt; breaks" in page
    assert "this &amp; that" in page
    [result] = orjson.loads((tmp_path / "drill/results.json").read_bytes())
    assert [promise["verdict"] for promise in result["promises"]] == ["pass", "fail"]
    lines = table([card], colours=False).splitlines()
    assert lines[2].split() == ["first", "<nothing>", "breaks", "yes", "yes", "pass"]
    assert lines[3].split() == ["first", "late", "by", "60", "ms", "<=", "50", "ms", "fail"]
    assert "\x1b[1;31mfail" in table([card], colours=True)


def test_the_drills_are_found() -> None:
    names = [drill.name for drill in every_drill()]
    assert len(names) == len(set(names)) == 14
    assert names[-1] == "soak"
