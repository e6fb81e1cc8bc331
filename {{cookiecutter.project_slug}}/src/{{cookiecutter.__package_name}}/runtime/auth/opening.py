"""Puts the parts together: the issuer's keys, what verifies with them, a sandbox in development."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from opentelemetry import trace

from ..http.authorization import Authorize
from ..http.server import loopback
from ..observability.metrics import Metrics
from ..outbound.client import Client
from ..outbound.options import Dependency, RetryOptions
from ..shutdown import Closing
from .jwt import JwtAuthorizer
from .keys import Keys
from .sandbox_issuer import JWKS_PATH, SandboxIssuer

SANDBOX = "urn:sandbox"
# A caller waits for the fetch when a key is new; `Keys` has its own pauses between fetches.
FETCHING = Dependency(timeout=2.0, attempt_timeout=2.0, retry=RetryOptions(attempts=1))


async def open_authorizer(
    closing: Closing,
    metrics: Metrics,
    *,
    issuer: str,
    jwks_url: str,
    audience: str,
    algorithms: Sequence[str],
    leeway: float,
    sandbox_port: int,
) -> Authorize:
    """What verifies the callers' tokens, for `build_router`.

    Args:
        issuer, jwks_url: empty for a sandbox that gives a token to whoever asks.
        leeway: seconds that clocks may differ.
        sandbox_port: of that sandbox, on loopback; 0 for any.
    """
    if not issuer:
        issuer = SANDBOX
        app = SandboxIssuer(issuer, audience).app()
        url = await closing.enter(
            "sandbox issuer", loopback(app, sandbox_port, "APP_AUTH__SANDBOX")
        )
        structlog.get_logger().warning("anyone gets a token here", issuer=url)
        jwks_url = f"{url}{JWKS_PATH}"
    parts = urlsplit(jwks_url)
    client = Client(
        "issuer",
        f"{parts.scheme}://{parts.netloc}",
        FETCHING,
        metrics=metrics,
        tracer=trace.NoOpTracer(),  # one fetch is for many requests, and in the trace of none
    )
    closing.add("issuer client", client.close)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    keys = Keys(client, path, algorithms=algorithms)
    return JwtAuthorizer(keys, issuer=issuer, audience=audience, leeway=leeway)
