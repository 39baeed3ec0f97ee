"""`andon demo`, whole: processes, ROS 2, a simulated person, and the report."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ros]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "coordinator", "demo", "--headless",
            "--folder", str(folder / "demo"), "--report", str(folder / "report.json"),
            "--seed", "1", "--time-factor", "8", *arguments,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"HEADLESS": "1"},
    )  # fmt: skip


def demo(folder: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was said, and the report."""
    process = start(folder, *arguments)
    said, complaint = process.communicate(timeout=240)
    report = folder / "report.json"
    assert report.exists(), said + complaint
    return process.returncode, said + complaint, json.loads(report.read_text())


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
    code, said, told = demo(tmp_path, "--cells", "2", "--cycles", "8")

    assert code == 0, said
    assert told["windows"] == 8
    assert told["asked"] + told["held"] == 8
    assert told["answered"] == told["asked"]
    assert told["questions_per_100_cycles"] == [100.0 * told["asked"] / 8]
    assert told["automated_error"] == [None]
    assert told["lost"] == 0
    assert told["moves_without_permit"] == 0
    assert told["seconds_to_first_question"] < 60.0
    assert "questions per 100 cycles" in said
    assert left_over(tmp_path) == []


def test_a_killed_coordinator_holds_the_cells_and_the_demo_goes_on(
    tmp_path: Path,
) -> None:
    code, said, told = demo(
        tmp_path, "--cells", "2", "--cycles", "16",
        "--kill-coordinator-at", "6", "--reaction-s", "1",
    )  # fmt: skip

    (evidence,) = (tmp_path / "demo").glob("*/evidence")
    kill = json.loads((evidence / "kill.json").read_text())
    assert code == 0, said
    assert told["windows"] == 16
    assert told["lost"] == 0
    assert told["moves_without_permit"] == 0
    assert kill["open_kept"] == kill["open_at_kill"] >= 1
    assert max(kill["held_after_ms"].values()) <= 2_000
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("sign", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
)
def test_a_demo_that_is_stopped_leaves_nothing_running(
    tmp_path: Path, sign: signal.Signals, code: int
) -> None:
    process = start(tmp_path, "--cells", "2", "--cycles", "1000")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(re.match(r"[1-9]\d*/1000 cycles", line) for line in lines)

    process.send_signal(sign)
    # Told again and again: the stop itself is not interrupted.
    for _ in range(3):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.3)
        process.send_signal(sign)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == code
    assert complaint == "stopped.\n"
    assert left_over(tmp_path) == []


def test_a_demo_that_is_killed_leaves_nothing_running(tmp_path: Path) -> None:
    process = start(tmp_path, "--cells", "2", "--cycles", "1000")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(re.match(r"[1-9]\d*/1000 cycles", line) for line in lines)

    process.kill()
    process.communicate(timeout=60)
    ends = time.monotonic() + 30.0
    while left_over(tmp_path) and time.monotonic() < ends:
        time.sleep(0.2)

    assert left_over(tmp_path) == []
