"""`python -m tools.canary IMAGE`: bring an image to a cluster by weights, judged by its metrics.

Exit code 0: promoted. 1: rolled back. 2: refused, nothing was changed. 3: rolled back, but not
completely; the last lines say what is left.
"""

import os
import signal
import sys
import time
import tomllib
from types import FrameType
from typing import Annotated

import typer
import yaml

from ..package import ROOT
from .cluster import Cluster, ClusterError
from .judging import Limits
from .kubectl import Kubectl, KubectlError
from .measures import MeasureError, Measures
from .steps import Canary, Failed, Pace

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
cli = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


class Interrupted(Exception):
    """Somebody wants it to end."""


def interrupt(number: int, _frame: FrameType | None) -> None:
    """The way back begins, and nothing stops it."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    raise Interrupted(signal.Signals(number).name)


def say(text: str) -> None:
    """One line, with the time."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def namespace_of(environment: str) -> str:
    """What the overlay of this name is applied to."""
    path = ROOT / "deploy" / "kustomize" / "overlays" / environment / "kustomization.yaml"
    if not path.exists():
        raise typer.BadParameter(f"{environment}: there is no such overlay")
    found: str = yaml.safe_load(path.read_text(encoding="utf-8"))["namespace"]
    return found


@cli.command()
def canary(
    image: Annotated[str, typer.Argument(help="name:tag, or name@digest")] = "",
    environment: Annotated[str, typer.Option(help="an overlay of deploy/kustomize")] = "production",
    prometheus: Annotated[
        str, typer.Option(envvar="PROMETHEUS_URL", help="its address, as seen from here")
    ] = "http://127.0.0.1:9090",
    min_requests: Annotated[float, typer.Option(help="in a window, to say anything")] = 300,
    max_error_ratio: Annotated[float, typer.Option(help="share of 5xx")] = 0.01,
    max_slowdown: Annotated[float, typer.Option(help="of p99, over the stable's")] = 1.5,
    fast_enough: Annotated[float, typer.Option(help="p99 in s that is never too slow")] = 0.05,
    window: Annotated[float, typer.Option(help="s that a look covers, and a step takes")] = 300,
    interval: Annotated[float, typer.Option(help="s between looks")] = 30,
    patience: Annotated[float, typer.Option(help="s that a step may take")] = 1800,
    clean: Annotated[bool, typer.Option(help="remove what a killed run has left")] = False,
) -> None:
    """Bring an image to a cluster by weights; back by itself when its metrics are bad."""
    namespace = namespace_of(environment)
    name = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]["name"]
    # Read from the environment: a command line is seen by everybody on the machine.
    token = os.environ.get("PROMETHEUS_TOKEN", "")
    run = Canary(
        Cluster(Kubectl(namespace), name),
        Measures(prometheus, namespace, name, token),
        Limits(min_requests, max_error_ratio, max_slowdown, fast_enough),
        Pace(window, interval, patience),
        say,
    )
    if clean:
        sys.exit(0 if run.back() else 3)
    if not image:
        raise typer.BadParameter("name an image: make canary IMAGE=name:tag")
    try:
        run.check()
    except (ClusterError, KubectlError, MeasureError) as exc:
        say(f"refused: {exc}")
        sys.exit(2)
    for number in SIGNALS:
        signal.signal(number, interrupt)
    code = 1
    try:
        run.run(image)
        code = 0
    except (Failed, ClusterError, KubectlError, Interrupted) as exc:
        say(f"rolling back: {exc}")
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if not run.back():
            say("not all was undone: repeat it with --clean")
            sys.exit(3)
    say("rolled back" if code else "promoted")
    sys.exit(code)


if __name__ == "__main__":
    cli(prog_name="python -m tools.canary")
