"""The page of headers: of requests and answers, here and where the service calls."""

from . import contract
from .header_names import Header, headers
from .markdown import code, page, prose, table
from .variants import gathered, source

# Where the service is the one that asks.
ASKING = (
    "runtime/outbound/",
    "gateways/",
    "runtime/config/sources/",
    "runtime/auth/keys.py",
    "runtime/ops/diagnostics/command_client.py",
)


def text() -> str:
    """The page."""
    found = sorted(gathered(headers))
    return page(
        "Headers",
        "Names are in lower case here; HTTP does not tell them from others.",
        "## Read of requests",
        _table(found, written=False, asking=False),
        "## Written into answers",
        _table(found, written=True, asking=False),
        "## Written into requests to others",
        _table(found, written=True, asking=True),
        "## Read of their answers",
        _table(found, written=False, asking=True),
        "## In the contract",
        table(("Header", "In", "Operation", "What"), contract.headers(source())),
    )


def _table(found: list[tuple[Header, str]], *, written: bool, asking: bool) -> str:
    rows = [
        (code(one.name), code(one.value), code(one.where), prose(one.about), needs)
        for one, needs in found
        if one.written is written and one.where.startswith(ASKING) is asking
    ]
    return table(("Header", "Value", "Where", "What is done there", "With"), rows)
