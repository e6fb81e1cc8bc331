"""Names of the contract as names of Python."""

import builtins
import keyword
import re
import unicodedata

# What a generated module, a class or a method already means by these.
RESERVED = frozenset(
    {
        *("self", "cls", "models", "operations", "print"),
        *("str", "int", "float", "bool", "bytes", "list", "dict"),
    }
)
# Names that the models' own module imports.
CLASSES = frozenset(
    {
        *("Any", "Annotated", "Literal", "Model", "Field", "Enum", "StrEnum", "IntEnum"),
        *("ConfigDict", "MISSING", "AwareDatetime", "UUID", "TypeAliasType", "Optional", "Union"),
        *("Dict", "List", "Mapping", "Sequence", "None_", "IPv4Address", "IPv6Address"),
    }
)


def words(name: str) -> list[str]:
    """`getHTTPStatus-v2` as get, HTTP, Status, v2."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return re.findall(r"[A-Za-z0-9]+", spaced)


def pascal(name: str) -> str:
    """As a class's name."""
    joined = "".join(word[0].upper() + word[1:] for word in words(name)) or "Unnamed"
    joined = f"N{joined}" if joined[0].isdigit() else joined
    is_taken = joined in CLASSES or keyword.iskeyword(joined) or hasattr(builtins, joined)
    return f"{joined}Model" if is_taken else joined


def snake(name: str) -> str:
    """As a function's, a parameter's or a field's name."""
    joined = "_".join(word.lower() for word in words(name)) or "unnamed"
    joined = f"n_{joined}" if joined[0].isdigit() else joined
    return f"{joined}_" if keyword.iskeyword(joined) or joined in RESERVED else joined


def unique(name: str, taken: set[str]) -> str:
    """`name`, or with the first number that nobody has; notes it as taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    taken.add(candidate)
    return candidate
