"""What people see of a demo while it runs."""

from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.cli.demo_progress import Display, Picture, count_lines, take_picture
from coordinator.clock import ManualClock


def test_the_line_says_how_far_it_is_and_how_long_it_takes() -> None:
    clock = ManualClock()
    display = Display(600, clock)
    clock.advance(timedelta(seconds=30))

    line = display.line(Picture(cycles=60, acted=10, asked=30, model_version=2))

    assert line.startswith("60/600 cycles, asked 75% lately, model v2")
    assert line.endswith("about 270 s left")


def test_lately_is_not_ever() -> None:
    display = Display(600, ManualClock())
    for acted in (0, 60, 120):
        display.show(Picture(cycles=100 + acted, acted=acted, asked=100))

    line = display.line(Picture(cycles=220, acted=120, asked=100))

    assert "asked 0% lately" in line


def test_before_the_first_cycle_nobody_knows_how_long_it_takes() -> None:
    line = Display(600, ManualClock()).line(Picture())

    assert "asked - lately" in line
    assert line.endswith("0 s so far")


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock()
    with Display(10, clock) as display:
        for _ in range(12):
            display.show(Picture(cycles=1))
            clock.advance(timedelta(seconds=1))

    assert capsys.readouterr().out.count("\n") == 3


def test_cycles_are_complete_lines(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{}\n{}\n{")

    assert count_lines(tmp_path / "t") == 2
    assert count_lines(tmp_path / "none") == 0


def test_a_coordinator_that_is_away_has_no_picture(tmp_path: Path) -> None:
    assert take_picture("127.0.0.1:1", tmp_path) is None
