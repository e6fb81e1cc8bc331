"""What a person wants to know of a dependency, in what JSON can say."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import httpx

from ..instants import iso
from .pipeline import Pipeline


def report(pipeline: Pipeline) -> Mapping[str, Any]:
    """The pipeline's state now. Latencies in milliseconds, of the last 1000 attempts."""
    breaker, options = pipeline.breaker, pipeline.options
    counts = breaker.counts()
    forced = breaker.forced
    return {
        "url": str(httpx.URL(options.url).copy_with(userinfo=b"")),  # read without a token
        "critical": options.critical,
        "state": breaker.status,
        "forced": {"state": forced[0], "seconds_left": round(forced[1], 1)} if forced else None,
        "window": {
            "seconds": options.breaker.window,
            "failure_ratio": round(breaker.ratio(), 3),
            "opens_at": options.breaker.threshold,
            **asdict(counts),
        },
        "active": pipeline.active,
        "max_concurrent": options.max_concurrent,
        "retry_budget": round(pipeline.retries.tokens, 1),
        "latency_ms": pipeline.latencies.quantiles(),
        "transitions": [
            {
                "at": iso(change.time),
                "from": change.before,
                "to": change.after,
                "forced": change.forced,
            }
            for change in reversed(breaker.transitions)
        ],
    }
