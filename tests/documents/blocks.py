"""The fenced blocks of a page, and what each of them is for.

| fence | meaning |
|---|---|
| `sh` | commands, run in the order of the page |
| `text` right after it | what they print; `...` stands for anything |
| any language with `file=PATH` | the whole content of a file, written |
| `diff` | a change of files, applied |
| `needs=NAME` behind `sh` or `diff` | done where that is there, and a note for the reader |

Every other block is for reading only.
"""

import enum
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt


class Use(enum.Enum):
    """What a block is for."""

    RUN = enum.auto()
    OUTPUT = enum.auto()
    WRITE = enum.auto()
    APPLY = enum.auto()
    READ = enum.auto()


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its fence, counted from 1."""

    page: Path
    line: int
    use: Use
    text: str
    file: str = ""
    needs: str = ""

    @property
    def place(self) -> str:
        """Where an editor finds it."""
        return f"{self.page}:{self.line}"


def _use(language: str, attributes: dict[str, str], before: Use) -> Use:
    if "file" in attributes:
        return Use.WRITE
    if language == "text" and before is Use.RUN:
        return Use.OUTPUT
    return {"sh": Use.RUN, "diff": Use.APPLY}.get(language, Use.READ)


def blocks(page: Path, text: str | None = None) -> list[Block]:
    """Those of a page, in order; `text` is read from it unless it is given.

    Raises:
        ValueError: a fence says something that has no meaning.
    """
    found: list[Block] = []
    before = Use.READ
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8") if text is None else text):
        if token.type != "fence" or token.map is None:
            continue
        language, *rest = token.info.split() or [""]
        attributes = {} if language.startswith("{") else dict(one.split("=", 1) for one in rest)
        use = _use(language, attributes, before)
        line = token.map[0] + 1
        if unknown := set(attributes) - {"file", "needs"}:
            raise ValueError(f"{page}:{line}: {', '.join(sorted(unknown))} means nothing")
        found.append(Block(page, line, use, token.content, **attributes))
        before = use
    return found
