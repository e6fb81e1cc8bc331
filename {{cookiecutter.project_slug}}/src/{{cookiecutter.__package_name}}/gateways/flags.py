"""What the feature flags decide for the domain."""

from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext


class LargeOrders:
    """Whose orders may be large: the flag `large_orders`, by the customer's id."""

    def __init__(self, flags: OpenFeatureClient) -> None:
        self._flags = flags

    async def __call__(self, customer_id: str) -> bool:
        """Whether this customer's may; not where the flag is missing or cannot be decided."""
        context = EvaluationContext(targeting_key=customer_id)
        return await self._flags.get_boolean_value_async("large_orders", False, context)
