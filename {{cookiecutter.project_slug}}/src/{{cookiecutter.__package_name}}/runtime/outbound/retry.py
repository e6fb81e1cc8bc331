"""Further attempts: which calls may have them, when, and how many an outage gets."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from .options import RetryOptions

# RFC 9110, 9.2.2: the effect of several is that of one.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
KEY = "idempotency-key"
# What may be otherwise next time. 500 is not among them: most often it fails again.
TRANSIENT = frozenset({429, 502, 503, 504})
# Of `Retry-After`: 11 days; more is not a pause that anyone meant.
MAX_DIGITS = 6


def repeatable(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a call may be sent twice: by its method, or because it carries a key."""
    return method in IDEMPOTENT or any(name.lower() == KEY for name in headers)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that `Retry-After` asks to wait, from seconds or from a date; None if it does not.

    Args:
        headers: their names in lower case, or httpx's.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= MAX_DIGITS else None
    try:
        date = parsedate_to_datetime(value)
        # Its oldest form names no zone; all of them are of GMT.
        seconds = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if seconds < 10**MAX_DIGITS else None


class Retries:
    """The retry budget of one dependency, and the pauses between attempts.

    A bucket of tokens, as gRPC has it: it starts with `burst`, each call adds `budget`, each
    retry takes one. In an outage the dependency gets `burst` retries and then at most one
    for every ten calls, instead of every call `attempts` times.
    """

    def __init__(
        self, options: RetryOptions, *, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._options = options
        self.tokens = float(options.burst)
        self._draw = draw

    def update(self, options: RetryOptions) -> None:
        """Earn and keep retries by these from now on; those that are there stay, up to `burst`."""
        self._options = options
        self.tokens = min(self.tokens, float(options.burst))

    def call_began(self) -> None:
        """A first attempt earns its share of a retry."""
        self.tokens = min(self.tokens + self._options.budget, float(self._options.burst))

    def pause(
        self, attempt: int, options: RetryOptions, *, left: float, asked: float | None
    ) -> float | None:
        """Seconds to wait before the next attempt; None when there is none.

        Args:
            attempt: that has just failed, from 1.
            options: those that its call began with.
            left: seconds until the call's deadline; a pause that reaches it is none.
            asked: seconds that the dependency asked for.
        """
        if attempt >= options.attempts or self.tokens < 1:
            return None
        # Full jitter: callers that failed together do not come back together.
        longest = min(options.backoff_max, options.backoff * 2 ** (attempt - 1))
        seconds = (asked or 0.0) + self._draw(0, longest)
        if seconds >= left:
            return None
        self.tokens -= 1
        return seconds
