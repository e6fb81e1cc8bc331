"""Small pieces of Python source."""

import textwrap

HEADER = "# Generated from contract/openapi.yaml by `make contract`. Do not edit.\n"
WIDTH = 76


def literal(text: str) -> str:
    """A string literal; a long one in pieces that a reader can follow."""
    if len(text) <= WIDTH:
        return repr(text)
    pieces = textwrap.wrap(text, WIDTH, drop_whitespace=False, break_on_hyphens=False)
    if "".join(pieces) != text:  # line breaks of its own
        pieces = [f"{line}\n" for line in text.split("\n")]
        pieces[-1] = pieces[-1][:-1]
    return "(" + "\n".join(repr(piece) for piece in pieces) + ")"


def docstring(*paragraphs: str, indent: str = "") -> str:
    """A docstring of the paragraphs that are not empty."""
    lines: list[str] = []
    for paragraph in filter(None, paragraphs):
        if lines:
            lines.append("")
        for line in paragraph.strip().splitlines():
            margin = line[: len(line) - len(line.lstrip())]
            lines += textwrap.wrap(line, WIDTH, subsequent_indent=margin) or [""]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):
        text += " "
    quoted = f'"""{text}"""' if len(lines) < 2 else f'"""{text}\n"""'
    return "\n".join(f"{indent}{line}".rstrip() for line in quoted.split("\n"))


def mapping(members: str) -> str:
    """The source of a dict."""
    return "{" + members + "}"


def sentence(text: str) -> str:
    """With a full stop, as a docstring's first line ends."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?:" else f"{text}."
