"""The payments service, over HTTP."""

from ..runtime.errors import DependencyUnavailable
from ..runtime.outbound.client import Client


class HttpPayments:
    """`POST /authorizations`, idempotent by the order's id."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def authorise(self, order_id: str, amount: int, currency: str) -> bool:
        """Whether the amount is authorised.

        Raises:
            DependencyUnavailable: no answer, or not one that this service understands.
        """
        response = await self._client.request(
            "POST",
            "/authorizations",
            json={"order_id": order_id, "amount": amount, "currency": currency},
            headers={"Idempotency-Key": order_id},
        )
        try:
            approved = response.json()["approved"]
        except (ValueError, KeyError, TypeError):
            approved = None
        if response.status_code != 200 or not isinstance(approved, bool):
            reason = f"unexpected answer with status {response.status_code}"
            raise DependencyUnavailable(self._client.dependency, reason)
        return approved
