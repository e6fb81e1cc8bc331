"""`/flags`: feature flags and how often each was on."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from ..config.configuration import Configuration
from ..config.snapshot import Snapshot
from ..config.tree import Path
from ..flags.flag import Flag
from ..flags.recording import EVALUATIONS
from ..observability.metrics import Metrics
from .documents import Content, Document


def flags_document(config: Configuration[Any], metrics: Metrics) -> Document:
    """What is shown.

    Args:
        config: of settings with `flags`.
    """

    def read() -> Content:
        now, counts = config.snapshots.current, _evaluations(metrics.registry)
        flags: Mapping[str, Flag] = now.settings.flags
        return {
            "flags": [
                {
                    "name": name,
                    "enabled": flag.enabled,
                    "percentage": flag.percentage,
                    "headers": {header: list(one) for header, one in flag.headers.items()},
                    "claims": {claim: list(one) for claim, one in flag.claims.items()},
                    "source": _source(now, ("flags", name)),
                    # What could not be decided was the default of the calling code.
                    "evaluations": {
                        variant: counts[name, variant] for variant in ("on", "off", "default")
                    },
                }
                for name, flag in sorted(flags.items())
            ]
        }

    return Document("/flags", "feature flags and how often each was on", read)


def _source(now: Snapshot[Any], path: Path) -> str:
    """The layers that have said something of it; the branch as a whole, or parts of it."""
    found = {layer for one, layer in now.origins.items() if one[: len(path)] == path}
    return ", ".join(sorted(found)) or "default"


def _evaluations(registry: CollectorRegistry) -> Counter[tuple[str, str]]:
    """How often each flag had each variant, since the start; one collector is asked, not all."""
    counts: Counter[tuple[str, str]] = Counter()
    for family in registry.restricted_registry([EVALUATIONS]).collect():
        for sample in family.samples:
            if sample.name == EVALUATIONS:
                counts[sample.labels["flag"], sample.labels["variant"]] += int(sample.value)
    return counts
