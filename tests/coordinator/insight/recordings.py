"""Small recordings, written as CSV, for the tests of insight."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SCHEMA = """
group = "run"
time = "t"
time_unit = "s"
rows = 4
stride = 2
default_label = "ok"

[[labels]]
name = "stop"
action = "stop"
column = "stopped"
must_never_miss = true

[[labels]]
name = "slip"
action = "rework"
column = "phase"
value = "slipping"

[[labels]]
name = "ok"
action = "continue"

[[channels]]
column = "Force"
unit = "N"
minimum = -100.0
maximum = 100.0

[[channels]]
column = "Torque"
unit = "N*m"
minimum = -10.0
maximum = 10.0
policy = "tolerate"
missing_values = [9.0]
"""

HEADINGS = "run,t,Force,Torque,stopped,phase"


def line(run: str, t: float, stopped: str = "0", phase: str = "") -> str:
    """One row of a good recording."""
    return f"{run},{t},{t * 2},{t / 10},{stopped},{phase}"


def good_lines() -> list[str]:
    """Two runs of six rows, one a second; the second slips, then stops."""
    return [
        *(line("a", t) for t in range(6)),
        *(line("b", t, phase="slipping" if t == 11 else "") for t in range(10, 14)),
        *(line("b", t, stopped="True") for t in range(14, 16)),
    ]


def write(
    folder: Path,
    lines: list[str] | None = None,
    *,
    schema: str = SCHEMA,
    headings: str = HEADINGS,
) -> tuple[Path, Path]:
    """Write a recording and its schema; return both paths."""
    csv_file, schema_file = folder / "press.csv", folder / "press.toml"
    rows = good_lines() if lines is None else lines
    csv_file.write_text("\n".join([headings, *rows]) + "\n", encoding="utf-8")
    schema_file.write_text(schema, encoding="utf-8")
    return csv_file, schema_file


SEPARABLE_SCHEMA = """
group = "cycle"
time = "t"
time_unit = "s"
rows = 8
stride = 8
default_label = "ok"

[[labels]]
name = "bump"
action = "rework"
column = "bump"

[[labels]]
name = "ok"
action = "continue"

[[channels]]
column = "force"
unit = "N"
minimum = -50.0
maximum = 50.0

[[channels]]
column = "speed"
unit = "m/s"
minimum = -50.0
maximum = 50.0
"""


def write_separable(folder: Path, cycles: int, seed: int = 7) -> tuple[Path, Path]:
    """A recording in which a bump pushes the force up: two classes, easily told apart.

    Every tenth bump is so faint that nobody could tell it.
    """
    rng = np.random.default_rng(seed)
    lines, t = [], 0.0
    for cycle in range(cycles):
        bump = rng.random() < 0.4
        push = 0.0 if not bump else 0.2 if rng.random() < 0.1 else 6.0
        for row in range(8):
            t += 1.0
            force = rng.normal() + (push if row >= 4 else 0.0)
            lines.append(f"{cycle},{t},{force:.4f},{rng.normal():.4f},{int(bump)}")
    return write(
        folder, lines, schema=SEPARABLE_SCHEMA, headings="cycle,t,force,speed,bump"
    )
