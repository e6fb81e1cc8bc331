"""A clock that a test sets."""


class Clock:
    """Seconds that pass when `advance` says so; eighths of them add up exactly."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
