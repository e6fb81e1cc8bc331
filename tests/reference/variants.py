"""The services that the pages are read from, and which answers bring what is in them."""

import functools
from collections.abc import Callable, Iterable
from typing import TypeVar

from tests.rendering import CHOICES, rendered

from .markdown import codes
from .source import Source

# Each answer that changes code or commands, beside the default service, which has the first ones.
ANSWERS = (
    ("database", "none"),
    ("auth", "jwt"),
    ("config_center", "etcd"),
    ("config_center", "consul"),
    ("config_center", "nacos"),
    ("progressive_delivery", "gateway-api"),
    ("helm", "yes"),
)
T = TypeVar("T")


@functools.cache
def source(**answers: str) -> Source:
    """The package of the service with these answers."""
    return Source(rendered(**answers))


def gathered(read: Callable[[Source], Iterable[T]]) -> list[tuple[T, str]]:
    """What `read` finds in any of the services, in order, each with the answers that it needs.

    Empty: it is in all of them.
    """
    default = list(dict.fromkeys(read(source())))
    found: list[T] = list(default)
    needs: dict[T, list[tuple[str, str]]] = {one: [] for one in default}
    for question, answer in ANSWERS:
        at, there = 0, list(dict.fromkeys(read(source(**{question: answer}))))
        for one in default:
            if one not in there:
                needs[one].append((question, CHOICES[question][0]))
        for one in there:
            if one not in found:
                found.insert(at, one)
            if one not in default:
                needs.setdefault(one, []).append((question, answer))
            at = found.index(one) + 1
    return [(one, _said(needs[one])) for one in found]


def _said(needs: Iterable[tuple[str, str]]) -> str:
    return codes(f"{question}={answer}" for question, answer in dict.fromkeys(needs))
