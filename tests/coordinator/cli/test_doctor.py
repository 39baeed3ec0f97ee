"""The doctor judges versions, room and modes, and says so to people and programs."""

import json
import socket
from pathlib import Path

import pytest

from coordinator.__main__ import main
from coordinator.cli.doctor import (
    Grade,
    judge_disk,
    judge_modes,
    judge_python,
    judge_sqlite,
)


@pytest.mark.parametrize(
    ("version", "grade"),
    [
        ((3, 6, 23), Grade.FAIL),
        ((3, 7, 0), Grade.NOTE),
        ((3, 40, 1), Grade.NOTE),
        ((3, 44, 5), Grade.NOTE),
        ((3, 44, 6), Grade.OK),
        ((3, 45, 9), Grade.NOTE),
        ((3, 50, 6), Grade.NOTE),
        ((3, 50, 7), Grade.OK),
        ((3, 51, 2), Grade.NOTE),
        ((3, 51, 3), Grade.OK),
        ((3, 53, 4), Grade.OK),
    ],
)
def test_sqlite_is_judged_by_the_wal_reset_bug(
    version: tuple[int, int, int], grade: Grade
) -> None:
    assert judge_sqlite(version).grade is grade


@pytest.mark.parametrize(
    ("version", "grade"),
    [
        ((3, 10, 9), Grade.FAIL),
        ((3, 11, 0), Grade.OK),
        ((3, 12, 5), Grade.OK),
        ((3, 13, 0), Grade.NOTE),
    ],
)
def test_python_is_one_of_the_tested_ones(
    version: tuple[int, int, int], grade: Grade
) -> None:
    assert judge_python(version).grade is grade


@pytest.mark.parametrize(
    ("free", "grade"),
    [(0, Grade.FAIL), (2**26 - 1, Grade.FAIL), (2**26, Grade.NOTE), (2**30, Grade.OK)],
)
def test_a_disk_needs_room(tmp_path: Path, free: int, grade: Grade) -> None:
    assert judge_disk(tmp_path, free).grade is grade


@pytest.mark.parametrize(
    ("mode", "grade"), [(0o700, Grade.OK), (0o750, Grade.NOTE), (0o707, Grade.NOTE)]
)
def test_a_data_folder_is_for_its_owner_alone(
    tmp_path: Path, mode: int, grade: Grade
) -> None:
    tmp_path.chmod(mode)

    finding = judge_modes(tmp_path)

    assert finding.grade is grade


def test_a_data_folder_that_is_a_file_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    assert judge_modes(tmp_path / "data").grade is Grade.FAIL


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path / "andon.toml"


def findings(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, dict[str, str]]]:
    code = main(["doctor", "-c", str(plant), "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, {found["check"]: found for found in told["findings"]}


@pytest.mark.slow
def test_the_doctor_names_everything_it_looked_at(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = findings(plant, capsys)

    assert {
        "host", "python", "sqlite", "torch", "rclpy", "mujoco", "config", "disk",
        "data_dir", "port",
    } == set(found)  # fmt: skip


@pytest.mark.slow
def test_a_port_that_somebody_else_has_is_a_failure(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        plant.write_text(plant.read_text().replace("127.0.0.1:50551", address, 1))
        code, found = findings(plant, capsys)

    assert code == 1
    assert found["port"]["grade"] == "fail"


@pytest.mark.slow
def test_a_broken_configuration_is_a_failure_that_names_the_key(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.write_text(plant.read_text().replace("threshold =", "treshold =", 1))

    code, found = findings(plant, capsys)

    assert code == 1
    assert "treshold" in found["config"]["text"]
