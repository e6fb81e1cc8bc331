"""The layers of the settings, and how a change of one comes into force, or does not."""

from .code import default
from .drawing import WIDTH, Colour, Drawing

OPTIONS = "runtime/config/options.py"
EDGE, TOP = 20, 44
WIDE, HIGH, STEP = 220, 34, 42
MIDDLE, WAY, STAGE, DOWN = 290, 200, 42, 63
END = 180
RIGHT = WIDTH - EDGE - END
# Highest first; the name of the option that says where it is, empty where there is none.
LAYERS = (
    ("arguments", ""),
    ("the environment", ""),
    ("the configuration centre", "source"),
    ("mounted directories", "directories"),
    ("a file", "file"),
    ("the defaults", ""),
)
STAGES = ("parsed", "merged, with all layers", "validated as a whole", "what needs a restart stays")


def draw() -> Drawing:
    """Layers on the left, the way of a change in the middle, what becomes of it on the right."""
    picture = Drawing("How a change of the settings comes into force", 330)
    picture.text(EDGE, 24, "Layers, the highest first", "strong")
    for number, (name, option) in enumerate(LAYERS):
        if option:
            default(OPTIONS, "ConfigOptions", option)  # it is gone: LookupError
        y = TOP + STEP * number
        # Those that are followed while the service runs.
        picture.box(EDGE, y, WIDE, HIGH, Colour.BLUE if option else Colour.GREY)
        picture.text(EDGE + 14, y + 22, name, "on strong")
    _way(picture)
    bottom = TOP + STEP * len(LAYERS) + 16
    picture.box(EDGE, bottom - 11, 14, 14, Colour.BLUE)
    picture.text(EDGE + 22, bottom, "followed while the service runs", "small")
    return picture


def _way(picture: Drawing) -> None:
    followed = [number for number, (_, option) in enumerate(LAYERS) if option]
    highest, lowest = (TOP + STEP * followed[end] + HIGH / 2 for end in (0, -1))
    bracket, first = EDGE + WIDE + 16, TOP + STAGE / 2
    picture.line(f"M{EDGE + WIDE},{highest:g}H{bracket}V{lowest:g}H{EDGE + WIDE}")
    picture.arrow(f"M{bracket},{highest:g}V{first:g}H{MIDDLE - 4}")
    picture.text(MIDDLE, 24, "One change", "strong")
    for number, stage in enumerate(STAGES):
        y = TOP + DOWN * number
        picture.box(MIDDLE, y, WAY, STAGE, Colour.BLUE)
        picture.text(MIDDLE + WAY / 2, y + 26, stage, "on small", "middle")
        if number:
            picture.arrow(f"M{MIDDLE + WAY / 2:g},{y - DOWN + STAGE}V{y - 4}")
    # Each stage may refuse; only the last one lets it through.
    last = TOP + DOWN * (len(STAGES) - 1)
    bracket, refused = RIGHT - 22, (first + last + 10) / 2
    for at in (first, first + DOWN, first + 2 * DOWN, last + 10):
        picture.line(f"M{MIDDLE + WAY},{at:g}H{bracket}V{refused:g}")
    picture.arrow(f"M{bracket},{refused:g}H{RIGHT - 4}")
    _end(picture, refused - 27, "refused", "the last good one stays", Colour.RED)
    picture.arrow(f"M{MIDDLE + WAY},{last + 32}H{RIGHT - 4}")
    _end(picture, last + 5, "in force", "one snapshot, at once", Colour.GREEN)


def _end(picture: Drawing, y: float, name: str, what: str, colour: Colour) -> None:
    picture.box(RIGHT, y, END, 54, colour)
    picture.text(RIGHT + END / 2, y + 23, name, "on strong", "middle")
    picture.text(RIGHT + END / 2, y + 42, what, "on small", "middle")
