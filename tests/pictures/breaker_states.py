"""The breaker's states, and what leads from one to the next."""

from .code import OPTIONS, default
from .drawing import WIDTH, Colour, Drawing

BOX, HIGH = 190, 74
MIDDLE = (WIDTH - BOX) / 2
RIGHT = WIDTH - BOX - 20
TOP, LOW = 40, 236


def draw() -> Drawing:
    """With the defaults of the options."""
    breaker = {
        name: default(OPTIONS, "BreakerOptions", name)
        for name in ("threshold", "window", "min_calls", "open_for", "trials")
    }
    attempt = default(OPTIONS, "Dependency", "attempt_timeout")
    picture = Drawing("The states of the circuit breaker", 330)
    _state(picture, 20, TOP, "closed", "every call goes through", Colour.GREEN)
    _state(picture, RIGHT, TOP, "open", "calls are refused at once", Colour.RED)
    trials = f"at most {breaker['trials']} trials go through"
    _state(picture, MIDDLE, LOW, "half-open", trials, Colour.BLUE)
    picture.arrow(f"M{20 + BOX},{TOP + 36}H{RIGHT - 4}")
    opens = f"{100 * breaker['threshold']:g} % or more of at least {breaker['min_calls']} calls"
    picture.text(WIDTH / 2, TOP + 8, opens, anchor="middle")
    within = f"that began in the last {breaker['window']:g} s failed"
    picture.text(WIDTH / 2, TOP + 26, within, anchor="middle")
    x = RIGHT + BOX - 50
    picture.arrow(f"M{x},{TOP + HIGH}V{LOW + 24}H{MIDDLE + BOX + 4}")
    picture.text(x - 10, 160, f"after {breaker['open_for']:g} s,", anchor="end")
    picture.text(x - 10, 177, "when it is next asked", anchor="end")
    picture.arrow(f"M{MIDDLE + BOX},{LOW + 56}H{x + 30}V{TOP + HIGH + 4}")
    picture.text(x + 20, LOW + 75, "one trial fails,", anchor="end")
    picture.text(x + 20, LOW + 92, f"or is not back after {2 * attempt:g} s", anchor="end")
    picture.arrow(f"M{MIDDLE},{LOW + HIGH / 2}H90V{TOP + HIGH + 4}")
    picture.text(102, 160, f"all {breaker['trials']} trials succeed;")
    picture.text(102, 177, "nothing counted stays")
    return picture


def _state(picture: Drawing, x: float, y: float, name: str, does: str, colour: Colour) -> None:
    picture.box(x, y, BOX, HIGH, colour)
    picture.text(x + BOX / 2, y + 31, name, "on strong", "middle")
    picture.text(x + BOX / 2, y + 52, does, "on small", "middle")
