"""Namespaces, remaps, domains, parameters and clocks, as ROS 2 users expect them."""

from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from rosgraph_msgs.msg import Clock

from andon.v1 import cell_pb2
from ros_nodes.clock import SECOND_NS, SystemClock
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.managed import (
    FakeRobot,
    Managed,
    ended,
    facts,
    node_process,
    trace,
)
from tests.ros_nodes.managed_world import (
    NODE,
    World,
    managed_world,
    program_config,
)
from tests.ros_nodes.ros_world import spun, until
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving

pytestmark = [pytest.mark.ros, pytest.mark.slow]

DOMAIN, OTHER_DOMAIN = free_domain(6), free_domain(7)


def parameters(config: Path) -> dict[str, str]:
    return {"config": str(config), "cell": "press-1"}


async def test_cells_of_one_machine_share_a_domain_or_not_and_never_a_robot(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        config = program_config(tmp_path, port=port, domain=DOMAIN)
        with ExitStack() as stack:
            first = FakeRobot(stack.enter_context(spun("robot", DOMAIN)))
            # Another namespace, another name, and a driver with names of its own.
            driver = stack.enter_context(spun("robot", DOMAIN, "/ur"))
            second = FakeRobot(driver)
            elsewhere = stack.enter_context(spun("listener", OTHER_DOMAIN))
            one, two, three = (
                stack.enter_context(
                    node_process(
                        folder(tmp_path, name),
                        domain,
                        parameters=parameters(config),
                        rules=rules,
                    )
                )
                for name, domain, rules in (
                    ("one", DOMAIN, ["__ns:=/press_1"]),
                    ("two", DOMAIN, RENAMED),
                    ("three", OTHER_DOMAIN, ["__ns:=/press_1"]),
                )
            )
            nodes = (
                Managed(first.ros, one, NODE),
                Managed(driver, two, "/press_2/brain"),
                Managed(elsewhere, three, NODE),
            )
            await coordinator.session(1)
            await coordinator.session(2)
            statuses = [await node.told("lifecycle", "active") for node in nodes]
            status = await nodes[2].told("robot", "waiting for")

            assert (len(first.holds), len(second.holds)) == (1, 1)
            assert "/press_1/hold" in status.message
            assert len(coordinator.sessions) == 2
            assert [status.name for status in statuses] == [
                "press_1/cell_node: lifecycle",
                "press_2/brain: lifecycle",
                "press_1/cell_node: lifecycle",
            ]
            wrench = await nodes[1].told("topic wrench", "Hz")
            assert facts(wrench)["topic"] == "/ur/wrench"
            service = facts(nodes[1].statuses()["program"])["service"]
            assert service == "/line_2/decide"
            assert sorted(
                name
                for name, space in driver.node.get_node_names_and_namespaces()
                if space == "/press_2"
            ) == ["brain", "brain_data", "brain_robot"]


RENAMED = (
    "__ns:=/press_2",
    "__node:=brain",
    "joint_states:=/ur/joint_states",
    "brain:wrench:=/ur/wrench",
    "hold:=/ur/hold",
    "resume:=/ur/resume",
    "~/decide:=/line_2/decide",
)


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


YAML = """
/**:
  ros__parameters:
    cell: press-1
    config: {config}
/press_1/cell_node:
  ros__parameters:
    part_id: "0042"
    {more}
"""


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        pytest.param(
            "targt: here",
            3,
            "CONFIG: parameters: unknown key 'targt' (did you mean 'target'?)",
            id="unknown",
        ),
        pytest.param(
            "autostart: 1",
            3,
            "CONFIG: parameters: autostart is 1, and must be true or false",
            id="another-type",
        ),
        pytest.param(
            'cell: "press-9"',
            3,
            "CONFIG: cell 'press-9' is not configured, known: press-1",
            id="unknown-cell",
        ),
    ],
)
async def test_a_parameter_file_that_cannot_be_lived_with_is_refused_with_exit_3(
    tmp_path: Path, more: str, code: int, words: str
) -> None:
    config = program_config(tmp_path, port=1, domain=DOMAIN)
    file = tmp_path / "cell.yaml"
    file.write_text(YAML.format(config=config, more=more), encoding="utf-8")
    with node_process(
        tmp_path, DOMAIN, parameters={}, words=["--params-file", str(file)]
    ) as process:
        assert await ended(process, within=20.0) == code

    said = (tmp_path / "node.log").read_text(encoding="utf-8").splitlines()
    assert said[-1] == f"andon: error: {words}"
    assert not [line for line in said if "Traceback" in line]


async def test_a_parameter_file_is_read(tmp_path: Path) -> None:
    config = program_config(tmp_path, port=1, domain=DOMAIN)
    file = tmp_path / "cell.yaml"
    more = f"trace: {tmp_path / 'node.jsonl'}"
    file.write_text(YAML.format(config=config, more=more), encoding="utf-8")
    with (
        spun("robot", DOMAIN) as ros,
        node_process(
            tmp_path, DOMAIN, parameters={}, words=["--params-file", str(file)]
        ),
    ):
        FakeRobot(ros)
        await until(lambda: trace(tmp_path / "node.jsonl", "robot_there"), within=20.0)


async def test_a_command_line_that_ros_cannot_read_is_one_sentence(
    tmp_path: Path,
) -> None:
    with node_process(
        tmp_path, DOMAIN, parameters={}, words=["--params-file", "nowhere.yaml"]
    ) as process:
        assert await ended(process, within=20.0) == 3

    said = (tmp_path / "node.log").read_text(encoding="utf-8").splitlines()
    assert said[-1].startswith("andon: error: CONFIG: command line: ")
    assert not [line for line in said if "Traceback" in line]


class SimTime:
    """A /clock that runs from 100 s at a tenth of the pace, until it stands still."""

    def __init__(self, world: World) -> None:
        self._clock = SystemClock()
        self._begun_ns = self._clock.monotonic_ns()
        self._publisher = world.ros.node.create_publisher(Clock, "/clock", 10)
        world.ros.node.create_timer(0.01, self._tell)
        self.stopped_ns: int | None = None

    def now_ns(self) -> int:
        if self.stopped_ns is not None:
            return self.stopped_ns
        passed_ns = self._clock.monotonic_ns() - self._begun_ns
        return 100 * SECOND_NS + passed_ns // 10

    def _tell(self) -> None:
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(self.now_ns(), SECOND_NS)
        self._publisher.publish(message)


async def test_simulated_time_stamps_samples_and_never_a_lease(tmp_path: Path) -> None:
    with managed_world(tmp_path, DOMAIN, more={"use_sim_time": "true"}) as world:
        time = SimTime(world)
        world.robot.stamp_ns = time.now_ns
        async with world.coordinated() as coordinator:
            session, _, call = await world.deciding(coordinator)
            [window] = session.windows
            assert all(window.present)

            # The simulation stands still; leases and permits do not.
            time.stopped_ns = time.now_ns()
            beats = session.last_heartbeat
            await session.until(lambda: session.last_heartbeat >= beats + 5)
            assert facts(world.node.statuses()["link"])["session"] == "open"
            session.acknowledge = False
            silent_ns = SystemClock().monotonic_ns()
            again = await coordinator.session(2)

            held = trace(world.trace, "hold")[-1]
            assert held["mono_ns"] - silent_ns <= 2.1 * SECOND_NS
            assert again.hello.scene.stand == cell_pb2.STAND_DECIDING
            assert not call.done()
