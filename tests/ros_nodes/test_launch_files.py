"""The launch files against a recording stub: launch exists on ROS 2 machines only."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from ros_nodes.config import read_cell
from ros_nodes.plan import Simulation, plan
from tests.ros_nodes.node_builders import TEMPLATE

LAUNCH = Path(__file__).resolve().parents[2] / "launch"


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
    substitutions = sys.modules["launch.substitutions"]
    monkeypatch.setattr(substitutions, "LaunchConfiguration", Configured, raising=False)


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
    assert [a.arguments[-1] for a in actions] == [s.executable for s in specs]
    assert [a.parameters for a in actions] == [[dict(s.parameters)] for s in specs]
    assert [a.namespace for a in actions] == ["/press_1", "/press_1"]
    assert all(a.executable == sys.executable for a in actions)
    assert all(a.respawn for a in actions)


@pytest.mark.usefixtures("stubbed_launch")
def test_a_real_robot_needs_one_node() -> None:
    module = load("cell_launch")

    actions = module.nodes(said(module, cell="press-1"))

    assert [a.arguments for a in actions] == [["-m", "ros_nodes", "cell_node"]]


@pytest.mark.usefixtures("stubbed_launch")
def test_the_demo_includes_each_cell_simulated() -> None:
    module = load("demo_launch")

    included = module.cells(said(module))

    told = [dict(one.launch_arguments) for one in included]
    assert [(one["cell"], one["simulate"]) for one in told] == [("press-1", "true")]
    assert included[0].args[0].args[0] == str(LAUNCH / "cell_launch.py")
    assert set(told[0]) <= set(load("cell_launch").ARGUMENTS)


@pytest.mark.ros
def test_launch_describes_a_cell_where_launch_is_installed() -> None:
    pytest.importorskip("launch_ros.actions")

    description = load("cell_launch").generate_launch_description()

    assert len(description.entities) == len(load("cell_launch").ARGUMENTS) + 1
