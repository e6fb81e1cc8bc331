"""Writes the blocks of a page as one bash script: they share a shell, as a reader's do."""

from collections.abc import Iterable
from pathlib import Path

from .blocks import Block, Use

# A reader's shell has job control; beside that this one stops at the first failure.
PRELUDE = "set -m -e\n"
END = "END_OF_A_BLOCK"


def _write(block: Block) -> str:
    folder = Path(block.file).parent
    return f"mkdir -p '{folder}'\ncat > '{block.file}' <<'{END}'\n{block.text}{END}\n"


def _apply(block: Block) -> str:
    return f"git apply --whitespace=nowarn - <<'{END}'\n{block.text}{END}\n"


def _step(block: Block) -> str | None:
    match block.use:
        case Use.RUN:
            return block.text
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

    The file `at` below `outputs` has the place of the block that was begun last.
    """
    parts = [PRELUDE]
    for block in page:
        step = _step(block)
        if step is None:
            continue
        said = output_of(outputs, block)
        parts.append(f"echo '{block.place}' > '{outputs}/at'\n{{\n{step}}} > '{said}' 2>&1\n")
    return "\n".join(parts)
