"""The documents of `/debug` as lines for a terminal."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Document = Mapping[str, Any]
SHOWN: Final = 15  # of what is sorted with the most important first
UNKNOWN: Final = "-"


def printable(line: str) -> str:
    """Without control characters: names from outside must not steer the terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def _number(value: float | None, unit: str = "", digits: int = 0) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f}{unit}"


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1%}"


def _stack(frames: list[str]) -> Iterator[str]:
    yield from (f"      {frame}" for frame in frames)


def tasks_text(document: Document) -> Iterator[str]:
    """Groups of tasks, the largest first; the place where each waits comes last."""
    groups = document["groups"]
    took = _number(document["pause_ms"], " ms", 1)
    yield f"{document['tasks']} tasks in {len(groups)} groups, looked at in {took}"
    for group in groups:
        ages = [group["youngest_seconds"], group["oldest_seconds"]]
        age = " to ".join(dict.fromkeys(_number(one, " s", 1) for one in ages))
        waits = f", waits for {group['waits_for']}" if group["waits_for"] else ""
        yield ""
        yield f"{group['count']:>5} {group['coroutine']} ({group['state']}{waits}; age {age})"
        if named := [name for name in group["names"] if name]:
            yield f"      named {', '.join(named)}"
        yield from _stack(group["stack"])


def threads_text(document: Document) -> Iterator[str]:
    """Each thread with its stack."""
    yield f"{len(document['threads'])} threads"
    for thread in document["threads"]:
        daemon = ", daemon" if thread["daemon"] else ""
        cpu = _number(thread["cpu_seconds"], " s of processor time", 2)
        yield ""
        yield f"{thread['name']} ({thread['id']}{daemon}; {cpu})"
        yield from _stack(thread["stack"])


def process_text(document: Document) -> Iterator[str]:
    """One line for each part."""
    loop, memory, cpu = document["loop"], document["memory"], document["cpu"]
    lag, files, collector = loop["lag_ms"], document["files"], document["gc"]
    yield (
        f"event loop  {loop['implementation']}, {_number(loop['tasks'])} tasks; lag "
        f"{_number(lag['last'], ' ms', 1)} now, in the last minute "
        f"{_number(lag['p99_1m'], ' ms', 1)} at p99, {_number(lag['max_1m'], ' ms', 1)} at most"
    )
    yield (
        f"memory      {_number(memory['rss_mib'], ' MiB', 1)}, "
        f"{_number(memory['peak_mib'], ' MiB', 1)} at most, "
        f"{_share(memory['share'])} of the limit {_number(memory['limit_mib'], ' MiB')}"
    )
    yield (
        f"processor   {_number(cpu['seconds'], ' s', 1)}, in the last minute "
        f"{_share(cpu['share_1m'])} of a core; {document['threads']} threads"
    )
    kinds = ", ".join(f"{count} {kind}" for kind, count in files["kinds"].items() if count)
    yield f"files       {_number(files['open'])} of {_number(files['limit'])} ({kinds or UNKNOWN})"
    state = "on" if collector["enabled"] else "off"
    yield f"collector   {state}, {_number(collector['frozen'])} objects left alone"
    for one in collector["generations"]:
        yield (
            f"  generation {one['generation']}  {_number(one['collections'])} collections, "
            f"{_number(one['pause_ms_total'], ' ms', 1)} in all, "
            f"{_number(one['pause_ms_max'], ' ms', 1)} at most; {_number(one['collected'])} "
            f"objects, {_number(one['uncollectable'])} that cannot be"
        )
    for pool in document["pools"]:
        yield (
            f"pool        {pool['name']} ({pool['kind']}): {_number(pool['in_use'])} of "
            f"{_number(pool['limit'])} in use, {_number(pool['waiting'])} wait"
        )


def stalls_text(document: Document) -> Iterator[str]:
    """The last ones first, each with the line that held the loop."""
    yield (
        f"{document['count']} stalls of more than {document['threshold_seconds']:g} s, "
        f"{document['seconds_total']:.1f} s in all"
    )
    for stall in document["stalls"]:
        lasted = _number(stall["seconds"], " s", 2)
        yield ""
        yield f"{stall['at']}  {'goes on' if stall['seconds'] is None else lasted}  {stall['line']}"
        yield f"      {stall['code']}"
        who = [f"{name} {stall[name]}" for name in ("task", "request_id") if stall[name]]
        if who:
            yield f"      {', '.join(who)}"
        yield from _stack(stall["stack"])


def build_text(document: Document) -> Iterator[str]:
    """What it is, then every package."""
    for name, value in document.items():
        if name != "packages":
            yield f"{name:<14} {value}"
    for package in document["packages"]:
        yield f"{package['name']} {package['version']}"


TEXTS: Final[Mapping[str, Callable[[Document], Iterator[str]]]] = {
    "build": build_text,
    "process": process_text,
    "stalls": stalls_text,
    "tasks": tasks_text,
    "threads": threads_text,
}


def cost_of(document: Document, kind: str) -> str:
    """What a profile of this kind costs, in a sentence."""
    return "".join(one["cost"] for one in document["kinds"] if one["kind"] == kind)


def profile_text(profile: Document) -> Iterator[str]:
    """Its largest parts, and what it cost."""
    yield f"{profile['kind']}, {profile['seconds']:g} s, {profile['samples']:,} samples"
    for one in profile["top"][:SHOWN]:
        value = _number(one["value"], f" {one['unit']}", 0 if one["unit"] == "bytes" else 2)
        yield f"{_share(one['share']):>7} {value:>18}  {one['name']}  {one['where']}"
    if not profile["top"]:
        yield "nothing was seen"
    more = [f"{one['more']:+} {one['name']}" for one in profile.get("types", ())[:SHOWN]]
    if more:
        yield f"more of    {', '.join(more)}"
    measured = [f"{name} {value}" for name, value in profile["cost"].items() if name != "text"]
    yield f"its cost   {', '.join(measured)}"
