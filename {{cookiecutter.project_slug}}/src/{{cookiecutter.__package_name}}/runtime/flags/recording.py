"""What became of each evaluation: in the log, in the trace, in the metrics."""

from collections.abc import Container
from typing import Any

from openfeature.flag_evaluation import FlagEvaluationDetails, FlagValueType, Reason
from openfeature.hook import Hook, HookContext, HookHints
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter

from ..context import current

EVALUATIONS = "feature_flag_evaluations_total"
DEFAULT = "default"
UNKNOWN = "unknown"


class Recording(Hook):
    """OpenFeature's hook that records every evaluation.

    Every later log record of the request has `flags`, with the variant of each flag that it
    was decided by. The current span, if one is recorded, has an event in the terms of
    OpenTelemetry's semantic conventions; those that the SDK's own `telemetry` uses are
    outdated. The targeting key is in neither: it tells who a customer is.

    Args:
        known: the flags that there are; other names share one label.
        registry: where the counter goes.
    """

    def __init__(self, known: Container[str], registry: CollectorRegistry) -> None:
        self._known = known
        # Not read at scrape: an evaluation may happen in a thread, and this one has a lock.
        self._evaluations = Counter(
            EVALUATIONS,
            "Evaluations of feature flags; the reason of one that failed is its error.",
            ("flag", "variant", "reason"),
            registry=registry,
        )

    def finally_after(
        self,
        hook_context: HookContext,
        details: FlagEvaluationDetails[FlagValueType],
        hints: HookHints,
    ) -> None:
        """Runs after each evaluation, failed ones included. The SDK logs what it raises."""
        name, variant = details.flag_key, details.variant or DEFAULT
        reason = (details.error_code or details.reason or Reason.UNKNOWN).lower()
        label = name if name in self._known else UNKNOWN
        self._evaluations.labels(label, variant, reason).inc()
        state = current.get()
        if state is not None:
            before = state.bound.get("flags", {}) if state.bound else {}
            state.bind(flags={**before, name: variant})
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event("feature_flag.evaluation", _attributes(hook_context, details))


def _attributes(
    hook_context: HookContext, details: FlagEvaluationDetails[FlagValueType]
) -> dict[str, Any]:
    """https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/"""
    attributes: dict[str, Any] = {
        "feature_flag.key": details.flag_key,
        "feature_flag.result.reason": (details.reason or Reason.UNKNOWN).lower(),
    }
    if hook_context.provider_metadata is not None:
        attributes["feature_flag.provider.name"] = hook_context.provider_metadata.name
    if details.variant is not None:
        attributes["feature_flag.result.variant"] = details.variant
    elif isinstance(details.value, (bool, int, float, str)):
        attributes["feature_flag.result.value"] = details.value
    if details.error_code is not None:
        attributes["error.type"] = details.error_code.lower()
    return attributes
