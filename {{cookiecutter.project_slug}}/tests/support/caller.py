"""What a caller shows, where the service asks for something."""

from collections.abc import Mapping

import httpx

from steadfast_service.settings import Settings

HAS_AUTH = "auth" in Settings.model_fields
SCOPES = "orders:read orders:write"


def credentials(issuer: str, scope: str = SCOPES) -> Mapping[str, str]:
    """Headers with a token of the sandbox issuer at this URL."""
    answer = httpx.post(f"{issuer}/token", json={"scope": scope}).raise_for_status().json()
    return {"Authorization": f"Bearer {answer['access_token']}"}
