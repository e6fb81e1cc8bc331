"""Writes the blocks of a page as one bash script: they share a shell, as a reader's do."""

import re
from collections.abc import Iterable
from pathlib import Path

from .blocks import Block, Use

# A reader's shell has job control; beside that this one stops at the first failure.
PRELUDE = "set -m -e\n"
END = "END_OF_A_BLOCK"
BACKGROUND = "background"


def _write(block: Block) -> str:
    folder = Path(block.file).parent
    return f"mkdir -p '{folder}'\ncat > '{block.file}' <<'{END}'\n{block.text}{END}\n"


def _apply(block: Block) -> str:
    return f"git apply --whitespace=nowarn - <<'{END}'\n{block.text}{END}\n"


def _run(block: Block, outputs: Path) -> str:
    """What stays in the background says its own: it would come between the lines of others."""
    aside = f">> '{outputs / BACKGROUND}' 2>&1 &"
    return re.sub(r"(?<!&)&$", lambda _: aside, block.text, flags=re.MULTILINE)


def _step(block: Block, outputs: Path) -> str | None:
    match block.use:
        case Use.RUN:
            return _run(block, outputs)
        case Use.WRITE:
            return _write(block)
        case Use.APPLY:
            return _apply(block)
        case _:
            return None


def output_of(outputs: Path, block: Block) -> Path:
    """The file that has what this block printed."""
    return outputs / f"{block.page.stem}-{block.line}.txt"


def script(page: Iterable[Block], outputs: Path) -> str:
    """One script that does all of them; what each prints goes to a file of its own.

    Below `outputs`, `at` has the place and the output of the block that was begun last, and
    `background` what the commands with an `&` printed.
    """
    parts = [PRELUDE]
    for block in page:
        step = _step(block, outputs)
        if step is None:
            continue
        said = output_of(outputs, block)
        at = f"printf '%s\\n' '{block.place}' '{said}' > '{outputs}/at'"
        parts.append(f"{at}\n{{\n{step}}} > '{said}' 2>&1\n")
    return "\n".join(parts)
