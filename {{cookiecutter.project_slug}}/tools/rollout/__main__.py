"""`python -m tools.rollout --url http://host:port/path -- COMMAND`: what does the command cost?

Keeps a load on the URL while the command runs and for a while after it, and tells every request
that was not answered well. No request is tried twice. Exit code 0: none was lost, and the load
was real; 1: a request was lost, the command failed, or nothing was proved.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
import uvloop

from tools.drill.records import Records
from tools.drill.traffic import BODY

from .load import KEPT, NEW, Load, Target, lost, warmed

MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the command and of the load; times of the monotonic clock.

    `code` is None where the command ran into its limit.
    """

    code: int | None
    began: float
    ended: float
    records: Records


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: until there are answers, for the command, and of load after it."""

    warm: float
    command: float
    after: float


class RolloutError(Exception):
    """There is nothing to judge; the message says why."""


async def commanded(words: Sequence[str], limit: float) -> int | None:
    """Run it; its exit code, or None when it was ended after `limit` seconds."""
    try:
        process = await asyncio.create_subprocess_exec(*words, start_new_session=True)
    except OSError as exc:
        raise RolloutError(f"{words[0]}: {exc.strerror}") from None
    try:
        async with asyncio.timeout(limit):
            return await process.wait()
    except TimeoutError:
        return None
    finally:  # it and its children
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def hold(load: Load, words: Sequence[str], limits: Limits) -> Outcome:
    """The command under the load.

    Raises:
        RolloutError: nothing answers, so that there is nothing to lose; or there is no command.
    """
    running = asyncio.create_task(load.run())
    try:
        if not await warmed(load, limits.warm):
            answers = Records(load.records).outcomes()
            raise RolloutError(f"the service does not answer: {answers}")
        began = time.monotonic()
        code = await commanded(words, limits.command)
        ended = time.monotonic()
        await asyncio.sleep(limits.after)
        load.stop()
        await running
        return Outcome(code, began, ended, load.judged(began))
    finally:
        running.cancel()


def verdict(outcome: Outcome) -> list[str]:
    """Why it is none that a rolling update should have; empty: it is."""
    reasons = []
    if outcome.code is None:
        reasons.append("the command did not end in time")
    elif outcome.code:
        reasons.append(f"the command failed: exit code {outcome.code}")
    during = outcome.records.between(outcome.began, outcome.ended)
    reasons += [
        f"nothing proved: no request on a {kind} while the command ran"
        for kind in (NEW, KEPT)
        if not any(kind in record.route for record in during)
    ]
    if failed := lost(outcome.records):
        reasons.append(f"{len(failed)} of {len(outcome.records)} requests were lost")
    return reasons


def report(outcome: Outcome) -> None:
    """For people."""
    records = outcome.records
    seconds = outcome.ended - outcome.began
    during = records.between(outcome.began, outcome.ended)
    new = len(records.where(lambda one: NEW in one.route))
    print(f"The command took {seconds:.1f} s, with {len(during)} requests meanwhile.")
    print(f"Sent {len(records)}: {new} on new connections, {len(records) - new} on kept ones.")
    print(f"Answers: {records.outcomes()}; p99 {records.latency(0.99) * 1000:.0f} ms.")
    failed = lost(records)
    for one in failed[:MOST_LINES]:
        print(f"  lost {one.intended - outcome.began:+.2f} s: {one}")
    if len(failed) > MOST_LINES:
        print(f"  and {len(failed) - MOST_LINES} more")


def target_of(url: str, post: str, body: bytes, headers: Sequence[str]) -> Target:
    """Raises `typer.BadParameter` for what cannot be asked."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise typer.BadParameter("a URL is asked for that starts with http://")
    if post and not post.startswith("/"):
        raise typer.BadParameter("--post takes a path on the same host")
    if any(":" not in line or "\n" in line for line in headers):
        raise typer.BadParameter("--header takes 'Name: value'")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.hostname, parts.port or 80, path, post, body, tuple(headers))


def main(
    command: Annotated[list[str], typer.Argument(help="what to run, after --")],
    url: Annotated[str, typer.Option(help="what is asked for by GET")],
    post: Annotated[str, typer.Option(help="a path that every other request posts to")] = "",
    body: Annotated[Path | None, typer.Option(help="JSON to post; an order by itself")] = None,
    header: Annotated[list[str] | None, typer.Option(help="'Name: value' of each")] = None,
    rate: Annotated[float, typer.Option(help="requests per second", min=1)] = 50,
    patience: Annotated[float, typer.Option(help="seconds that an answer may take")] = 10,
    after: Annotated[
        float, typer.Option(help="seconds of load after the command: until old pods have gone")
    ] = 30,
    limit: Annotated[float, typer.Option(help="seconds that the command may take")] = 600,
    warm_limit: Annotated[float, typer.Option(help="seconds until the first answers")] = 30,
) -> None:
    """Keep a load on a URL while a command runs, and tell what was lost."""
    target = target_of(url, post, body.read_bytes() if body else BODY, header or [])
    limits = Limits(warm_limit, limit, after)

    async def judge() -> list[str]:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        outcome = await hold(Load(target, rate, patience), command, limits)
        report(outcome)
        return verdict(outcome)

    try:
        reasons = uvloop.run(judge())
    except RolloutError as exc:
        reasons = [str(exc)]
    except asyncio.CancelledError:
        reasons = ["ended before its end"]
    for reason in reasons:
        print(f"error: {reason}", file=sys.stderr)
    if not reasons:
        print("No request was lost.")
    raise SystemExit(1 if reasons else 0)


if __name__ == "__main__":
    typer.run(main)
