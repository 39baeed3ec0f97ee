"""How soon a person sees a question, how soon the robot hears the answer, at what cost.

    python -m benchmarks.operator_speed [--samples 30] [--write]

A real coordinator, `andon tui` in a terminal of its own, the page in headless Chromium,
cells that speak raw gRPC: each a process. About four minutes. `--write` keeps the
result in docs/evidence/operator.md; do that on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.seat.page import Tablet, wall_ns
from benchmarks.seat.plant import ROOT, Cell, Plant, busy, cells, share
from benchmarks.seat.report import Figures, page
from benchmarks.seat.terminal import Terminal

EVIDENCE = ROOT / "docs/evidence/operator.md"
LOOK_S = 0.7
"""Longer than the terminal wants a person to look before the first key, s."""
PAUSE_S = 0.3
SOON_S = 30.0
"""More than anything here takes on a machine that is not overloaded, s."""
ASKING, AT_WORK = "press-asks", ("press-a", "press-b", "press-c")
BOARD_CELLS, BOARD_ASKING = 200, 50
WATCHED_CELLS, TABLETS = 10, 50
MEASURE_S = 12.0
SETTLE_S = 3.0


async def terminal(
    figures: Figures, plant: Plant, cell: Cell, folder: Path, samples: int
) -> None:
    """From a window to the card, from a key to the permit, in the terminal."""
    async with Terminal.on(plant.address, folder) as seat:
        await seat.sees(ASKING)
        await asyncio.sleep(SETTLE_S)
        figures.small_share = await share(seat.pid, MEASURE_S)
        for _ in range(samples):
            card = seat.look_for("QUESTIONS 1", cell.next_part)
            cut_ns = await cell.cut(sure=False)
            figures.card_tui.append(await within(card) - cut_ns)
            mine = seat.look_for("yours")
            seat.press("n")
            await within(mine)
            await asyncio.sleep(LOOK_S)
            back = seat.look_for("Nothing is asked")
            tap_ns = seat.press("1")
            figures.leave_tui.append(await cell.permitted_ns() - tap_ns)
            await within(back)
            await asyncio.sleep(PAUSE_S)


async def tablet(figures: Figures, plant: Plant, cell: Cell, samples: int) -> None:
    """The same on the page; left out where there is no browser."""
    if shutil.which("chromium") is None:
        figures.notes.append("The page was not measured: chromium is not installed.")
        return
    async with Tablet.on(plant.web_port) as seat:
        await seat.look_for(".cell")
        await seat.seen_ns()
        await asyncio.sleep(SETTLE_S)
        for _ in range(samples):
            await seat.look_for(".question", cell.next_part)
            cut_ns = await cell.cut(sure=False)
            figures.card_page.append(await seat.seen_ns() - wall_ns(cut_ns))
            await seat.look_for(".answer")
            await seat.tap(".question")
            await seat.seen_ns()
            await asyncio.sleep(LOOK_S)
            tap_ns = await seat.tap(".answer:not([disabled])")
            figures.leave_page.append(wall_ns(await cell.permitted_ns()) - tap_ns)
            await asyncio.sleep(PAUSE_S)


async def board(figures: Figures, folder: Path) -> None:
    """What a board of 200 cells with 50 open questions costs the terminal."""
    names = [f"press-{n:03d}" for n in range(BOARD_CELLS)]
    async with AsyncExitStack() as open_:
        plant = await open_.enter_async_context(Plant.serving(folder, names))
        made = await open_.enter_async_context(cells(plant.address, names))
        for cell in made[:BOARD_ASKING]:
            await cell.cut(sure=False)
        seat = await open_.enter_async_context(Terminal.on(plant.address, folder))
        await seat.sees("QUESTIONS ")
        await asyncio.sleep(SETTLE_S)
        figures.board_calm = await share(seat.pid, MEASURE_S)
        every_s = (BOARD_CELLS - BOARD_ASKING) / figures.windows_s
        async with busy(made[BOARD_ASKING:], every_s):
            await asyncio.sleep(SETTLE_S)
            drawn, begin_s = seat.drawn_bytes, time.monotonic()
            figures.board_busy = await share(seat.pid, MEASURE_S)
            seconds = time.monotonic() - begin_s
            figures.drawn_kb_s = (seat.drawn_bytes - drawn) / seconds / 1e3


async def watched(figures: Figures, folder: Path) -> None:
    """What 50 tablets that watch cost the coordinator, native and in browsers."""
    names = [f"press-{n:03d}" for n in range(WATCHED_CELLS)]
    async with (
        Plant.serving(folder, names) as plant,
        cells(plant.address, names) as made,
        busy(made, 1.0),
    ):
        await asyncio.sleep(SETTLE_S)
        figures.nobody = await share(plant.pid, MEASURE_S)
        for natives, browsers in ((TABLETS, 0), (0, TABLETS)):
            words = (plant.address, str(plant.web_port), str(natives), str(browsers))
            watching = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.seat.watchers", *words),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert watching.stdin is not None
            assert watching.stdout is not None
            assert (await watching.stdout.readline()) == b"ready\n"
            await asyncio.sleep(SETTLE_S)
            cost = await share(plant.pid, MEASURE_S)
            watching.stdin.close()
            came = json.loads(await watching.stdout.readline())
            await watching.wait()
            seconds = MEASURE_S + SETTLE_S
            if natives:
                figures.natives, figures.native_s = cost, came["native"] / seconds
            else:
                figures.browsers, figures.browser_s = cost, came["browser"] / seconds


async def within(when: asyncio.Future[int]) -> int:
    """Wait for a moment, but not for ever."""
    async with asyncio.timeout(SOON_S):
        return await when


async def main(samples: int, *, write: bool) -> None:
    """Measure all of it, and print the page."""
    figures = Figures(samples)
    with tempfile.TemporaryDirectory() as made:
        folders = [Path(made) / name for name in ("seats", "board", "tablets")]
        for folder in folders:
            folder.mkdir()
        names = (ASKING, *AT_WORK)
        async with (
            Plant.serving(folders[0], names) as plant,
            cells(plant.address, names) as nodes,
            busy(nodes[1:], 1.0),
        ):
            say("the terminal")
            await terminal(figures, plant, nodes[0], folders[0], samples)
            say("the page")
            await tablet(figures, plant, nodes[0], samples)
        say(f"a board of {BOARD_CELLS} cells")
        await board(figures, folders[1])
        say(f"{TABLETS} tablets that watch")
        await watched(figures, folders[2])
    text = page(figures)
    print(text)
    if write:
        EVIDENCE.write_text(text, encoding="utf-8")


def say(what: str) -> None:
    """Say what is measured now."""
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--samples", type=int, default=30, help="questions a seat")
    reader.add_argument("--write", action="store_true", help="keep it as evidence")
    options = reader.parse_args()
    asyncio.run(main(options.samples, write=options.write))
