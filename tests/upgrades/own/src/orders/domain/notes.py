"""Notes: a line of text, and what its account holds."""

from typing import Protocol


class Balances(Protocol):
    """Where accounts are kept."""

    async def balance(self, account: str) -> int:
        """In minor units."""
        ...


def tidy(text: str) -> str:
    """One line, with one blank where there were several."""
    return " ".join(text.split())
