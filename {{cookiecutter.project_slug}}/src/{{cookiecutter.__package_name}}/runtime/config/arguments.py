"""Settings on the command line, above all other layers."""

from collections.abc import Iterable

from .layers import Branch, entry_variable, from_pairs
from .problems import InvalidSettings, unknown_variables
from .tree import Tree


def from_arguments(kind: type[Tree], words: Iterable[str]) -> Branch:
    """The tree of words such as `log.level=debug` or `APP_LOG__LEVEL=debug`.

    Raises:
        InvalidSettings: a word is no such thing, or names no setting.
    """
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidSettings([f"--set {word}: takes NAME=VALUE, such as log.level=debug"])
        pairs[entry_variable(name)] = value
    if problems := [f"--set {line}" for line in unknown_variables(kind, pairs)]:
        raise InvalidSettings(problems)
    return from_pairs(kind, pairs)
