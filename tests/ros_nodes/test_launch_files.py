"""The launch files: against a recording stub, and for real where launch_ros is.

launch_ros comes with ROS 2 from apt and is on no package index; see launched.py for how
to bring it elsewhere.
"""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from ros_nodes.config import read_cell
from ros_nodes.plan import Simulation, plan
from ros_nodes.starter import STARTER
from ros_nodes.supervisor import command
from tests.ros_nodes.cells import cell_up, free_domain, write_config
from tests.ros_nodes.launched import (
    LAUNCH,
    children,
    in_order,
    launch_is_there,
    launched,
    told,
)
from tests.ros_nodes.node_builders import TEMPLATE
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving


class Recorded(SimpleNamespace):
    """Keeps what an action was made of."""

    def __init__(self, *args, **facts) -> None:
        super().__init__(args=args, **facts)


class Configured(Recorded):
    def perform(self, context):
        return context[self.args[0]]


@pytest.fixture
def stubbed_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "ament_index_python": [],
        "ament_index_python.packages": [],
        "launch": ["LaunchContext", "LaunchDescription"],
        "launch.actions": [
            "DeclareLaunchArgument",
            "IncludeLaunchDescription",
            "OpaqueFunction",
        ],
        "launch.launch_description_sources": ["PythonLaunchDescriptionSource"],
        "launch.substitutions": [],
        "launch_ros": [],
        "launch_ros.actions": ["Node"],
    }
    for name, classes in names.items():
        stub = ModuleType(name)
        for one in classes:
            setattr(stub, one, type(one, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, name, stub)
    index = sys.modules["ament_index_python.packages"]
    monkeypatch.setattr(index, "get_package_prefix", not_installed, raising=False)
    substitutions = sys.modules["launch.substitutions"]
    monkeypatch.setattr(substitutions, "LaunchConfiguration", Configured, raising=False)


def not_installed(package: str) -> str:
    raise KeyError(package)


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, LAUNCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(module: ModuleType, **facts: str) -> dict[str, str]:
    defaults = {name: default for name, (default, _) in module.ARGUMENTS.items()}
    return defaults | {"config": str(TEMPLATE)} | facts


@pytest.mark.usefixtures("stubbed_launch")
@pytest.mark.parametrize("name", ["cell_launch", "demo_launch"])
def test_every_argument_is_declared_before_it_is_read(name) -> None:
    module = load(name)

    description = module.generate_launch_description()

    *declared, opaque = description.args[0]
    assert [d.args[0] for d in declared] == list(module.ARGUMENTS)
    assert callable(opaque.function)


@pytest.mark.usefixtures("stubbed_launch")
def test_launch_starts_what_the_plan_says() -> None:
    module = load("cell_launch")

    actions = module.nodes(
        said(module, cell="press-1", simulate="true", seed="7", time_factor="5")
    )

    specs = plan(
        read_cell(TEMPLATE, "press-1"),
        TEMPLATE,
        simulation=Simulation(seed=7, time_factor=5.0),
    )
    assert [a.arguments for a in actions] == [list(command(s)[1:4]) for s in specs]
    assert [a.parameters for a in actions] == [[dict(s.parameters)] for s in specs]
    own = {STARTER: str(os.getpid())}
    assert [a.additional_env for a in actions] == [{**s.env, **own} for s in specs]
    assert [a.namespace for a in actions] == ["/press_1", "/press_1"]
    assert [a.exec_name for a in actions] == ["press-1.robot", "press-1.node"]
    assert all(a.executable == sys.executable for a in actions)
    assert all(a.respawn for a in actions)


@pytest.mark.usefixtures("stubbed_launch")
def test_what_colcon_installed_is_started_by_its_name(monkeypatch) -> None:
    index = sys.modules["ament_index_python.packages"]
    monkeypatch.setattr(index, "get_package_prefix", lambda _: "/install/andon")
    module = load("cell_launch")

    [action] = module.nodes(said(module, cell="press-1"))

    assert (action.package, action.executable) == ("andon", "cell_node")


@pytest.mark.usefixtures("stubbed_launch")
def test_a_real_robot_needs_one_node() -> None:
    module = load("cell_launch")

    actions = module.nodes(said(module, cell="press-1"))

    assert [a.arguments for a in actions] == [["-m", "ros_nodes", "cell_node"]]
    assert actions[0].parameters[0]["autostart"] is True


@pytest.mark.usefixtures("stubbed_launch")
def test_a_lifecycle_manager_may_start_the_node_instead() -> None:
    module = load("cell_launch")

    [action] = module.nodes(said(module, cell="press-1", autostart="false"))

    assert action.parameters[0]["autostart"] is False


@pytest.mark.usefixtures("stubbed_launch")
def test_the_demo_includes_each_cell_simulated() -> None:
    module = load("demo_launch")

    included = module.cells(said(module))

    told = [dict(one.launch_arguments) for one in included]
    assert [(one["cell"], one["simulate"]) for one in told] == [("press-1", "true")]
    assert included[0].args[0].args[0] == str(LAUNCH / "cell_launch.py")
    assert set(told[0]) <= set(load("cell_launch").ARGUMENTS)


ONLY_WITH_ROS = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"andon", "google", "grpc", "mcap", "pydantic"}:
            raise ImportError(name)

sys.meta_path.insert(0, Missing())
import ros_nodes.config, ros_nodes.plan, ros_nodes.starter
"""
"""The Python of `ros2` is the system's: what pip brought for andon is elsewhere."""


def test_a_launch_file_needs_nothing_that_pip_brings() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONLY_WITH_ROS],
        cwd=LAUNCH.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


# --------------------------------------------------------------------- the real launch

real = [
    pytest.mark.ros,
    pytest.mark.slow,
    pytest.mark.skipif(
        not launch_is_there(),
        reason="launch_ros is not importable; ANDON_LAUNCH_ROS_PATH may say whence",
    ),
]


def with_marks(test):
    for mark in real:
        test = mark(test)
    return test


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def until(fact) -> None:
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110 - facts of other processes
            await asyncio.sleep(0.05)


@with_marks
async def test_ros2_launch_starts_a_cell_respawns_it_held_and_ends_it(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        config = write_config(tmp_path, port=port, domain=free_domain(8))
        facts = {"config": config, "cell": "press-1", "simulate": "true"}
        async with launched(
            tmp_path, "cell_launch.py", trace=tmp_path, **facts
        ) as cell:
            first = await coordinator.session()
            assert len(children(cell.process.pid)) == 2

            (node,) = [
                pid
                for pid in children(cell.process.pid)
                if told(pid)["node"] == "cell_node"
            ]
            os.kill(node, signal.SIGKILL)
            second = await coordinator.session(2)

            assert second.epoch > first.epoch
            assert cell.motions("begin") == []
            await until(lambda: len(children(cell.process.pid)) == 2)
            pids = children(cell.process.pid)

            os.killpg(cell.process.pid, signal.SIGINT)  # as Ctrl-C does
            await cell.process.wait()

            assert not any(alive(pid) for pid in pids)


@with_marks
async def test_ros2_launch_and_the_supervisor_start_the_same_processes(
    tmp_path: Path,
) -> None:
    domain = free_domain(9)
    facts = {"trace": tmp_path, "truth": tmp_path, "seed": 3, "time_factor": 8}
    config = write_config(tmp_path, port=1, domain=domain)
    async with launched(tmp_path, "demo_launch.py", config=config, **facts) as demo:
        await until(lambda: len(children(demo.process.pid)) == 2)
        by_launch = [told(pid) for pid in children(demo.process.pid)]
    async with cell_up(tmp_path, port=1, domain=domain) as cell:
        await until(lambda: len(children(cell.process.pid)) == 2)
        by_supervisor = [told(pid) for pid in children(cell.process.pid)]

    assert in_order(by_launch) == in_order(by_supervisor)


@with_marks
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_no_node_outlives_a_killed_launch(tmp_path: Path, number) -> None:
    config = write_config(tmp_path, port=1, domain=free_domain(7))
    facts = {"config": config, "cell": "press-1", "simulate": "true"}
    async with launched(tmp_path, "cell_launch.py", **facts) as cell:
        await until(lambda: len(children(cell.process.pid)) == 2)
        pids = children(cell.process.pid)

        cell.process.send_signal(number)
        await cell.process.wait()

        await until(lambda: not any(alive(pid) for pid in pids))


@with_marks
async def test_ros2_launch_says_in_a_sentence_what_it_cannot_start(
    tmp_path: Path,
) -> None:
    facts = {"config": TEMPLATE, "cell": "press-9"}
    async with launched(tmp_path, "cell_launch.py", **facts) as cell:
        code = await cell.process.wait()

    assert code == 1
    assert "cell 'press-9' is not configured, known: press-1" in (
        (tmp_path / "launch.log").read_text(encoding="utf-8")
    )
