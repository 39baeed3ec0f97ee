"""Processes of a plan: started, started again, and gone when they should be."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ros_nodes import __main__ as command_line
from ros_nodes import supervisor
from ros_nodes.clock import SystemClock
from ros_nodes.plan import NodeSpec
from ros_nodes.supervisor import Supervisor, command, environment, how_it_ended
from tests.ros_nodes.node_builders import TEMPLATE


def make_spec(name: str = "press-1.node", **env: str) -> NodeSpec:
    return NodeSpec("cell_node", "/press_1", name, {}, env=env)


class Impatient(SystemClock):
    """Writes down how long it was asked to wait, and waits a moment."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.01)


def run_instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the supervisor start a few lines of Python in place of a node."""
    monkeypatch.setattr(supervisor, "command", lambda _: (sys.executable, "-c", code))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(fact) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - facts of other processes
            await asyncio.sleep(0.02)


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_node_is_started_as_a_module_with_ros_arguments() -> None:
    words = command(make_spec())

    assert words[:4] == (sys.executable, "-m", "ros_nodes", "cell_node")
    assert words[4:7] == ("--ros-args", "-r", "__ns:=/press_1")


def test_the_marks_of_the_ros_wheels_are_not_inherited() -> None:
    own = {
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "LD_LIBRARY_PATH": "/wheels",
        "HOME": "/home/x",
    }

    assert environment(make_spec(A="b"), own) == {"HOME": "/home/x", "A": "b"}


def test_a_sourced_ros_installation_keeps_its_libraries() -> None:
    own = {"LD_LIBRARY_PATH": "/opt/ros/lib"}

    assert environment(make_spec(), own) == own


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-9, "was ended by SIGKILL"),
        (3, "refused its configuration (3)"),
        (1, "ended with 1"),
    ],
)
def test_how_a_node_ended_is_said_in_words(code, said) -> None:
    assert how_it_ended(code) == said


@pytest.mark.slow
async def test_a_node_that_dies_is_started_again_after_growing_waits(
    monkeypatch,
) -> None:
    run_instead(monkeypatch, "raise SystemExit(3)")
    clock = Impatient()
    keeper = Supervisor([make_spec()], clock)
    running = asyncio.create_task(keeper.run())

    await until(lambda: len(clock.waits) >= 3)
    await stop(running)

    assert clock.waits[:3] == [0.5, 1.0, 2.0]
    assert keeper.pids == {}


@pytest.mark.slow
async def test_none_is_left_when_the_supervisor_ends(monkeypatch) -> None:
    run_instead(monkeypatch, "import time; time.sleep(60)")
    keeper = Supervisor([make_spec("a"), make_spec("b")], SystemClock())
    running = asyncio.create_task(keeper.run())
    await until(lambda: len(keeper.pids) == 2)
    pids = list(keeper.pids.values())

    await stop(running)

    assert not any(alive(pid) for pid in pids)


@pytest.mark.slow
async def test_a_node_that_will_not_end_is_killed(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(supervisor, "END_WITHIN_S", 0.2)
    ready = tmp_path / "ready"
    run_instead(
        monkeypatch,
        "import pathlib, signal, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)",
    )
    keeper = Supervisor([make_spec()], SystemClock())
    running = asyncio.create_task(keeper.run())
    await until(ready.exists)
    [pid] = keeper.pids.values()

    await stop(running)

    assert not alive(pid)


# ------------------------------------------------------------------------ command line


def test_without_rclpy_one_sentence_and_exit_9(monkeypatch, capsys) -> None:
    monkeypatch.setattr(command_line, "_rclpy_is_there", lambda: False)

    codes = [
        command_line.main(["cell_node"]),
        command_line.main(["up", "--config", str(TEMPLATE)]),
    ]

    assert codes == [9, 9]
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("andon: error: NO_ROS: ") for line in lines)
    assert len(lines) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--config", "nowhere.toml"],
        ["up", "--config", str(TEMPLATE), "--cell", "press-9"],
    ],
)
def test_a_refused_configuration_is_exit_3(monkeypatch, capsys, words) -> None:
    monkeypatch.setattr(command_line, "_rclpy_is_there", lambda: True)

    code = command_line.main(words)

    assert code == 3
    assert capsys.readouterr().err.startswith("andon: error: CONFIG: ")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["up"],
        ["fly"],
        ["up", "--config", str(TEMPLATE), "--time-factor", "0"],
        ["up", "--config", str(TEMPLATE), "--time-factor", "nan"],
        ["up", "--config", str(TEMPLATE), "--rate-hz", "120"],
        ["up", "--config", str(TEMPLATE), "--rate-hz", "nan"],
    ],
)
def test_wrong_usage_is_exit_2(words, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err
