"""`python -m tools.contract`: generate, and the three checks. Run in the service's folder."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from .compare.allowances import allowed, read_allowances
from .compare.breaking import changes
from .compare.drift import differences
from .compare.normal import normal
from .document import Refusal, parse, validated
from .generate import render, write
from .generate import stale as outdated
from .prove import prove
from .reader import read, understand
from .revision import NothingToCompare, contract_at
from .running import described, fetched

CONTRACT = Path("contract/openapi.yaml")
ALLOWED = Path("contract/allowed-changes.yaml")

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def fail(*lines: str) -> NoReturn:
    """Say why, one line each, and exit with 1."""
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    raise SystemExit(1)


def package() -> str:
    """The service's package: the one below `src`."""
    [name] = [path.parent.name for path in Path("src").glob("*/app.py")]
    return name


@cli.command()
def generate(
    contract: Annotated[Path, typer.Option(help="what to generate from")] = CONTRACT,
    into: Annotated[str, typer.Option(help="the package; empty: the service's own")] = "",
) -> None:
    """Write src/<package>/contract, if the generated types hold to the whole contract."""
    name = into or f"{package()}.contract"
    target = Path("src", *name.split("."))
    read_in = read(contract)
    for notice in read_in.schemas.notices:
        print(f"note: {notice}", file=sys.stderr)
    files = render(contract, len(name.split(".")))
    before = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*.py")}
    changed = write(files, target)
    try:
        prove(read_in, Path("src"), name)
    except Refusal:
        write(before, target)  # a contract that is refused changes nothing
        raise
    print(f"{target}: {', '.join(changed) if changed else 'nothing changed'}")


@cli.command()
def stale() -> None:
    """Fail if the generated package is not what the contract gives."""
    target = Path("src", package(), "contract")
    if names := outdated(render(CONTRACT), target):
        fail(*(f"{target / name} is not what make contract writes" for name in names))


@cli.command()
def drift(
    url: Annotated[str, typer.Option(help="of a running service's /openapi.json")] = "",
) -> None:
    """Fail if the running service describes another API than the contract."""
    document = fetched(url) if url else described(package())
    found = differences(read(CONTRACT), understand(validated(document)))
    if found:
        fail(*found)


@cli.command()
def breaking(
    against: Annotated[str, typer.Option(help="a git revision")] = "origin/main",
    allow: Annotated[list[str] | None, typer.Option(help="CHANGE=REASON; may be repeated")] = None,
) -> None:
    """Fail if callers of the contract at a git revision would break with this one."""
    try:
        old = understand(validated(parse(contract_at(against, CONTRACT))))
    except NothingToCompare as exc:
        print(f"note: breaking changes are not looked for: {exc}")
        return
    try:
        allowances = read_allowances(ALLOWED, allow or [])
    except ValueError as exc:
        fail(str(exc))
    verdict = allowed(changes(normal(old), normal(read(CONTRACT))), allowances)
    for change, reason in verdict.used:
        print(f"allowed: {change} ({reason})")
    for name in verdict.unused:
        print(f"note: nothing needs the allowance {name!r} any more")
    if verdict.remaining:
        fail(*map(str, verdict.remaining), f"callers of {against} break; see the README, Contract")


if __name__ == "__main__":
    try:
        cli(prog_name="python -m tools.contract")
    except Refusal as refusal:
        fail(str(refusal))
