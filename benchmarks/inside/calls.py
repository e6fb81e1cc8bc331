"""What a request calls on its way, with and without what looks into the service.

A count of calls is the same every time, where times differ by a few percent from process to
process. A few requests of every ten seconds are measured layer by layer; those are not here.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from types import FrameType

import uvloop
from orders import app
from orders.runtime.config.configuration import Configuration
from orders.runtime.config.environment import environment_layer
from orders.settings import Settings

from ..table import INFORMATION, Row
from . import blind
from .clock import minus, report
from .layers import receive, scope, send, unwritten

WITHOUT, WITH = "without", "nobody looks"


async def calls(requests: int) -> list[float]:
    """Functions called, in Python and in C, for each of so many requests."""
    config = Configuration(Settings, fixed=[environment_layer(Settings, os.environ)])
    counts = []
    async with app.open_service(config, unwritten()) as service:
        for _ in range(300):  # what happens once only is over
            await service.app(scope(), receive, send)
        for _ in range(requests):
            number = 0

            def count(_: FrameType, event: str, __: object) -> None:
                nonlocal number
                number += event in {"call", "c_call"}

            sys.setprofile(count)
            await service.app(scope(), receive, send)
            sys.setprofile(None)
            counts.append(float(number))
    return counts


def main(rounds: int) -> None:
    """Both, each in an event loop of its own; the difference."""
    found = {}
    makers: dict[str, Callable[..., object]] = {WITH: app.open_management}
    makers[WITHOUT] = blind.open_management
    for name, maker in makers.items():
        vars(app)["open_management"] = maker
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found[name] = runner.run(calls(rounds))
    what = f"{WITH}: calls of functions per request, more than without"
    more = minus(sorted(found[WITH]), sorted(found[WITHOUT]))
    whole = Row("  all of them", found[WITH], note=INFORMATION)
    report(calls=[Row(what, more, target="<= 0"), whole])


if __name__ == "__main__":
    main(int(sys.argv[1]))
