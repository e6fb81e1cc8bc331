"""`debug` of the command line: what a running service does, seen from a terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

debug = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Url = Annotated[
    str | None,
    typer.Option(help="the management port; by default this machine's", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="the document as it is")]

SLACK = 60.0  # seconds that a profile may take beyond what it was asked to
INTERRUPTED = 130
SUFFIXES = {"flame": "html", "speedscope": "speedscope.json", "collapsed": "txt", "json": "json"}


@contextmanager
def _one_line() -> Iterator[None]:
    """Whatever goes wrong is one line, and the exit code is 1; after Ctrl-C it is 130."""
    from .command_client import CommandFailed

    try:
        yield
    except CommandFailed as exc:
        print(f"error: {exc}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read it has seen enough; Python must not try to flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _address(url: str | None) -> str:
    return url or f"http://127.0.0.1:{os.environ.get('APP_MANAGEMENT__PORT') or 9000}"


def _show(name: str, url: str | None, *, as_json: bool) -> None:
    import json

    from .command_client import Management
    from .command_text import TEXTS, printable

    with _one_line():
        document = Management(_address(url)).json(f"/debug/{name}")
        lines = [json.dumps(document, indent=2)] if as_json else TEXTS[name](document)
        for line in lines:
            print(line if as_json else printable(line))
        sys.stdout.flush()


@debug.command()
def tasks(url: Url = None, as_json: AsJson = False) -> None:
    """What the asyncio tasks wait for, those with the same stack together."""
    _show("tasks", url, as_json=as_json)


@debug.command()
def threads(url: Url = None, as_json: AsJson = False) -> None:
    """What every thread does."""
    _show("threads", url, as_json=as_json)


@debug.command()
def process(url: Url = None, as_json: AsJson = False) -> None:
    """Event loop, garbage collector, memory, files and pools."""
    _show("process", url, as_json=as_json)


@debug.command()
def stalls(url: Url = None, as_json: AsJson = False) -> None:
    """What held the event loop, line by line."""
    _show("stalls", url, as_json=as_json)


@debug.command()
def build(url: Url = None, as_json: AsJson = False) -> None:
    """What the process is made of."""
    _show("build", url, as_json=as_json)


@debug.command()
def profile(
    url: Url = None,
    seconds: Annotated[float, typer.Option(help="how long to look")] = 10.0,
    kind: Annotated[
        Literal["cpu", "wall", "heap", "growth"],
        typer.Option(help="processor, waiting, memory, or memory that grows"),
    ] = "cpu",
    rate: Annotated[int | None, typer.Option(help="samples a second, of cpu and wall")] = None,
    out: Annotated[Path | None, typer.Option(help="write it to this file", metavar="FILE")] = None,
    format_: Annotated[
        Literal["flame", "speedscope", "collapsed", "json"] | None,
        typer.Option("--format", help="of what is written; flame is a page for a browser"),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="show it in a browser")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option(help="the token, else APP_MANAGEMENT__TOKEN holds it", metavar="FILE"),
    ] = None,
) -> None:
    """Take a profile of a running service. Ctrl-C ends it there, too."""
    from .command_client import Management, token_from
    from .command_text import cost_of, printable, profile_text

    with _one_line():
        management = Management(_address(url), token_from(token_file))
        cost = cost_of(management.json("/debug/profiles"), kind)
        print(printable(f"{kind} for {seconds:g} s. {cost}"), file=sys.stderr)
        asked: dict[str, Any] = {"kind": kind, "seconds": seconds}
        if rate is not None:
            asked["rate"] = rate
        taken = management.command("/debug/profiles", asked, seconds + SLACK)
        if out or open_ or format_:
            content = _formatted(management, taken, format_ or "flame")
            _deliver(content, out, kind, format_ or "flame", show=open_)
        if out or open_ or not format_:
            for line in profile_text(taken):
                print(printable(line))
        sys.stdout.flush()


def _formatted(management: Any, taken: dict[str, Any], form: str) -> bytes:
    import json

    if form == "json":
        return json.dumps(taken, indent=2).encode() + b"\n"
    content: bytes = management.content(taken["links"][form], SLACK)
    return content


def _deliver(content: bytes, out: Path | None, kind: str, form: str, *, show: bool) -> None:
    """Write it to the file, to a temporary one for a browser, or else to the terminal."""
    import tempfile

    from .command_client import CommandFailed

    if out is None and not show:
        sys.stdout.buffer.write(content)
        return
    if out is None:
        # Not in a folder that others may write to: it is opened a moment later.
        out = Path(tempfile.mkdtemp(prefix="profile-"), f"{kind}.{SUFFIXES[form]}")
    try:
        out.write_bytes(content)
    except OSError as exc:
        raise CommandFailed(f"--out {out}: {exc.strerror}") from None
    print(f"written to {out}", file=sys.stderr)
    if show:
        import webbrowser

        if not webbrowser.open(out.resolve().as_uri()):
            print("there is no browser here that could show it", file=sys.stderr)
