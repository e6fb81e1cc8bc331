"""The log as the settings have it."""

from typing import Any, TextIO

from ..config.live import Live
from .logs import Pipeline, configure
from .rendering import renderer
from .writers import open_writer


def open_pipeline(live: Live[Any], service: str, out: TextIO) -> Pipeline:
    """Every record of the process goes to `out` from now on; levels follow the settings."""
    log = live.now
    writer = open_writer(log.writer, out.fileno(), log.ring_size)
    render = renderer(log.format, service=service, colours=out.isatty())
    pipeline = configure(writer, render, level=log.level, story_size=log.story_size)
    live.follow(pipeline.update)
    return pipeline
