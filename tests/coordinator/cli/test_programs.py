"""Other programs take this process's place; a demo's programs are stopped whole."""

import asyncio
import importlib.util
import os
import platform
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from coordinator.__main__ import main
from coordinator.cli import demo_programs, programs
from coordinator.errors import UnavailableError


class BecameError(Exception):
    """What this process would have become."""


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(path: str, arguments: list[str]) -> None:
        raise BecameError(*arguments[1:])

    monkeypatch.setattr(os, "execv", execv)


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path / "andon.toml"


@pytest.mark.usefixtures("becomes")
@pytest.mark.parametrize(
    ("command", "module"), [("tui", "tui"), ("operator", "tui.operator")]
)
def test_the_terminal_and_the_operator_are_programs_of_their_own(
    plant: Path, command: str, module: str
) -> None:
    with pytest.raises(BecameError) as became:
        main([command, "-c", str(plant), "--server", "127.0.0.1:1", "--seed", "3"])

    assert became.value.args == (
        "-m", module, "--server", "127.0.0.1:1", "--seed", "3",
    )  # fmt: skip


@pytest.mark.usefixtures("becomes")
def test_a_cell_is_started_with_what_the_nodes_understand(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "require_ros", lambda: None)

    with pytest.raises(BecameError) as became:
        main(["cell", "up", "press-1", "-c", str(plant), "--simulate", "--seed", "3"])

    assert became.value.args == (
        "-m", "ros_nodes", "up", "--config", str(plant), "--cell", "press-1",
        "--simulate", "--seed", "3",
    )  # fmt: skip


@pytest.mark.usefixtures("becomes")
def test_several_cells_are_started_by_one_command(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "require_ros", lambda: None)
    with plant.open("a", encoding="utf-8") as file:
        file.write('\n[cells.press-2]\nfamily = "peg"\n')

    with pytest.raises(BecameError) as became:
        main(["cell", "up", "press-1", "press-2", "--trace", "x", "-c", str(plant)])

    assert became.value.args == (
        "-m", "ros_nodes", "up", "--config", str(plant), "--cell", "press-1",
        "--cell", "press-2", "--trace", "x",
    )  # fmt: skip


@pytest.mark.usefixtures("becomes")
@pytest.mark.parametrize(
    ("said", "becomes_what"),
    [
        pytest.param(
            ["record", "--cell", "press-1", "--seconds", "60", "--topic", "joints"],
            ["record", "--config", "CONFIG", "--cell", "press-1", "--seconds", "60",
             "--topic", "joints"],
            id="record",
        ),
        pytest.param(
            ["replay", "a.mcap", "--cell", "press-1", "--rate", "2", "--as-robot"],
            ["replay", "a.mcap", "--config", "CONFIG", "--cell", "press-1",
             "--rate", "2", "--as-robot"],
            id="replay",
        ),
        pytest.param(
            ["replay", "a.mcap", "--topics", "/a", "/b"],
            ["replay", "a.mcap", "--topics", "/a", "/b"],
            id="replay-without-a-cell",
        ),
    ],
)  # fmt: skip
def test_recordings_are_made_and_played_beside_ros(
    plant: Path, monkeypatch: pytest.MonkeyPatch, said, becomes_what
) -> None:
    monkeypatch.setattr(programs, "require_ros", lambda: None)

    with pytest.raises(BecameError) as became:
        main([*said, "-c", str(plant)])

    words = [str(plant) if word == "CONFIG" else word for word in becomes_what]
    assert became.value.args == ("-m", "ros_nodes", *words)


@pytest.mark.usefixtures("becomes")
@pytest.mark.parametrize("command", [["record"], ["replay", "a.mcap"]])
def test_recordings_of_an_unknown_cell_are_exit_1(
    plant: Path, capsys: pytest.CaptureFixture[str], command
) -> None:
    code = main([*command, "--cell", "x9", "-c", str(plant)])

    assert code == 1
    assert "press-1" in capsys.readouterr().err


@pytest.mark.usefixtures("becomes")
def test_an_unknown_cell_is_exit_1_and_names_the_known_ones(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["cell", "up", "x9", "-c", str(plant)])

    assert code == 1
    assert "press-1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "machine", "said"),
    [("Darwin", "arm64", "no wheels for Darwin arm64"), ("Linux", "x86_64", "[ros]")],
)
@pytest.mark.parametrize("command", ["demo", "cell"])
def test_without_ros_one_sentence_says_so_and_it_is_exit_9(
    plant: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    system: str,
    machine: str,
    said: str,
    command: str,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    arguments = {"demo": ["demo"], "cell": ["cell", "up", "press-1", "-c", str(plant)]}

    code = main(arguments[command])

    complaint = capsys.readouterr().err
    assert code == 9
    assert complaint.startswith("andon: error: NO_ROS: ")
    assert complaint.count("\n") == 1
    assert said in complaint


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what `python -m pretend` does."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(text: str) -> None:
        (tmp_path / "pretend.py").write_text(text)

    return write


async def test_a_program_that_dies_says_why(
    pretend: Callable[[str], None], tmp_path: Path
) -> None:
    pretend("import sys; print('first'); sys.exit('no more disk')")
    program = await demo_programs.start("cell", tmp_path / "log", "pretend")
    await program.process.wait()

    with pytest.raises(UnavailableError, match="cell ended with code 1: no more disk"):
        demo_programs.require_alive([program])


async def test_a_program_that_has_done_its_work_is_fine(
    pretend: Callable[[str], None], tmp_path: Path
) -> None:
    pretend("")
    program = await demo_programs.start("cell", tmp_path / "log", "pretend")
    await program.process.wait()

    demo_programs.require_alive([program])


async def test_stopping_a_program_stops_what_it_started(
    pretend: Callable[[str], None], tmp_path: Path
) -> None:
    pretend(
        "import subprocess, sys, signal\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'],\n"
        "                         stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "signal.pause()\n"
    )
    log = tmp_path / "log"
    program = await demo_programs.start("cell", log, "pretend")
    while not log.read_text().strip():
        await asyncio_pause()

    await program.stop()

    assert program.code == -signal.SIGTERM
    child = int(log.read_text())
    while is_alive(child):
        await asyncio_pause()


async def asyncio_pause() -> None:
    await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody reaps does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
