"""Why nothing was changed."""


class Refusal(Exception):
    """What was asked for cannot be done; nothing has been changed.

    Args:
        reason: one line.
        by_hand: what to add instead, where the place for it was not found.
    """

    def __init__(self, reason: str, by_hand: str = "") -> None:
        super().__init__(reason)
        self.by_hand = by_hand
