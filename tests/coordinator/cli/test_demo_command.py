"""`andon demo`, whole: processes, ROS 2, a simulated person, and the report."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ros]


def demo(
    folder: Path, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    report = folder / "report.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "coordinator", "demo", "--headless",
            "--folder", str(folder / "demo"), "--report", str(report),
            "--seed", "1", "--time-factor", "8", *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"HEADLESS": "1"},
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    return done, json.loads(report.read_text())


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that still speak of this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in words and "pytest" not in words:
            found.append(words)
    return found


def test_a_short_demo_asks_everything_and_loses_nothing(tmp_path: Path) -> None:
    done, told = demo(tmp_path, "--cells", "2", "--cycles", "8")

    assert done.returncode == 0, done.stdout + done.stderr
    assert told["windows"] == 8
    assert told["asked"] + told["held"] == 8
    assert told["answered"] == told["asked"]
    assert told["questions_per_100_cycles"] == [100.0 * told["asked"] / 8]
    assert told["automated_error"] == [None]
    assert told["lost"] == 0
    assert told["moves_without_permit"] == 0
    assert told["seconds_to_first_question"] < 60.0
    assert "questions per 100 cycles" in done.stdout
    assert left_over(tmp_path) == []


def test_a_killed_coordinator_holds_the_cells_and_the_demo_goes_on(
    tmp_path: Path,
) -> None:
    done, told = demo(
        tmp_path, "--cells", "2", "--cycles", "16", "--kill-coordinator-at", "6"
    )

    (evidence,) = (tmp_path / "demo").glob("*/evidence")
    kill = json.loads((evidence / "kill.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["windows"] == 16
    assert told["lost"] == 0
    assert told["moves_without_permit"] == 0
    assert kill["open_kept"] == kill["open_at_kill"]
    assert max(kill["held_after_ms"].values()) <= 2_000
    assert left_over(tmp_path) == []
