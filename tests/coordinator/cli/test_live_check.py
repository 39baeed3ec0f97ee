"""`andon check --live` asks the nodes' own check, and says so where it cannot."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coordinator.__main__ import main
from coordinator.cli import programs

FOUND = [{"cell": "press-1", "would_hold": True, "findings": []}]


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path / "andon.toml"


class Programs:
    """Stands in for the process: what it was asked, and its answer."""

    def __init__(self, code: int) -> None:
        self.asked: list[str] = []
        self._code = code

    def __call__(self, words: list[str], **_: Any) -> Any:
        self.asked = words
        return subprocess.CompletedProcess(words, self._code, json.dumps(FOUND))


@pytest.fixture
def with_ros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "require_ros", lambda: None)


@pytest.mark.usefixtures("with_ros")
@pytest.mark.parametrize("code", [0, 1])
def test_the_code_says_whether_the_cells_can_start(monkeypatch, plant, code) -> None:
    program = Programs(code)
    monkeypatch.setattr(subprocess, "run", program)

    ended = main(["check", "-c", str(plant), "--live", "--cell", "press-1"])

    assert ended == code
    assert program.asked[1:4] == ["-m", "ros_nodes", "check"]
    assert program.asked[-2:] == ["--cell", "press-1"]
    assert str(plant) in program.asked


@pytest.mark.usefixtures("with_ros")
def test_a_program_gets_both_halves_in_one_document(monkeypatch, plant, capsys) -> None:
    monkeypatch.setattr(subprocess, "run", Programs(1))

    ended = main(["check", "-c", str(plant), "--live", "--json"])

    said = json.loads(capsys.readouterr().out)
    assert ended == 1
    assert said["live"] == FOUND
    assert "settings" in said


def test_without_rclpy_the_file_is_checked_and_the_rest_is_refused(
    monkeypatch, plant, capsys
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    ended = main(["check", "-c", str(plant), "--live"])

    said = capsys.readouterr()
    assert ended == 9
    assert "cell press-1" in said.out
    assert said.err.startswith("andon: error: NO_ROS: ")


@pytest.mark.usefixtures("with_ros")
def test_a_cell_that_is_not_configured_is_a_negative_finding(plant, capsys) -> None:
    assert main(["check", "-c", str(plant), "--live", "--cell", "press-9"]) == 1
    assert "UNKNOWN_CELL" in capsys.readouterr().err


@pytest.mark.usefixtures("with_ros")
def test_a_look_that_did_not_finish_is_no_word_on_the_cells(
    monkeypatch, plant, capsys
) -> None:
    monkeypatch.setattr(subprocess, "run", Programs(3))

    assert main(["check", "-c", str(plant), "--live"]) == 9
    assert "NO_LOOK" in capsys.readouterr().err
