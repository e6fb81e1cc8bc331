"""docs/benchmarks.md and its pictures, from what the stages measured last."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .. import growth, overload, peers, service, sidebyside
from ..growth import CURVES, ROUTES
from ..programs import FASTAPI, OURS
from ..results import Result, load
from ..sidebyside import CASES, MAIN
from ..table import Row
from . import words
from .svg import Bar, bars, lines, short

PAGE = "benchmarks.md"
IMAGES = Path("images") / "benchmarks"
NOT_MEASURED = "Not measured in this run."


def write(*, quick: bool) -> Path:
    """Write both; a quick run leaves them under build/, where nobody takes them for a result."""
    docs = service.BUILD / "docs" if quick else service.ROOT / "docs"
    stages = ("sidebyside", "overload", "growth", "layers")
    found = {stage: result for stage in stages if (result := load(stage))}
    docs.joinpath(IMAGES).mkdir(parents=True, exist_ok=True)
    text = page(found)
    docs.joinpath(PAGE).write_text(text, encoding="utf-8")
    for name, drawing in pictures(found).items():
        docs.joinpath(IMAGES, name).write_text(drawing, encoding="utf-8")
    return docs / PAGE


def page(found: Mapping[str, Result]) -> str:
    """The whole page as Markdown; a stage without a result says so."""
    parts = [words.HEAD, *_runs(found), words.HOW]
    for stage, section in SECTIONS.items():
        parts += section(found[stage].data) if stage in found else [TITLES[stage], NOT_MEASURED]
    failed = [line for result in found.values() for line in _failed(result.data)]
    parts += [words.NOT_SHOWN, "## What is not in the tables", *_left_out(failed)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _failed(data: Any) -> list[str]:
    return list(data.get("failed", ())) if isinstance(data, dict) else []


def _runs(found: Mapping[str, Result]) -> Iterator[str]:
    rows = [
        (stage, result.at + (", quick: a rough figure" if result.quick else ""), load_before)
        for stage, result in found.items()
        for load_before in [result.machine.get("load before", "")]
    ]
    yield _table(("stage", "measured", "load of the machine before"), rows)
    machine = next(iter(found.values())).machine if found else {}
    facts = [value for name, value in machine.items() if name not in ("cores", "load before")]
    if facts:
        yield f"Machine: {', '.join(facts)}, {machine['cores']} cores. {_versions()}"


def _versions() -> str:
    pins = service.SERVICE.parent / "peers" / "orders" / "requirements.txt"
    if not pins.exists():
        return ""
    wanted = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools")
    lines_ = [line.split(" ")[0] for line in pins.read_text(encoding="utf-8").splitlines()]
    named = [line.replace("==", " ") for line in lines_ if line.split("==")[0] in wanted]
    return f"Python 3.13; of this service and bare FastAPI: {', '.join(named)}."


def _side_by_side(data: Any) -> list[str]:
    about = [(a["name"], a["version"], a["observes"], a["server"]) for a in data["about"]]
    names = [a["name"] for a in data["about"]]
    tables = [f"**{case.name}**\n\n{_case(data, case.name, names)}" for case in CASES]
    return [
        TITLES["sidebyside"],
        words.SIDE_BY_SIDE,
        _rows("promise, and for information", sidebyside.targets(data)),
        "![Requests per second](images/benchmarks/rates.svg)",
        "![CPU per request](images/benchmarks/cpu.svg)",
        *tables,
        "### What runs",
        words.WHAT_RUNS,
        _table(("program", "made by", "logs, traces, metrics", "server"), about),
    ]


def _case(data: Any, case: str, names: Sequence[str]) -> str:
    def cells(name: str) -> tuple[str, ...]:
        rate = sidebyside.values(data, case, name, "rate")
        to_fastapi = median(sidebyside.ratios(data, case, name, FASTAPI))
        rest = [median(sidebyside.values(data, case, name, w)) for w in ("p50", "p99", "cpu")]
        memory = median(sidebyside.values(data, case, name, "memory"))
        spread = f"{short(min(rate))} .. {short(max(rate))}"
        figures = [*map(short, rest), f"{memory:.0f}"]
        return (name, short(median(rate)), spread, f"{to_fastapi:.2f}", *figures)

    head = ("program", "requests/s", "least .. most", "to bare FastAPI")
    units = ("p50 ms", "p99 ms", "CPU µs/request", "memory MB")
    return _table((*head, *units), [cells(name) for name in names])


def _overload(data: Any) -> list[str]:
    rounds: list[dict[str, Any]] = data["rounds"]

    def cells(name: str) -> tuple[str, ...]:
        of = {what: median(one[name][what] for one in rounds) for what in rounds[0][name]}
        good = [one[name]["goodput"] for one in rounds]
        p99, refused = _ms(of["p99"]), _ms(of["refused_p99"])
        spread = f"{short(min(good))} .. {short(max(good))}"
        shares = (f"{of['refused']:.0%}", refused, f"{of['lost']:.0%}")
        return (name, f"{of['goodput']:.1f}", spread, p99, *shares)

    head = ("program", "answered in time/s", "least .. most", "p99 of these")
    rest = ("refused (503)", "p99 of refusals", "no answer in time")
    return [
        TITLES["overload"],
        words.OVERLOAD.format(rate=f"{data['offered']:g}", patience=f"{data['patience']:g}"),
        _table((*head, *rest), [cells(name) for name in overload.NAMES if name in rounds[0]]),
        "![Answered in time under overload](images/benchmarks/overload.svg)",
    ]


def _ms(value: float) -> str:
    return f"{short(value)} ms" if value == value else "-"  # not a number: there were none


def _growth(data: Any) -> list[str]:
    parts = [TITLES["growth"], words.GROWTH]
    for curve, amounts in _curves().items():
        rows = []
        for amount in amounts:
            of = {name: _grown(data, curve, amount, name) for name in (FASTAPI, OURS)}
            ratio = [a / b for a, b in zip(of[OURS], of[FASTAPI], strict=True)]
            figures = [short(median(of[name])) for name in (FASTAPI, OURS)]
            rows.append((str(amount), *figures, f"{median(ratio):.2f}"))
        head = (words.CURVES[curve], f"{FASTAPI}, requests/s", f"{OURS}, requests/s", "ratio")
        parts += [_table(head, rows), f"![{curve}](images/benchmarks/{curve}.svg)"]
    return parts


def _curves() -> Mapping[str, Sequence[int]]:
    return {"routes": ROUTES, **{name: amounts for name, (amounts, _) in CURVES.items()}}


def _grown(data: Any, curve: str, amount: int, name: str) -> list[float]:
    return [one[curve][str(amount)][name] for one in data["rounds"]]


def _layers(data: Any) -> list[str]:
    rows = [Row(**row) for row in data]
    return [TITLES["layers"], words.LAYERS, _rows("in its place", rows, "share of bare FastAPI")]


def _rows(title: str, rows: Sequence[Row], last: str = "target") -> str:
    head = (title, "median", "spread", "rounds", last)
    return _table(head, [(row.what.strip(), *row.cells()[1:]) for row in rows])


def _left_out(failed: Sequence[str]) -> Iterator[str]:
    now = [(line.partition(": ")[0], line.partition(": ")[2]) for line in dict.fromkeys(failed)]
    yield _table(("what", "why"), [*peers.NOT_MEASURED.items(), *now])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines_ = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines_)


def pictures(found: Mapping[str, Result]) -> dict[str, str]:
    """Every picture by its file's name."""
    drawn: dict[str, str] = {}
    if "sidebyside" in found:
        data = found["sidebyside"].data
        for file, title, what in (
            ("rates.svg", f"Requests per second, {MAIN}", "rate"),
            ("cpu.svg", f"CPU µs per request, {MAIN}", "cpu"),
        ):
            names = [one["name"] for one in data["about"]]
            values = {name: sidebyside.values(data, MAIN, name, what) for name in names}
            drawn[file] = bars(title, [Bar(n, v, n.startswith(OURS)) for n, v in values.items()])
    if "overload" in found:
        rounds = found["overload"].data["rounds"]
        names = [name for name in overload.NAMES if name in rounds[0]]
        rows = [Bar(n, [one[n]["goodput"] for one in rounds], n == OURS) for n in names]
        drawn["overload.svg"] = bars("Answered in time, per second, at three times the load", rows)
    if growth.STAGE in found:
        data = found[growth.STAGE].data
        for curve, amounts in _curves().items():
            series = {
                name: [median(_grown(data, curve, amount, name)) for amount in amounts]
                for name in (OURS, FASTAPI)
            }
            title = f"Requests per second by {words.CURVES[curve]}"
            drawn[f"{curve}.svg"] = lines(title, amounts, series, words.CURVES[curve])
    return drawn


SECTIONS = {
    "sidebyside": _side_by_side,
    "overload": _overload,
    "layers": _layers,
    "growth": _growth,
}
TITLES = {
    "sidebyside": "## Side by side",
    "overload": "## Overload",
    "layers": "## What each layer costs",
    "growth": "## Growth",
}
