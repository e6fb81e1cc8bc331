"""What a caller shows, where the service asks for something."""

from collections.abc import Mapping

import httpx

from steadfast_service.contract import operations
from steadfast_service.runtime.openapi.operation import Operation
from steadfast_service.settings import Settings

HAS_AUTH = "auth" in Settings.model_fields
# Every one that an operation asks for.
SCOPES = " ".join(
    sorted(
        scope
        for operation in vars(operations).values()
        if isinstance(operation, Operation)
        for need in operation.security
        for scope in need.scopes
    )
)


def credentials(issuer: str, scope: str = SCOPES) -> Mapping[str, str]:
    """Headers with a token of the sandbox issuer at this URL."""
    answer = httpx.post(f"{issuer}/token", json={"scope": scope}).raise_for_status().json()
    return {"Authorization": f"Bearer {answer['access_token']}"}
