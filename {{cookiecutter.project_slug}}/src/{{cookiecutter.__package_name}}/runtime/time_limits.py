"""The times that a request is held to, as they are now."""

from typing import Any

from .config.live import Live


class TimeLimits:
    """Read at each request, at an attribute access each; what changes holds for the next one.

    Attributes:
        request_timeout: seconds that a request may take, unless its route has its own limit.
            One that is under way keeps the deadline that it began with.
        stream_idle_timeout: seconds that a streaming route may go without sending anything.
        slow_request: seconds from which a request counts as slow.
    """

    __slots__ = ("request_timeout", "slow_request", "stream_idle_timeout")

    def __init__(
        self, *, request_timeout: float, stream_idle_timeout: float, slow_request: float
    ) -> None:
        self.request_timeout = request_timeout
        self.stream_idle_timeout = stream_idle_timeout
        self.slow_request = slow_request

    def update_http(self, *, request_timeout: float, stream_idle_timeout: float, **_: Any) -> None:
        """Take over the settings of the service's port."""
        self.request_timeout = request_timeout
        self.stream_idle_timeout = stream_idle_timeout

    def update_log(self, *, slow_request: float, **_: Any) -> None:
        """Take over the settings of the log."""
        self.slow_request = slow_request


def open_time_limits(http: Live[Any], log: Live[Any]) -> TimeLimits:
    """The limits as the settings have them, now and after each change."""
    limits = TimeLimits(
        request_timeout=http.now.request_timeout,
        stream_idle_timeout=http.now.stream_idle_timeout,
        slow_request=log.now.slow_request,
    )
    http.follow(limits.update_http)
    log.follow(limits.update_log)
    return limits
