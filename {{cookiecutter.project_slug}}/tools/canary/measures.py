"""What Prometheus has measured of the two versions, told apart by the label `track`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

ANSWER_LIMIT = 10.0  # seconds, of one query


class MeasureError(Exception):
    """Prometheus does not answer, or not with numbers."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One version, over the window.

    Attributes:
        requests: how many it answered.
        error_ratio: the share of 5xx among them.
        p99: seconds; NaN where there were none.
        restarts: of its processes.
    """

    requests: float = 0.0
    error_ratio: float = 0.0
    p99: float = math.nan
    restarts: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.requests:.0f} requests, {self.error_ratio:.2%} errors, p99 {self.p99:.3f} s"
            + (f", {self.restarts:.0f} restarts" if self.restarts else "")
        )


class Measures:
    """The service of one namespace, in one Prometheus.

    Args:
        job: what the ServiceMonitor calls the service.
        token: shown as a bearer token, where Prometheus asks for one.
    """

    def __init__(self, url: str, namespace: str, job: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=ANSWER_LIMIT)
        self._ours = (f'namespace="{namespace}"', f'job="{job}"')

    def read(self, window: float) -> tuple[Reading, Reading]:
        """The canary and the stable, over the last `window` seconds.

        Raises:
            MeasureError: nothing is known.
        """
        span = f"[{max(1, round(window))}s]"
        count = self._series("http_server_request_duration_seconds_count") + span
        failed = self._series("http_server_request_duration_seconds_count", 'status=~"5.."') + span
        bucket = self._series("http_server_request_duration_seconds_bucket") + span
        # The counters of a process that died tell nothing; the time its successor began does.
        began = self._series("process_start_time_seconds") + span
        requests = self._query(f"sum by (track) (increase({count}))")
        # One query, not two: the two would be answered at different times.
        ratios = self._query(
            f"sum by (track) (increase({failed})) / sum by (track) (increase({count}))"
        )
        p99 = self._query(f"histogram_quantile(0.99, sum by (track, le) (rate({bucket})))")
        restarts = self._query(f"sum by (track) (changes({began}))")

        def of(track: str) -> Reading:
            ratio = ratios.get(track, 0.0)  # of none: NaN
            return Reading(
                requests.get(track, 0.0),
                0.0 if math.isnan(ratio) else ratio,
                p99.get(track, math.nan),
                restarts.get(track, 0.0),
            )

        return of("canary"), of("stable")

    def scraped(self, track: str) -> int:
        """How many pods of a version answered the last scrape."""
        return int(self._query(f"sum by (track) ({self._series('up')})").get(track, 0))

    def _series(self, name: str, *more: str) -> str:
        return name + "{" + ",".join([*self._ours, *more]) + "}"

    def _query(self, query: str) -> Mapping[str, float]:
        try:
            answer = self._client.post("/api/v1/query", data={"query": query})
            answer.raise_for_status()
            found = answer.json()["data"]["result"]
            return {one["metric"].get("track", ""): float(one["value"][1]) for one in found}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as exc:
            raise MeasureError(f"Prometheus: {str(exc) or type(exc).__name__}") from None
