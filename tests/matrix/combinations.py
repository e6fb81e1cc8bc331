"""Which sets of answers are tried."""

import os
from typing import NamedTuple

from tests.covering import covering
from tests.rendering import CHOICES

Answers = dict[str, str]
# Everything that can be tried, as in `make matrix`; without it what `make test` has time for.
WHOLE = os.environ.get("MATRIX") == "whole"
# What the code of the service depends on; the rest changes manifests, pipelines, licences.
CODE = ("database", "auth", "config_center", "python_version")


class Combination(NamedTuple):
    """Answers to all questions that have choices.

    Attributes:
        name: what it is for, for people.
    """

    name: str
    answers: Answers


def of_code() -> list[Combination]:
    """Each pair of those answers that the code depends on, with others of the rest each time."""
    code = covering({name: CHOICES[name] for name in CODE})
    rest = covering({name: CHOICES[name] for name in CHOICES if name not in CODE})
    return [
        Combination(f"code-{number}", row | rest[number % len(rest)])
        for number, row in enumerate(code, 1)
    ]


def combinations() -> list[Combination]:
    """Those of the code, then each pair of all answers, each answer alone, and all together."""
    defaults = {name: choices[0] for name, choices in CHOICES.items()}
    wanted = [
        *of_code(),
        *(Combination(f"pairs-{n}", row) for n, row in enumerate(covering(CHOICES), 1)),
        *(
            Combination(f"{name}-{answer}", defaults | {name: answer})
            for name, choices in CHOICES.items()
            for answer in choices[1:]
        ),
        Combination("all", {name: choices[-1] for name, choices in CHOICES.items()}),
    ]
    # The first one of several that are the same.
    different = {tuple(one.answers[name] for name in CHOICES): one for one in reversed(wanted)}
    return list(reversed(different.values()))
