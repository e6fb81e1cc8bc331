"""Names of what is added: which are refused, and how one is spelt in each place."""

import builtins
import keyword
import re
import sys

from pydantic import BaseModel

from ..contract.naming import pascal, snake
from .refusal import Refusal

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z][a-z0-9]*)*")
LENGTHS = range(2, 31)  # a line of code has to hold it more than once
# What generated code and its tests call something else.
TAKEN = frozenset(
    {
        *("api", "app", "authorize", "body", "callable", "check", "client", "connection"),
        *("database", "found", "health", "insert", "limit", "made", "operations", "page", "path"),
        *("problem", "process", "protocol", "query", "read", "response", "row", "running"),
        *("served", "server", "upstream", "version"),
    }
)


def checked(name: str) -> str:
    """The name as an identifier. Raises `Refusal`."""
    if not NAME.fullmatch(name) or len(name) not in LENGTHS:
        raise Refusal(
            f"NAME={name}: use {LENGTHS[0]} to {LENGTHS[-1]} lower-case letters and digits,"
            " words joined by single hyphens or underscores, such as inventory or gift-cards"
        )
    identifier = name.replace("-", "_")
    if keyword.iskeyword(identifier) or keyword.issoftkeyword(identifier):
        raise Refusal(f"NAME={name}: {identifier} is a word of the Python language")
    if hasattr(builtins, identifier):
        raise Refusal(f"NAME={name}: {identifier} is one of Python's own functions")
    if identifier in sys.stdlib_module_names:
        raise Refusal(f"NAME={name}: {identifier} is a module of Python's standard library")
    if hasattr(BaseModel, identifier) or identifier.startswith("model_"):
        raise Refusal(f"NAME={name}: {identifier} is something that every group of settings has")
    unlike = pascal(identifier) != title(identifier) or snake(identifier) != identifier
    if identifier in TAKEN or unlike:
        raise Refusal(f"NAME={name}: {identifier} is a name that generated code uses itself")
    return identifier


def title(name: str) -> str:
    """As a class's name."""
    return "".join(word.capitalize() for word in name.split("_"))


def words(name: str) -> str:
    """As prose."""
    return name.replace("_", " ")


def singular(many: str) -> str:
    """One of them, by the regular rules of English; `<name>_item` where they say nothing."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if many.endswith(ending) and len(many) > len(ending) + 1:
            return many.removesuffix(ending) + one
    if many.endswith("s") and not many.endswith(("ss", "us", "is")) and len(many) > 2:
        return many[:-1]
    return f"{many}_item"
