"""Notes are tidy."""

from orders.domain.notes import tidy


def test_a_note_is_one_line() -> None:
    assert tidy("  two\n words ") == "two words"
