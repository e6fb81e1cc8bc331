"""The command line: serve, check, migrate, routes."""

import sys
from typing import Annotated, NoReturn

import typer

from .runtime.config.load import InvalidSettings, effective, environment, load, unknown_variables
from .runtime.errors import StartupError
from .settings import Settings

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


def settings_or_fail() -> Settings:
    """The settings in force; whatever is wrong with them ends the process."""
    try:
        settings = load(Settings)
    except InvalidSettings as exc:
        fail(*exc.problems)
    if problems := settings.unsafe():
        fail(*problems)
    for line in unknown_variables(Settings, environment()):
        print(f"warning: {line}", file=sys.stderr)
    return settings


@cli.command()
def serve() -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    settings = settings_or_fail()
    import asyncio
    import gc

    # Nothing of what start-up makes is garbage: without its collections it is a tenth faster.
    gc.disable()

    import uvloop

    from .app import open_logs, open_service
    from .runtime.http.server import Endpoint, ServerOptions, run

    http, management = settings.http, settings.management
    options = ServerOptions(
        service=Endpoint(http.host, http.port, "APP_HTTP"),
        management=Endpoint(management.host, management.port, "APP_MANAGEMENT"),
        drain_delay=http.drain_delay,
        grace=http.grace,
        keep_alive=http.keep_alive,
        trusted_proxies=http.trusted_proxies,
    )

    pipeline = open_logs(settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(run(lambda: open_service(settings, pipeline), options))
    except StartupError as exc:
        fail(str(exc))
    finally:
        pipeline.writer.close(1.0)
    raise SystemExit(code)


@cli.command()
def check() -> None:
    """Validate the settings and print those in force, secrets masked."""
    for name, value in effective(settings_or_fail(), "APP_").items():
        print(f"{name}={value}")


@cli.command()
def migrate(
    to: Annotated[str, typer.Option(help="a revision, head or base")] = "head",
) -> None:
    """Bring the store's schema to a revision."""
    settings = settings_or_fail()
    import asyncio

    from . import app

    try:
        print(asyncio.run(app.migrate(settings, to)))
    except StartupError as exc:
        fail(str(exc))


@cli.command()
def routes() -> None:
    """Print every route of the service with its own limits."""
    settings = settings_or_fail()
    import asyncio

    from .app import open_logs, open_service
    from .runtime.http.openapi import list_routes

    async def show() -> None:
        async with open_service(settings, open_logs(settings)) as service:
            for line in list_routes(service.api):
                print(line)

    try:
        asyncio.run(show())
    except StartupError as exc:
        fail(str(exc))


if __name__ == "__main__":
    cli(prog_name=__package__)
