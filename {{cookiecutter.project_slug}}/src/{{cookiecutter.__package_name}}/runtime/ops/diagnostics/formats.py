"""A profile in the formats that other tools read."""

from typing import Any, Final

from .profile import Profile

MICROSECONDS: Final = 1e6


def printable(frame: str) -> str:
    """Without control characters: names may come from anywhere, and go to a terminal too."""
    return "".join(char if char.isprintable() else "\ufffd" for char in frame)


def collapsed(profile: Profile) -> str:
    """One line per stack, as `flamegraph.pl` takes it: `outer;inner weight`.

    Weights are whole numbers: bytes, or microseconds.
    """
    factor = MICROSECONDS if profile.unit == "seconds" else 1
    lines = [
        f"{';'.join(printable(frame).replace(';', ',') for frame in stack)} {whole}\n"
        for stack, weight in profile.stacks
        if (whole := round(weight * factor))
    ]
    return "".join(lines)


def speedscope(profile: Profile, name: str) -> dict[str, Any]:
    """What https://www.speedscope.app reads, a `sampled` profile.

    Args:
        name: what its window shows.
    """
    numbers: dict[str, int] = {}
    samples = [
        [numbers.setdefault(frame, len(numbers)) for frame in stack] for stack, _ in profile.stacks
    ]
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": name,
        "exporter": "debug/profiles",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(printable(frame)) for frame in numbers]},
        "profiles": [
            {
                "type": "sampled",
                "name": name,
                "unit": profile.unit,
                "startValue": 0,
                "endValue": sum(weight for _, weight in profile.stacks),
                "samples": samples,
                "weights": [weight for _, weight in profile.stacks],
            }
        ],
    }


def _frame(text: str) -> dict[str, Any]:
    """`file:line in function`, or the name of something that is no function."""
    where, found, function = text.partition(" in ")
    file, _, line = where.rpartition(":")
    if found and line.isascii() and line.isdigit():
        return {"name": function, "file": file, "line": int(line)}
    return {"name": text}
