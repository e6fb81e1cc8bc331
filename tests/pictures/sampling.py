"""Which requests are written: one draw against nested bounds, and what changes it at the end."""

from math import log10

from .code import SETTINGS, default, ordinary_rate
from .drawing import WIDTH, Colour, Drawing

LEFT, RIGHT, TOP, STEP, BAR = 20, 20, 52, 36, 26
DECADES = 4  # of the scale: from 0.01 % to all


def draw() -> Drawing:
    """The bounds over the draw, and below them the way of a record."""
    shares = (
        ("logged", ordinary_rate(), Colour.BLUE),
        (
            "traced, if the trace starts here",
            default(SETTINGS, "Tracing", "sample_ratio"),
            Colour.GREY,
        ),
        ("logged, on a key route", default(SETTINGS, "Log", "key_route_rate"), Colour.GREEN),
    )
    picture = Drawing("Which requests are logged and traced", 404)
    picture.text(LEFT, 24, "One draw for each request: the low 64 bits of its trace id", "strong")
    for number, (name, share, colour) in enumerate(shares):
        y = TOP + STEP * number - 10
        picture.box(LEFT, y, _x(share) - LEFT, BAR, colour)
        picture.text(_x(share) + 10, y + 18, f"{name}: {100 * share:g} %")
    axis = TOP + STEP * 3
    picture.line(f"M{LEFT},{axis}H{WIDTH - RIGHT}")
    for power in range(-DECADES, 1):
        anchor = "start" if power == -DECADES else "end" if power == 0 else "middle"
        picture.text(_x(10.0**power), axis + 18, f"{100 * 10.0**power:g} %", "small", anchor)
    _way_of_a_record(picture, axis + 48)
    return picture


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (1 + log10(share) / DECADES)


def _way_of_a_record(picture: Drawing, top: float) -> None:
    size = default(SETTINGS, "Log", "story_size")
    slow = default(SETTINGS, "Log", "slow_request")
    picture.text(LEFT, top + 6, "What becomes of a request's records", "strong")
    y = top + 22
    _box(picture, LEFT, y, "the draw says yes", "written as they come", Colour.BLUE)
    _box(picture, LEFT, y + 88, "the draw says no", f"the last {size} are held", Colour.GREY)
    written, dropped = 500, y + 110
    _box(picture, written, y, "the log", "one line of JSON each", Colour.GREEN)
    _box(picture, written, y + 88, "dropped", "counted, never rendered", Colour.GREY)
    picture.arrow(f"M{LEFT + 200},{y + 27}H{written - 4}")
    picture.arrow(f"M{LEFT + 200},{dropped + 8}H{written - 4}")
    picture.text(LEFT + 212, dropped + 26, "it ends well", "small")
    picture.arrow(f"M{LEFT + 200},{dropped - 8}H470V{y + 42}H{written - 4}")
    picture.text(LEFT + 212, y + 76, f"5xx, or {slow:g} s and longer,", "small")
    picture.text(LEFT + 212, y + 93, "or it logs an error: all of it", "small")


def _box(picture: Drawing, x: float, y: float, name: str, what: str, colour: Colour) -> None:
    picture.box(x, y, 200, 54, colour)
    picture.text(x + 100, y + 23, name, "on strong", "middle")
    picture.text(x + 100, y + 42, what, "on small", "middle")
