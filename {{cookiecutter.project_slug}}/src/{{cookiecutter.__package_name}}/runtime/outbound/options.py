"""What one dependency's pipeline is built from, as a branch of the settings.

The stages bound each other, so their options are checked against each other: what could
never work is refused at start, with the names of both.
"""

from typing import Self

from pydantic import Field, model_validator

from ..config.groups import Group, Hot, OptionalUrl, Rate, Seconds, Share


class BreakerOptions(Group):
    """When calls to a dependency stop, and how they come back."""

    threshold: Rate = 0.6  # share of failures in the window that opens it
    window: Seconds = 5.0  # that outcomes count for
    buckets: int = Field(10, ge=1, le=1000)  # the window moves on by one of these at a time
    min_calls: int = Field(10, ge=1)  # in the window, before any share means something
    open_for: Seconds = 60.0  # before the first trial
    trials: int = Field(3, ge=1)  # at most in half-open; all must succeed

    @model_validator(mode="after")
    def _opens_at_failures_only(self) -> Self:
        if self.threshold == 0:
            raise ValueError("threshold must be above 0, or the first call opens the breaker")
        return self


class RetryOptions(Group):
    """Further attempts of a call that may be repeated: idempotent, or with a key."""

    attempts: int = Field(3, ge=1, le=10)  # in all: the first and two retries
    backoff: Seconds = 0.05  # before the first retry at most; doubles, with full jitter
    backoff_max: Seconds = 1.0
    budget: Rate = 0.1  # retries per call: an outage is multiplied by 1.1, not by 3
    burst: int = Field(10, ge=1)  # retries that are there before the first call


class Dependency(Group):
    """A service that this one calls. The stages of a call are in the order of these options."""

    url: OptionalUrl = ""  # empty in development: its sandbox
    critical: bool = False  # its open breaker makes this service unready, see the README
    max_concurrent: Hot[int] = Field(200, ge=1)  # calls; the next is refused, it never waits
    deadline_share: Hot[Share] = 0.9  # of what is left of the request, for a call and its retries
    timeout: Hot[Seconds] = 2.0  # a whole call with its retries, inside its share of the deadline
    retry: Hot[RetryOptions] = RetryOptions()
    breaker: Hot[BreakerOptions] = BreakerOptions()
    attempt_timeout: Hot[Seconds] = 1.0  # one attempt; the dependency's failure when it passes
    connect_timeout: Hot[Seconds] = 1.0  # TCP; another network's round trips, not its work
    tls_timeout: Seconds = 5.0  # handshake; a new connection is not worth more
    max_connections: Hot[int] = Field(2000, ge=1)  # in all, of a tuned Go transport
    max_per_host: Hot[int] = Field(1000, ge=1)
    idle_timeout: Hot[Seconds] = 90.0  # of a kept connection; keep it below the other side's
    max_answer_bytes: Hot[int] = Field(8_388_608, ge=1)  # 8 MiB, held in memory
    http2: bool = False  # needs the extra `http2`

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        breaker, retry = self.breaker, self.retry
        if "?" in self.url or "#" in self.url:
            raise ValueError("url must end with its path: the paths of calls are added to it")
        if self.attempt_timeout > self.timeout:
            raise ValueError("attempt_timeout must be at most timeout, which holds all attempts")
        if self.connect_timeout > self.attempt_timeout:
            raise ValueError("connect_timeout must be at most attempt_timeout, which holds it")
        if breaker.window < 2 * self.attempt_timeout:
            raise ValueError(
                "breaker.window must be at least twice attempt_timeout,"
                " or timeouts have left it before they count"
            )
        if breaker.trials > self.max_concurrent:
            raise ValueError("breaker.trials must be at most max_concurrent, or it never closes")
        if retry.backoff > retry.backoff_max:
            raise ValueError("retry.backoff must be at most retry.backoff_max")
        if self.max_concurrent > self.max_per_host or self.max_per_host > self.max_connections:
            raise ValueError(
                "max_concurrent <= max_per_host <= max_connections,"
                " or calls wait for a connection instead of being refused"
            )
        return self
