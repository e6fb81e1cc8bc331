"""What drills leave behind: a table, a page with pictures, and the same as JSON."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import orjson

from .picture import draw
from .promises import Scorecard, Verdict
from .stage import Picture

COLUMNS = ("drill", "promise", "seen", "limit", "verdict")
ANSI = {Verdict.PASS: "32", Verdict.FAIL: "1;31", Verdict.INVALID: "1;31"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Drills</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 } img { width: 100% }
td, th { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #8884 }
td:nth-child(2), td:nth-child(3) { font-variant-numeric: tabular-nums }
.pass { color: #009e73 } .fail, .invalid { color: #d55e00; font-weight: 700 }
</style>
<h1>Drills</h1>
"""


def rows(card: Scorecard) -> Iterator[tuple[str, ...]]:
    """One row per promise."""
    for promise in card.promises:
        yield card.drill, promise.text, promise.seen, promise.limit, promise.verdict


def table(cards: Sequence[Scorecard], *, colours: bool) -> str:
    """For the terminal."""
    body = [row for card in cards for row in rows(card)]
    widths = [max(len(row[n]) for row in [COLUMNS, *body]) for n in range(len(COLUMNS))]
    lines = []
    for row in [COLUMNS, *body]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if colours and row[-1] in ANSI:
            cells[-1] = f"\x1b[{ANSI[Verdict(row[-1])]}m{cells[-1]}\x1b[0m"
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


class Report:
    """Writes into a folder as the drills end, so that an interrupted run leaves what it has."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._sections: list[str] = []
        self._results: list[dict[str, object]] = []
        out.mkdir(parents=True, exist_ok=True)

    def keep(self, card: Scorecard, folder: Path) -> None:
        """What the processes of a failed drill wrote, in a folder of its name."""
        kept = self._out / card.drill
        kept.mkdir(exist_ok=True)
        for pattern in ("*.log", "*.err"):
            for file in folder.glob(pattern):
                shutil.copy(file, kept)

    def add(self, card: Scorecard, story: str, pictures: Sequence[Picture]) -> None:
        """One drill that has ended."""
        images = []
        for number, picture in enumerate(pictures, 1):
            name = f"{card.drill}-{number}.svg" if len(pictures) > 1 else f"{card.drill}.svg"
            (self._out / name).write_text(draw(picture), encoding="utf-8")
            images.append(f'<img src="{name}" alt="{escape(picture.title)}">')
        cells = "".join(
            f"<tr><td>{escape(text)}<td>{escape(seen)}<td>{escape(limit)}"
            f'<td class="{verdict.split()[0]}">{verdict}</tr>'
            for _, text, seen, limit, verdict in rows(card)
        )
        head = "<tr><th>promise<th>seen<th>limit<th></tr>"
        title = f"<h2>{card.drill}</h2><p>{escape(story)}</p>"
        self._sections.append(f"{title}{''.join(images)}<table>{head}{cells}</table>")
        self._results.append(asdict(card))
        (self._out / "index.html").write_text(PAGE + "\n".join(self._sections), encoding="utf-8")
        results = orjson.dumps(self._results, option=orjson.OPT_INDENT_2)
        (self._out / "results.json").write_bytes(results)
