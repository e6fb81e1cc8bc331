"""The service with more operations: BENCH_ROUTES of them, before those of its contract.

Its commands are the service's own. The operations are bound as the generated ones are, so the
whole chain and the one router stand before them.
"""

import os
from typing import Any

from orders.__main__ import cli
from orders.contract import api, models
from orders.contract.operations import GET_VERSION
from orders.runtime.http.operations import Bound, OperationRouter, bind
from orders.runtime.openapi.operation import Operation, Parameter

VERSION = models.Version(name="orders", version="0.1.0", commit="unknown")


async def handler(*, name: str) -> models.Version:
    """Answers at once."""
    return VERSION


def more(number: int) -> Bound:
    """One of them."""
    return bind(
        Operation(
            id=f"many{number}",
            method="GET",
            path=f"/many/{number}" + "/{name}",
            answers=GET_VERSION.answers,
            parameters=(Parameter("name", "path", "name", str, required=True),),
        ),
        handler,
    )


def router(*bound: Bound, **options: Any) -> OperationRouter:
    """In the place of the router's class, where the generated code calls it."""
    count = int(os.environ["BENCH_ROUTES"])
    return OperationRouter(*map(more, range(count)), *bound, **options)


if __name__ == "__main__":
    vars(api)["OperationRouter"] = router
    cli(prog_name="grown")
