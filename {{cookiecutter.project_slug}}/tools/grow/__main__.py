"""`python -m tools.grow`: a dependency or a tag of the contract. Run in the service's folder."""

import sys
from typing import Annotated

import typer

from ..package import ROOT
from .change import install, rehearsed
from .dependency import dependency as plan_dependency
from .refusal import Refusal
from .service import Growth
from .tag import tag as plan_tag

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def write(growth: Growth) -> None:
    """Write all of it, and say what was written."""
    try:
        files = rehearsed(ROOT, growth.files)
    except OSError as exc:
        raise Refusal(f"nothing was changed: {exc.filename}: {exc.strerror}") from None
    for name in install(ROOT, files):
        print(f"wrote {name}")


@cli.command()
def dependency(name: str) -> None:
    """Add a service that this one calls over HTTP."""
    write(plan_dependency(name))
    print(
        f"Now gateways/{name.replace('-', '_')}.py is yours: make it ask what that service answers."
    )
    print("The manifests have an address for it: correct it in deploy/kustomize/overlays.")


@cli.command()
def tag(
    name: str,
    one: Annotated[str, typer.Option(help="one of them, where the plural is irregular")] = "",
    source: Annotated[str, typer.Option("--from", help="the dependency that knows them")] = "",
) -> None:
    """Add a tag of the contract, with operations that work."""
    write(plan_tag(name, one, source))
    print("Now contract/openapi.yaml has its operations: make them yours, then make contract.")


if __name__ == "__main__":
    try:
        cli(prog_name="python -m tools.grow")
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        if refusal.by_hand:
            print(f"by hand: {refusal.by_hand}", file=sys.stderr)
        raise SystemExit(1) from None
