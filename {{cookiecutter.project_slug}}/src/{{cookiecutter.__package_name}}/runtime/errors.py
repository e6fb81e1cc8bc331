"""Errors that more than one part of the machinery raises."""


class StartupError(Exception):
    """The service cannot start; the message is the one line that its operator reads."""


class DependencyUnavailable(Exception):
    """Something this service needs does not answer, or answers that it cannot.

    Attributes:
        dependency: its name in the settings.
        retry_after: seconds after which asking again makes sense.
    """

    def __init__(self, dependency: str, reason: str, *, retry_after: int = 1) -> None:
        super().__init__(f"{dependency}: {reason}")
        self.dependency = dependency
        self.retry_after = retry_after
