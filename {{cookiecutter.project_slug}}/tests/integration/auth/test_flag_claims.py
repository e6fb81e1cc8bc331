"""Feature flags by what a verified token says."""

from pathlib import Path
from typing import Any

from steadfast_service.domain.orders import MAX_AMOUNT
from steadfast_service.runtime.auth.sandbox_issuer import (
    JWKS_PATH,
    SandboxIssuer,
)
from steadfast_service.runtime.http.server import loopback

from ...support.serving import ORDER, served

AUDIENCE = "the-audience"
LARGE = ORDER | {"items": [{"sku": "gold", "quantity": 1, "unit_price": MAX_AMOUNT + 1}]}


async def test_a_claim_of_the_caller_switches_a_flag_on(tmp_path: Path) -> None:
    issuer = SandboxIssuer("urn:issuer", AUDIENCE)
    flag = {"enabled": True, "percentage": 0, "claims": {"plan": ["pro"], "beta": ["true"]}}
    async with loopback(issuer.app()) as url:
        auth = {"issuer": "urn:issuer", "jwks_url": url + JWKS_PATH, "audience": AUDIENCE}
        async with served(tmp_path, auth=auth, flags={"large_orders": flag}) as running:

            async def status(**claims: Any) -> int:
                token = issuer.token(scope="orders:write", **claims)
                headers = {"Authorization": f"Bearer {token}"}
                response = await running.client.post("/api/orders", json=LARGE, headers=headers)
                return response.status_code

            assert await status(plan="pro") == 201
            assert await status(plan=["free", "pro"]) == 201
            assert await status(beta=True) == 201
            assert await status(plan="free", beta=False) == 409
            assert await status() == 409
