"""The command line: serve, check, migrate, routes, debug."""

import sys
from contextlib import aclosing
from typing import Annotated, NoReturn

import typer

from .runtime.config.arguments import from_arguments
from .runtime.config.configuration import Configuration
from .runtime.config.environment import environment
from .runtime.config.problems import InvalidSettings, unknown_variables
from .runtime.errors import StartupError
from .runtime.ops.diagnostics.command import debug
from .settings import Settings, open_settings

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

cli.add_typer(debug, name="debug", help="See what a running service does.")


def fail(*lines: str) -> NoReturn:
    """Say why, one line each, and exit with 1."""
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    raise SystemExit(1)


Arguments = Annotated[
    list[str] | None,
    typer.Option("--set", help="a setting above all others, such as log.level=debug"),
]


async def config_or_fail(arguments: list[str] | None = None) -> Configuration[Settings]:
    """The settings of all layers; whatever is wrong with them ends the process."""
    try:
        config = await open_settings(from_arguments(Settings, arguments or []))
    except InvalidSettings as exc:
        fail(*exc.problems)
    for line in unknown_variables(Settings, environment()):
        print(f"warning: {line}", file=sys.stderr)
    for entry in config.journal.refusals:
        print(f"warning: {entry.source}: {'; '.join(entry.reasons)}", file=sys.stderr)
    return config


@cli.command()
def serve(set_: Arguments = None) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    import asyncio
    import gc

    # Nothing of what start-up makes is garbage: without its collections it is a tenth faster.
    gc.disable()

    import uvloop

    async def work() -> int:
        async with aclosing(await config_or_fail(set_)) as config:
            from .app import open_logs, open_service
            from .runtime.http.server import Endpoint, ServerOptions, run

            http, management = config.settings.http, config.settings.management
            options = ServerOptions(
                service=Endpoint(http.host, http.port, "APP_HTTP"),
                management=Endpoint(management.host, management.port, "APP_MANAGEMENT"),
                drain_delay=http.drain_delay,
                grace=http.grace,
                keep_alive=http.keep_alive,
                trusted_proxies=http.trusted_proxies,
            )
            pipeline = open_logs(config)
            try:
                return await run(lambda: open_service(config, pipeline), options)
            except StartupError as exc:
                fail(str(exc))
            finally:
                pipeline.writer.close(1.0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise SystemExit(runner.run(work()))


@cli.command()
def check(
    set_: Arguments = None,
    watch: Annotated[bool, typer.Option(help="stay, and print every change")] = False,
) -> None:
    """Validate the settings and print those in force, secrets masked."""
    import asyncio

    from .runtime.config.printing import print_changes, print_settings

    async def show() -> None:
        async with aclosing(await config_or_fail(set_)) as config:
            print_settings(config)
            if watch:
                await print_changes(config)

    try:
        asyncio.run(show())
    except KeyboardInterrupt:
        raise SystemExit(0) from None


@cli.command()
def migrate(
    to: Annotated[str, typer.Option(help="a revision, head or base")] = "head",
) -> None:
    """Bring the store's schema to a revision."""
    import asyncio

    from . import app

    async def bring() -> str:
        async with aclosing(await config_or_fail()) as config:
            return await app.migrate(config.settings, to)

    try:
        print(asyncio.run(bring()))
    except StartupError as exc:
        fail(str(exc))


@cli.command()
def routes() -> None:
    """Print every route of the service with its own limits."""
    import asyncio

    from .app import open_logs, open_service
    from .runtime.http.openapi import list_routes

    async def show() -> None:
        async with (
            aclosing(await config_or_fail()) as config,
            open_service(config, open_logs(config)) as service,
        ):
            for line in list_routes(service.api):
                print(line)

    try:
        asyncio.run(show())
    except StartupError as exc:
        fail(str(exc))


if __name__ == "__main__":
    cli(prog_name=__package__)
