"""The ledger, over HTTP."""

from ..runtime.outbound.client import Client


class HttpLedger:
    """Reads balances."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def balance(self, account: str) -> int:
        """In minor units."""
        path = "/accounts/{account}"
        response = await self._client.request("GET", path, values={"account": account})
        return int(response.json()["balance"])
