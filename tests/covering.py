"""Few combinations of answers that hold every pair of answers to two questions at least once."""

import itertools
from collections.abc import Mapping, Sequence

Row = dict[str, str]


def covering(choices: Mapping[str, Sequence[str]]) -> list[Row]:
    """Rows in which each pair of answers to different questions is together somewhere.

    Greedy and the same every time: each row takes, question by question, the answer that covers
    the most pairs which no row has yet.
    """
    open_pairs = {
        frozenset({(one, a), (two, b)})
        for one, two in itertools.combinations(choices, 2)
        for a, b in itertools.product(choices[one], choices[two])
    }
    rows: list[Row] = []
    while open_pairs:
        # Each row begins with a pair that is still open, so that it cannot be in vain.
        row: Row = dict(min(open_pairs, key=sorted))
        for name in (name for name in choices if name not in row):
            row[name] = max(choices[name], key=lambda answer: _gain(row, name, answer, open_pairs))
        pairs = {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}
        open_pairs -= pairs
        rows.append({name: row[name] for name in choices})
    return rows


def _gain(row: Row, name: str, answer: str, pairs: set[frozenset[tuple[str, str]]]) -> int:
    return sum(frozenset({(name, answer), other}) in pairs for other in row.items())
