"""From SIGTERM to the exit: what still works, and the latest instant at which it ends."""

from .code import SETTINGS, default, termination_grace
from .drawing import WIDTH, Colour, Drawing

LEFT, RIGHT, TOP, STEP, BAR = 150, 30, 52, 40, 26


def draw() -> Drawing:
    """With the defaults; after the delay each end is the latest, and most come sooner."""
    delay, grace, close = (
        float(default(SETTINGS, "Http", name)) for name in ("drain_delay", "grace", "close_timeout")
    )
    cut, closed, killed = delay + grace, delay + grace + close, termination_grace()
    picture = Drawing("The drain after SIGTERM", TOP + 5 * STEP + 52)

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / killed

    bottom = TOP + 5 * STEP
    marks = (
        (0, "SIGTERM", ""),
        (delay, "listener closes", f"drain_delay {delay:g} s"),
        (cut, "the rest is cut", f"+ grace {grace:g} s"),
        (closed, "all is closed", f"+ close_timeout {close:g} s"),
        (killed, "SIGKILL", f"+ {killed - closed:g} s spare"),
    )
    for second, above, below in marks:
        picture.line(f"M{x(second):.5g},{TOP - 12}V{bottom}", dashed=True)
        anchor = "end" if second == killed else "middle"
        at = x(second) + (RIGHT if second == killed else 0)
        picture.text(at, TOP - 20, above, "small", anchor)
        picture.text(x(second), bottom + 18, f"{second:g} s", "strong", "middle")
        picture.text(at, bottom + 36, below, "small", anchor)

    def row(number: int, name: str, begin: float, end: float, words: str, colour: Colour) -> None:
        y = TOP + STEP * number
        picture.text(LEFT - 12, y + 18, name, "strong", "end")
        picture.box(x(begin), y, x(end) - x(begin), BAR, colour)
        picture.text((x(begin) + x(end)) / 2, y + 18, words, "on small", "middle")

    row(0, "readiness", 0, cut, "fails: send no more", Colour.RED)
    row(1, "listener", 0, delay, "takes requests", Colour.GREEN)
    row(2, "requests", 0, cut, "are finished; what is left is cut", Colour.GREEN)
    row(3, "clients, database", cut, closed, "close", Colour.BLUE)
    row(4, "kubelet", 0, killed, "waits: terminationGracePeriodSeconds", Colour.GREY)
    return picture
