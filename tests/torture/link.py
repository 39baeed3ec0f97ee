"""Cut lines, kill nodes, kill the coordinator under many nodes: by the hundred.

    python -m tests.torture.link --cuts 500 --kills 500 --storm 200 --seed 1 \
        --json docs/evidence/link.json --table docs/evidence/link.md

Numbers are worth something on a machine that does nothing else. Exit code 1 when
anything happened that must never happen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.link.cuts import draw, judge, suffer
from tests.link.judge import Findings, quantiles, summary
from tests.link.kills import killed
from tests.link.storm import struck
from tests.link.traces import MS
from tests.link.wire import why_not
from tests.link.world import ROOT, environment, gathered, plant

CELLS = 20
"""Cells that suffer at the same time."""
CELLS_A_PROCESS = 4
SAID_EVERY_S = 10.0
ROW = "| {at} | {commit} | {machine} | {cuts} | {hold} | {late} | {shown} | {back} | {kills} | {storm} | {violations} |"  # noqa: E501 - a row is a row


def say(text: str) -> None:
    """Tell whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@asynccontextmanager
async def progress(what: str, done: Callable[[], int], of: int):
    """Say how far it is, and how long it will take."""
    began = time.monotonic()

    async def tell() -> None:
        while True:
            await asyncio.sleep(SAID_EVERY_S)
            spent, count = time.monotonic() - began, done()
            left = f"{spent / count * (of - count):.0f} s left" if count else "..."
            say(f"{what}: {count} of {of}, {spent:.0f} s, {left}")

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


def shares(total: int, parts: int) -> list[int]:
    """A total in parts that differ by at most one."""
    return [total // parts + (n < total % parts) for n in range(parts)]


async def cuts(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Cut the lines of many cells at once."""
    found = Findings()
    plan = {}
    for n, count in enumerate(shares(options.cuts, min(CELLS, options.cuts))):
        rng = random.Random(f"{options.seed} {n}")  # noqa: S311 - weather
        plan[f"c{n}"] = [draw(rng, longest_s=options.longest) for _ in range(count)]
    names = list(plan)

    def done() -> int:
        return sum(n for what, n in found.counts.items() if what.startswith("cut_"))

    async with plant(folder, names, seed=options.seed) as world:
        for first in range(0, len(names), CELLS_A_PROCESS):
            some = names[first : first + CELLS_A_PROCESS]
            await world.crowd({cell: cell for cell in some})
        async with progress("cuts", done, options.cuts):
            await gathered(suffer(world, c, one, found) for c, one in plan.items())
    return summary(judge(world, found))


async def kills(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Kill nodes that hold a permit."""
    found = Findings()
    plan = {
        f"c{n}": count
        for n, count in enumerate(shares(options.kills, min(CELLS, options.kills)))
    }
    async with plant(folder, list(plan), seed=options.seed) as world:
        for cell in plan:
            await world.node(cell, cell)
        async with progress("kills", lambda: found.counts["kills"], options.kills):
            await gathered(killed(world, c, n, found) for c, n in plan.items())
    return summary(judge(world, found))


async def storm(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Kill the coordinator under many nodes."""
    found = Findings()
    back_ns, held_ns = await struck(folder, options.storm, found, within_s=60.0)
    told = {
        **summary(found),
        "nodes": options.storm,
        "session_after_serving": quantiles(back_ns),
        "person_hold_ms": round(held_ns / MS, 1),
    }
    if max(back_ns) > 10_000 * MS:
        told["violations"].append("not all had a session again within 10 s")
    return told


async def wire(folder: Path, _options: argparse.Namespace) -> dict[str, Any]:
    """The same over real packets."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-n", sys.executable, "-m", "tests.link.wired", str(folder)),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    found: dict[str, Any] = json.loads(said)
    return found


def commit() -> str:
    """What is tried: the commit, with a mark when the tree differs from it."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    dirty = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + dirty


def machine() -> str:
    """Where it is tried."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python " + (
        platform.python_version()
    )


def told(of: dict[str, Any]) -> str:
    """Three numbers in one field."""
    if not of.get("n"):
        return "none"
    return f"{of['p50_ms']:g} / {of['p99_ms']:g} / {of['max_ms']:g}"


def row(result: dict[str, Any]) -> str:
    """The result as a row of docs/evidence/link.md."""
    cut, kill, storms = (result.get(k, {}) for k in ("cuts", "kills", "storm"))
    storm_text = "none"
    if storms:
        back = storms["session_after_serving"]
        storm_text = f"{storms['nodes']} in {back['max_ms'] / 1000:.1f} s"
    return ROW.format(
        at=result["at"][:10],
        commit=result["commit"],
        machine=result["machine"],
        cuts=result["asked"]["cuts"],
        hold=told(cut.get("hold_after_lease", {})),
        late=told(cut.get("process_late", {})),
        shown=told(cut.get("shown_after_last_bytes", {})),
        back=told(cut.get("back_after_healing", {})),
        kills=kill.get("counts", {}).get("kills", 0),
        storm=storm_text,
        violations=result["violations"],
    )


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.link")
    add = parser.add_argument
    add("--cuts", type=int, default=500, help="cuts of lines; 0: none")
    add("--kills", type=int, default=500, help="nodes killed with a permit; 0: none")
    add("--storm", type=int, default=200, help="nodes under a killed coordinator")
    add("--longest", type=float, default=30.0, help="longest cut, s")
    add("--seed", type=int, default=1, help="same seed, same cuts")
    add("--json", type=Path, help="file to write the result to")
    add("--table", type=Path, help="Markdown file to add the result's row to")
    add("--keep", type=Path, help="folder to keep traces and journals in")
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Do everything that was asked for, one after another."""
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m tests.torture.link", *sys.argv[1:]]),
        "machine": machine(),
        "commit": commit(),
        "seed": options.seed,
        "asked": {
            "cuts": options.cuts, "kills": options.kills,
            "storm": options.storm, "longest_s": options.longest,
        },
    }  # fmt: skip
    asked = {"cuts": cuts, "kills": kills, "storm": storm}
    phases: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
        name: phase for name, phase in asked.items() if getattr(options, name) > 0
    }
    if why_not():
        result["wire"] = {"skipped": why_not(), "violations": []}
    else:
        phases["wire"] = wire
    for name, phase in phases.items():
        began = time.monotonic()
        (folder / name).mkdir()
        result[name] = await phase(folder / name, options)
        result[name]["seconds"] = round(time.monotonic() - began, 1)
        say(f"{name}: {json.dumps(result[name])}")
    result["violations"] = sum(
        len(part["violations"]) for part in result.values() if isinstance(part, dict)
        and "violations" in part
    )  # fmt: skip
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run it; exit code 1 when anything happened that must never happen."""
    options = parse(arguments)
    # Nodes that say that their session is lost are not what is being tried.
    logging.disable(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="andon-torture-"))
    try:
        result = asyncio.run(run(options, folder))
    finally:
        if options.keep is not None:
            sockets = shutil.ignore_patterns("*.sock")
            shutil.copytree(folder, options.keep, ignore=sockets, dirs_exist_ok=True)
        shutil.rmtree(folder)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.table is not None:
        with options.table.open("a", encoding="utf-8") as table:
            table.write(row(result) + "\n")
    say(row(result))
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
