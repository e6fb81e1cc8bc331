"""Reads a page by doing what it says, in a folder and with ports of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from tests.rendering import ROOT
from tests.running import free_ports
from tests.services import environment

from .blocks import Block, Use
from .needs import is_here
from .script import BACKGROUND, output_of, script

PATIENCE = 1200.0  # seconds for one page; the tutorial installs everything twice
# What a page calls this repository, the service's two ports, and that of a service beside it.
REPOSITORY = "path/to/this/repository"
SERVICE, MANAGEMENT, OTHER = r"127\.0\.0\.1:8000\b", r"127\.0\.0\.1:9000\b", r"\b8100\b"


def matches(expected: str, printed: str) -> bool:
    """Whether `printed` has the lines of `expected`; `...` in them stands for anything.

    A line of nothing else may stand for no line at all.
    """
    expected = re.sub(r"^\.\.\.\n", "...", expected.strip(), flags=re.MULTILINE)
    pattern = re.escape(expected).replace(re.escape("..."), "(?s:.*?)")
    return re.search(f"^{pattern}", printed, re.MULTILINE) is not None


def doable(page: Iterable[Block]) -> list[Block]:
    """Without the blocks that need what this machine lacks, and their outputs."""
    kept: list[Block] = []
    left_out = False
    for block in page:
        if block.use is not Use.OUTPUT:
            left_out = bool(block.needs) and not is_here(block.needs)
        if not left_out:
            kept.append(block)
    return kept


def _settings_of_cookiecutter(scratch: Path) -> Path:
    """The user's own ones are left out, and nothing is written to the home folder."""
    file = scratch / "cookiecutter.yaml"
    kept = (f"{name}_dir: {scratch / name}\n" for name in ("cookiecutters", "replay"))
    file.write_text("".join(kept), encoding="utf-8")
    return file


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What the page left in the background goes with it: it has the session of its shell."""
    try:
        yield
    finally:
        ended = [one for one in psutil.process_iter() if _session(one.pid) == process.pid]
        for one in ended:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(ended, timeout=10)
        process.wait()


def _own(page: Iterable[Block], names: Mapping[str, str]) -> list[Block]:
    """What can be done of it, with names that no other reader uses."""
    own = doable(page)
    for pattern, name in names.items():
        own = [replace(block, text=re.sub(pattern, name, block.text)) for block in own]
    return own


def read(page: Iterable[Block], folder: Path, scratch: Path, repository: Path = ROOT) -> None:
    """Do what the blocks say in `folder`, and compare what they print.

    Args:
        scratch: a folder beside it for what the reading itself writes.
        repository: what stands for the path of this repository.

    Raises:
        AssertionError: a command failed or printed something else; the message has its place.
    """
    (port, ops), (other, _) = free_ports(), free_ports()
    names = {SERVICE: f"127.0.0.1:{port}", MANAGEMENT: f"127.0.0.1:{ops}", OTHER: str(other)}
    own = _own(page, names | {REPOSITORY: str(repository)})
    outputs = scratch / "outputs"
    outputs.mkdir(parents=True)
    file = scratch / "page.sh"
    file.write_text(script(own, outputs), encoding="utf-8")
    env = environment(
        APP_HTTP__PORT=str(port),
        APP_MANAGEMENT__PORT=str(ops),
        APP_HTTP__DRAIN_DELAY="0",
        COOKIECUTTER_CONFIG=str(_settings_of_cookiecutter(scratch)),
        KUBECONFIG=str(scratch / "kubeconfig"),
        GIT_CEILING_DIRECTORIES=str(folder.parent),  # the folder may be in this repository
    )
    process = subprocess.Popen(
        ["bash", str(file)],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with _ended(process):
        code = process.wait(PATIENCE)
        at, last = outputs.joinpath("at").read_text(encoding="utf-8").splitlines()
        said = Path(last).read_text(encoding="utf-8")
        assert code == 0, f"{at} ended with {code}\n{said}{_background(outputs)}"
    _compare(own, outputs)


def _background(outputs: Path) -> str:
    """The end of what the page has left there."""
    file = outputs / BACKGROUND
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return "\n".join(["in the background:", *lines[-30:]]) if lines else ""


def _compare(page: Iterable[Block], outputs: Path) -> None:
    before: Block | None = None
    for block in page:
        if block.use is Use.OUTPUT and before is not None:
            printed = output_of(outputs, before).read_text(encoding="utf-8")
            assert matches(block.text, printed), (
                f"{block.place} says\n{block.text}and it printed\n{printed}"
            )
        before = block
