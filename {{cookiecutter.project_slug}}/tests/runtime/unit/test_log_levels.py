"""Levels of single loggers, as the settings have them."""

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.observability.levels import LEVELS, Levels
from steadfast_service.runtime.observability.logs import Pipeline

from ...support.records import Records, ours, record_logs

Log = tuple[Pipeline, Records]
names = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(".".join).map("x.{}".format)
level_names = st.sampled_from(list(LEVELS))
tables = st.dictionaries(names, level_names, max_size=6)


@pytest.fixture
def log() -> Iterator[Log]:
    yield record_logs()
    record_logs()  # takes back what was set of the process's loggers


def said(pipeline: Pipeline, level: str = "info", **levels: str) -> None:
    """The settings say this now."""
    pipeline.update(level=level, levels=levels, story_size=64, sample_rate=1)


def test_one_logger_writes_more_than_the_others(log: Log) -> None:
    pipeline, records = log
    said(pipeline, orders="debug", access="error")
    ours("orders").debug("one")
    ours("access").warning("too quiet")
    ours("access").error("two")
    ours("stock").debug("too quiet")
    structlog.get_logger().debug("too quiet")
    ours("stock").info("three")
    assert records.events() == ["one", "two", "three"]


def test_loggers_that_were_made_before_follow(log: Log) -> None:
    pipeline, records = log
    early = [ours("early"), ours("early").bind(more=1), structlog.get_logger()]
    for one in early:
        one.debug("too quiet")
    said(pipeline, "warning", early="debug")
    for number, one in enumerate(early):
        one.debug("after", number=number)
    said(pipeline, "debug")
    early[2].debug("root")
    said(pipeline)
    for one in early:
        one.debug("too quiet")
    assert [(r["event"], r.get("number")) for r in records.all()] == [
        ("after", 0),
        ("after", 1),
        ("root", None),
    ]


def test_the_standard_library_s_loggers_follow_by_their_own_hierarchy(log: Log) -> None:
    pipeline, records = log
    theirs = logging.getLogger("lab.engine.Engine")
    pipeline.update(level="info", levels={"lab.engine": "debug", "lab": "error"}, story_size=64)
    theirs.debug("one")
    logging.getLogger("lab.pool").warning("too quiet")
    logging.getLogger("laboratory").info("two")
    said(pipeline)
    theirs.debug("too quiet")
    assert not theirs.isEnabledFor(logging.DEBUG)  # it does not even build the record
    assert records.events() == ["one", "two"]


def test_talkative_libraries_stay_quiet_unless_they_are_named(log: Log) -> None:
    pipeline, records = log
    said(pipeline, "debug")
    logging.getLogger("httpx").info("too quiet")
    said(pipeline, "error", httpx="debug")
    logging.getLogger("httpx").debug("one")
    said(pipeline, "debug")
    logging.getLogger("httpx").info("too quiet")
    assert records.events() == ["one"]


def test_a_quiet_root_does_not_hide_what_operators_do(log: Log) -> None:
    pipeline, records = log
    said(pipeline, "error")
    ours("audit").warning("changed")
    assert records.events() == ["changed"]


def test_what_a_library_has_set_itself_comes_back(log: Log) -> None:
    pipeline, _ = log
    theirs = logging.getLogger("lab.strict")
    theirs.setLevel(logging.ERROR)
    assert pipeline.levels.report("lab.strict")["level"] == "error"
    pipeline.update(level="info", levels={"lab.strict": "debug"}, story_size=64)
    assert theirs.level == logging.DEBUG
    said(pipeline)
    assert theirs.level == logging.ERROR


def test_an_unknown_level_changes_nothing(log: Log) -> None:
    pipeline, _ = log
    said(pipeline, "warning", orders="debug")
    before = pipeline.levels.reports()
    for level, levels in (("loud", {}), ("info", {"orders": "loud"}), ("info", {"new": "10"})):
        with pytest.raises(ValueError, match=r"no such level: '(loud|10)'; there are debug, "):
            pipeline.update(level=level, levels=levels, story_size=1)
    assert pipeline.levels.reports() == before
    assert pipeline.story_size == 64


@pytest.mark.parametrize("name", ["", None, 7, ["orders"], b"orders"])
def test_whoever_has_no_name_that_we_could_use_follows_the_root(log: Log, name: Any) -> None:
    pipeline, records = log
    said(pipeline, orders="debug")
    ours(name).debug("too quiet")
    ours(name).info("one")
    assert records.events() == ["one"]


@given(level_names, tables, st.lists(names, max_size=5))
def test_our_rule_is_python_s_own(root: str, levels: dict[str, str], bound: list[str]) -> None:
    pipeline, _ = record_logs()
    early = {name: pipeline.levels.threshold(name) for name in bound}
    pipeline.update(level=root, levels=levels, story_size=64)
    theirs = logging.Manager(logging.RootLogger(LEVELS[root]))
    for name, level in levels.items():
        theirs.getLogger(name).setLevel(LEVELS[level])
    for name in (*levels, *bound, "x", "x.a.a.a.a.a", "y"):
        number = theirs.getLogger(name).getEffectiveLevel()
        assert pipeline.levels.threshold(name).number == number
        assert LEVELS[pipeline.levels.report(name)["level"]] == number
        assert early.get(name) in (None, pipeline.levels.threshold(name))
    record_logs()


def test_every_logger_is_listed_and_a_typing_error_shows(log: Log) -> None:
    pipeline, _ = log
    ours("bound here")
    logging.getLogger("lab.deep.down")  # which makes no logger of the names above it
    pipeline.update(level="info", levels={"ordesr": "debug", "lab.deep": "error"}, story_size=64)
    known = {one["name"]: one["known"] for one in pipeline.levels.reports()}
    assert list(known) == sorted(known)
    assert [known[one] for one in ("root", "bound here", "lab.deep.down", "lab.deep")] == [True] * 4
    assert not known["ordesr"]
    assert "nobody" not in known
    assert pipeline.levels.report("nobody") == {
        "name": "nobody",
        "level": "info",
        "settings": "info",
        "held": None,
        "known": False,
    }


@pytest.mark.parametrize(("number", "shown"), [(25, "warning"), (50, "critical"), (60, "off")])
def test_a_level_without_a_name_is_shown_by_what_gets_through(
    log: Log, number: int, shown: str
) -> None:
    pipeline, _ = log
    theirs = logging.getLogger("lab.odd")
    theirs.setLevel(number)
    report = pipeline.levels.report("lab.odd")
    theirs.setLevel(logging.NOTSET)
    assert (report["level"], report["settings"]) == (shown, "info")


def test_threads_that_log_first_do_not_disturb_a_change() -> None:
    levels = Levels()
    stopped = threading.Event()

    def bind(thread: int) -> None:
        number = 0
        while not stopped.is_set():
            levels.threshold(f"lab.{thread}.{number % 1000}")
            number += 1

    threads = [threading.Thread(target=bind, args=(n,)) for n in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for _ in range(50):
            levels.update("info", {"lab": "debug"})
            levels.update("info", {"lab": "error"})
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
        record_logs()
    found = {levels.threshold(f"lab.{n}.{m}").number for n in range(3) for m in range(1000)}
    assert found == {LEVELS["error"]}
