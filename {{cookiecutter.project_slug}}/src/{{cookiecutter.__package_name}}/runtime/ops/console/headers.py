"""The headers of every answer of the console."""

from typing import Final

from ..csp import source_of

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src {style}; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# What came in from outside is on the page. Were it ever not escaped, it could still run
# nothing, load nothing and send nothing; and no other site can frame the page or read it.
HEADERS: Final = {
    "content-security-policy": _POLICY.format(style="'none'"),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
NOT_KEPT: Final = {**HEADERS, "cache-control": "no-store"}


def page_headers(style: str) -> dict[str, str]:
    """Those of the page, which has this style sheet in it."""
    return {**NOT_KEPT, "content-security-policy": _POLICY.format(style=source_of(style))}
