"""The notes operations: HTTP in, domain out."""

from humanize import intcomma

from ..contract import models
from ..contract.api import NotesApi
from ..domain.notes import Balances, tidy


class NotesHandler(NotesApi):
    """Binds the operations of the tag `notes` to the domain."""

    def __init__(self, balances: Balances, longest: int) -> None:
        self._balances, self._longest = balances, longest

    async def take_note(self, *, body: models.NewNote, account: str | None) -> models.Note:
        text = tidy(body.text)[: self._longest]
        balance = await self._balances.balance(account) if account else 0
        return models.Note(text=text, balance=intcomma(balance))
