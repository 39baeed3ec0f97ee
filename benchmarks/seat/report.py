"""What was measured, as the page docs/evidence/operator.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

BAR_S = 1.0
"""Seen within a second, and heard within a second, s."""
LEAST = 0.003
"""A smaller share of a core is within what the kernel's ticks tell."""


@dataclass
class Figures:
    """Everything that was measured; times in ns, CPU as a share of one core."""

    samples: int
    card_tui: list[int] = field(default_factory=list)
    leave_tui: list[int] = field(default_factory=list)
    card_page: list[int] = field(default_factory=list)
    leave_page: list[int] = field(default_factory=list)
    windows_s: float = 75.0
    """Windows a second that the plant of the large board decides alone."""
    small_share: float = 0.0
    board_calm: float = 0.0
    board_busy: float = 0.0
    drawn_kb_s: float = 0.0
    nobody: float = 0.0
    natives: float = 0.0
    native_s: float = 0.0
    browsers: float = 0.0
    browser_s: float = 0.0
    notes: list[str] = field(default_factory=list)


def page(figures: Figures) -> str:
    """The page, in Markdown."""
    parts = (_head(), _latency(figures), _board(figures), _tablets(figures))
    notes = "".join(f"\n{note}\n" for note in figures.notes)
    return "\n".join(parts) + notes


def _head() -> str:
    return f"""# The operator's seat: how soon, and at what cost

Written by `python -m benchmarks.operator_speed --write`; do not edit.

{machine()}
"""


def _latency(figures: Figures) -> str:
    measured = (
        ("window cut to card drawn, terminal", figures.card_tui),
        ("window cut to card painted, page", figures.card_page),
        ("key to permit at the node, terminal", figures.leave_tui),
        ("tap to permit at the node, page", figures.leave_page),
    )
    rows = "\n".join(_row(what, times) for what, times in measured if times)
    return f"""## Seen and heard within a second

{figures.samples} questions a seat, while three other cells send a window a second. A
real coordinator, its model a rule, `undo_s = 0`. The terminal is `andon tui` in
160 x 48: "drawn" is when the bytes of the card have come out of it. The page is in
headless Chromium at 1280 x 800: "painted" is the frame after the one in which the card
was made. Times in ms; the bar is {BAR_S:.0f} s at p95.

| from, to | p50 | p95 | most | within the bar |
|---|---|---|---|---|
{rows}

The terminal paints ten times a second, so a card waits 50 ms on average, and 100 at
most, before it is drawn at all. A person then has `undo_s` (3 s unless configured)
before the robot has leave.
"""


def _row(what: str, times: Sequence[int]) -> str:
    p50, p95, most = (float(x) / 1e6 for x in np.quantile(times, (0.5, 0.95, 1.0)))
    met = "yes" if p95 <= BAR_S * 1e3 else "**no**"
    return f"| {what} | {p50:.0f} | {p95:.0f} | {most:.0f} | {met} |"


def _board(figures: Figures) -> str:
    f = figures
    return f"""## A board of 200 cells with 50 open questions, at 10 Hz

CPU of the terminal's process, as a share of one core.

| board | CPU |
|---|---|
| 4 cells, nothing asked, 3 windows/s | {f.small_share:.1%} |
| 200 cells, 50 open questions, nothing else happens | {f.board_calm:.1%} |
| the same, and {f.windows_s:.0f} windows/s decided alone | {f.board_busy:.1%} |

The first row is what ten pictures a second cost, whatever the plant does. The second
adds {_more(f.board_calm - f.small_share)}: each picture looks at every cell and
question, sorts them and renders the rows that are in sight, and deadlines count down,
so rows change though nothing happens. The third adds
{_more(f.board_busy - f.board_calm)}: a window changes its cell twice, each change is a
message to parse and to fold, and {f.drawn_kb_s:.0f} kB/s are drawn. Painting does not
grow with events: however many come between two pictures, it is one picture.
"""


def _more(difference: float) -> str:
    return f"{difference:.1%}" if difference >= LEAST else "nothing that shows"


def _tablets(figures: Figures) -> str:
    f = figures
    native_us = _each_us(f.natives - f.nobody, f.native_s)
    browser_us = _each_us(f.browsers - f.nobody, f.browser_s)
    return f"""## 50 tablets that watch

CPU of the coordinator, as a share of one core, while 10 cells send a window a second.

| who watches | CPU | messages/s to all of them |
|---|---|---|
| nobody | {f.nobody:.1%} | - |
| 50 native tablets (gRPC) | {f.natives:.1%} | {f.native_s:,.0f} |
| 50 browsers (gRPC-Web through the bridge) | {f.browsers:.1%} | {f.browser_s:,.0f} |

A message to one tablet costs {native_us} natively and {browser_us} in a browser: there
the bridge dials the coordinator's own gRPC server and passes each one on.
"""


def _each_us(more: float, rate: float) -> str:
    return f"{1e6 * more / rate:.0f} us" if rate else "(not measured)"


def machine() -> str:
    """Where these numbers come from, and how busy it was."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    model = re.search(
        r"^model name\s*:\s*(.+)$",
        Path("/proc/cpuinfo").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}, {cores} cores "
        f"({model[1] if model else platform.machine()}),\n"
        f"{platform.system()} {platform.release()}, Python "
        f"{platform.python_version()}; load at the end {load:.1f} (the benchmark\n"
        "itself is between 1 and 2)."
    )
