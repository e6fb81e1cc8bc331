"""What `make bench` makes of its measurements; nothing here measures time."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import growth, overload, peers, results, sidebyside, wrk
from benchmarks.offered import Outcome
from benchmarks.peers import peer
from benchmarks.programs import ABOUT, FASTAPI, OURS
from benchmarks.report import page, svg
from benchmarks.results import Result
from benchmarks.table import Row

SAID = """Running 1s test @ http://127.0.0.1:42685/bench/version
  1 threads and 256 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   749.32ms  178.01ms   1.01s    61.33%
    Req/Sec   103.71     54.50   170.00     71.43%
  Latency Distribution
     50%  776.00us
     75%  906.37ms
     90%  968.45ms
     99%    1.01s {0}
  75 requests in 1.08s, 13.11KB read
{1}Requests/sec:     69.39
Transfer/sec:     12.13KB
"""


def test_what_wrk_prints_is_read_with_its_units() -> None:
    said = wrk.parse(SAID.format("", ""))
    assert said == wrk.Said(requests=75, rate=69.39, p50=0.776, p99=1010.0, failed=0)


def test_errors_that_wrk_counts_are_added_up() -> None:
    sockets = "  Socket errors: connect 1, read 2, write 0, timeout 4\n"
    assert wrk.parse(SAID.format("", f"{sockets}  Non-2xx or 3xx responses: 10\n")).failed == 17


def test_another_output_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_an_overload_in_figures() -> None:
    statuses = {"200": 50, "503": 100, "late": 40, "broken": 10}
    seen = overload.summary(Outcome(5.0, statuses, [0.1] * 50, [0.002] * 100))
    assert seen == pytest.approx(
        {"goodput": 10, "p99": 100, "refused": 0.5, "refused_p99": 2, "lost": 0.25}
    )


def test_nothing_refused_has_no_latency() -> None:
    seen = overload.summary(Outcome(1.0, {"late": 1}))
    assert seen["lost"] == 1
    assert seen["p99"] != seen["p99"]  # not a number


def test_each_round_begins_with_another_program() -> None:
    orders = [sidebyside.rotated("abc", number) for number in range(4)]
    assert orders == [list("abc"), list("acb"), list("cab"), list("cba")]


def measured(rates: dict[str, float]) -> Any:
    """What `sidebyside` keeps, two rounds alike."""
    about = [{"name": n, "version": v, "observes": o, "server": s} for n, v, o, s in ABOUT]
    about += [{"name": name, "version": "1", "observes": "", "server": ""} for name in rates]
    known = {name: {"name": name} | entry for entry in about for name in [entry["name"]]}
    one = {
        name: {"rate": rates.get(name, 1000.0), "p50": 1.0, "p99": 2.0, "cpu": 50.0, "memory": 60.0}
        for name in known
    }
    rounds = [{case.name: one for case in sidebyside.CASES}] * 2
    return {"about": list(known.values()), "failed": ["a peer: it broke"], "rounds": rounds}


def found() -> dict[str, Result]:
    """A result of every stage, of figures that are made up."""
    peer_name = peers.BEST_INSTRUMENTED.name
    seen = {"goodput": 9.0, "p99": 1.0, "refused": 0.5, "refused_p99": float("nan"), "lost": 0.1}
    curves = {name: amounts for name, (amounts, _) in growth.CURVES.items()}
    grown = {
        name: {str(amount): {FASTAPI: 100.0, OURS: 150.0} for amount in amounts}
        for name, amounts in {**curves, "routes": growth.ROUTES}.items()
    }
    layer = {"what": "a layer", "values": [1.0, 2.0], "unit": "µs", "target": "", "note": "3 %"}
    data: dict[str, Any] = {
        "sidebyside": measured({OURS: 1300.0, FASTAPI: 1000.0, peer_name: 400.0}),
        "overload": {
            "offered": 300.0,
            "patience": 1.0,
            "failed": [],
            "rounds": [dict.fromkeys(overload.NAMES, seen)] * 2,
        },
        "growth": {"rounds": [grown, grown]},
        "layers": [layer],
    }
    machine = results.machine()
    return {name: Result(name, "2026-11-28", machine, False, of) for name, of in data.items()}


def test_the_page_holds_the_promises_against_what_was_measured() -> None:
    text = page.page(found())
    assert (
        f"| {sidebyside.MAIN}: {OURS} / {FASTAPI} | 1.30 | 1.30 .. 1.30 | 2 | >= 1.2 met |" in text
    )
    assert f"| {OURS} / {peers.BEST_INSTRUMENTED.name} | 3.25 |" in text
    assert "What it does not show" in text
    assert "| a peer | it broke |" in text


def test_every_table_of_the_page_has_as_many_cells_in_each_line() -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", page.page(found()), re.MULTILINE)
    assert len(blocks) > 10
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_the_page_shows_every_picture_and_no_other() -> None:
    results_ = found()
    shown = re.findall(r"\(images/benchmarks/(\w+\.svg)\)", page.page(results_))
    assert sorted(shown) == sorted(page.pictures(results_))


def test_one_round_has_a_spread_of_nothing() -> None:
    assert Row("a", [2.0], "s").cells() == ("a", "2.00 s", "2.00 .. 2.00", "1", "")


def test_a_stage_that_was_not_run_says_so() -> None:
    text = page.page({})
    assert text.count(page.NOT_MEASURED) == len(page.SECTIONS)
    assert page.pictures({}) == {}


def test_pictures_are_well_formed_and_follow_the_reader_s_scheme() -> None:
    for name, drawing in page.pictures(found()).items():
        assert ET.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg", name
        assert "prefers-color-scheme: dark" in drawing


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.123"), (7.9, "7.9"), (456.7, "457"), (12_345, "12.3 k")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert svg.short(value) == text


def test_a_result_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    results.save("growth", {"rounds": [1]}, quick=True)
    kept = results.load("growth", tmp_path)
    assert kept is not None
    assert (kept.data, kept.quick) == ({"rounds": [1]}, True)
    assert results.load("overload", tmp_path) is None


@pytest.mark.parametrize("pins", sorted(peer.PINS.glob("*.txt")), ids=lambda path: path.stem)
def test_peers_are_pinned_by_name_and_version_alone(pins: Path) -> None:
    for line in pins.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_every_peer_has_its_pins_and_every_pin_its_peer() -> None:
    named = {name for one in peers.PEERS for name in (one.tool, one.pins)}
    assert named == {path.stem for path in peer.PINS.glob("*.txt")}


def test_a_peer_that_is_not_what_it_was_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    file.write_text("app = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="0 times"):
        peer.edit(file, "router", "bench")
