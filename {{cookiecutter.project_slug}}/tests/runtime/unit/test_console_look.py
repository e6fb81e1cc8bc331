"""What the console's look promises: it can be read by everybody, and loads nothing of others."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from steadfast_service.runtime.ops import console

FOLDER = Path(str(console.__file__)).parent
CSS = (FOLDER / "templates/console.css").read_text(encoding="utf-8")
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
OURS = r"<style>\{\{ style \}\}</style>"  # of the page; the policy has its hash
# Which text stands on which ground.
TEXTS = {
    "text": ("ground", "card", "sunk"),
    "dim": ("ground", "card", "sunk"),
    "link": ("ground", "card", "sunk"),
    "good": ("card", "good-ground"),
    "warn": ("card", "sunk", "warn-ground"),
    "bad": ("card", "sunk", "bad-ground"),
}
GRAPHICS = {"a": ("ground", "card", "sunk"), "b": ("ground", "card"), "strong-line": ("card",)}


def themes() -> dict[str, dict[str, str]]:
    """The colours of each theme; the dark one changes some of the light one's."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block))
        for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    digits = colour.removeprefix("#")
    full = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black and white."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_read(theme: str) -> None:
    colours = themes()[theme]
    for wanted, pairs in ((4.5, TEXTS), (3.0, GRAPHICS)):  # WCAG 2, level AA
        for name, grounds in pairs.items():
            for ground in grounds:
                found = contrast(colours[name], colours[ground])
                assert found >= wanted, f"{name} on {ground}, {theme}: {found:.2f}"


def test_states_have_a_sign_beside_their_colour() -> None:
    alone = r'::before { content: "\S'
    for look in ("good", "warn", "bad"):
        assert re.search(rf"\.badge\.{look}{alone}", CSS)
    for look in ("warn", "bad"):
        assert re.search(rf"\.alerts \.{look} a{alone}", CSS)
        assert re.search(rf"\.tile\.{look} b{alone}", CSS)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_trust_nothing_and_load_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for forbidden in (r"\|\s*safe", "autoescape", r"\sstyle=", "<style", r"\son[a-z]+=", "//"):
        assert not re.search(forbidden, re.sub(OURS, "", text)), forbidden


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_headings_skip_no_level(path: Path) -> None:
    levels = [int(level) for level in re.findall(r"<h(\d)", path.read_text(encoding="utf-8"))]
    assert all(after <= before + 1 or before == 1 for before, after in pairwise(levels))
    if path.parent.name == "sections":
        assert set(levels) <= {3}  # the section itself has the second


def test_the_style_sheet_asks_for_nothing_else() -> None:
    assert not re.search(r"url\(|@import|https?:", CSS)
    assert len(CSS.encode()) <= 20_000
