"""Each way to hold a robot, over real ROS 2: it counts when it is confirmed."""

import asyncio
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy")

from std_msgs.msg import Bool, Int8, String

from ros_nodes.adapters.factory import make_robot
from ros_nodes.adapters.robot import RosRobot
from ros_nodes.config import (
    ConfigRefusedError,
    ReadBack,
    RobotSpec,
    RosNames,
    SafetySpec,
)
from ros_nodes.effects import HoldAnswer
from ros_nodes.qos import PERMITS
from tests.ros_nodes.adapters.controllers import Controller
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.ros_world import Spun, spun, until

pytestmark = [pytest.mark.ros, pytest.mark.slow]

RUNNING = ReadBack("running", "std_msgs/msg/Bool", "data", (False,))
SAFETY = SafetySpec("safety", "std_msgs/msg/Int8", "data", (1, 2))
HOLDS_BY = {
    "trigger": RobotSpec("trigger", "hold", "resume", 1.0, RUNNING),
    "set_bool": RobotSpec("set_bool", "held", "unused", 1.0, RUNNING),
    "topic": RobotSpec("topic", "hold_signal", "unused", 1.0, RUNNING),
}


class World:
    """A node with its adapter on one side, a controller on the other."""

    def __init__(self, cell: Spun, robot: Spun) -> None:
        self.cell = cell
        self.controller = Controller(robot.node)
        robot.node.create_subscription(String, "permits", self._leave, PERMITS)
        self.leaves: list[str] = []
        self.made: list[RosRobot] = []

    def _leave(self, message: String) -> None:
        self.leaves.append(message.data)

    async def robot(self, robot: RobotSpec, *safety: SafetySpec) -> RosRobot:
        """Make the adapter and wait until nothing is missing."""
        made = make_robot(self.cell.node, RosNames(robot=robot, safety=safety))
        self.made.append(made)
        self.controller.runs(True)
        await until(lambda: not made.missing())
        return made


@pytest.fixture
def world() -> Iterator[World]:
    domain = free_domain(9)
    with spun("cell_node", domain) as cell, spun("robot", domain) as robot:
        world = World(cell, robot)
        yield world
        for made in world.made:
            made.close()


@pytest.mark.parametrize("adapter", HOLDS_BY)
async def test_a_hold_counts_when_the_robot_is_seen_to_stand(world, adapter) -> None:
    robot = await world.robot(HOLDS_BY[adapter])
    assert robot.look().stands is False

    assert await robot.hold() is HoldAnswer.HELD
    assert robot.look().stands is True
    assert await robot.resume()
    assert robot.look().stands is False
    assert world.controller.asked == ["hold", "resume"]


@pytest.mark.parametrize("adapter", HOLDS_BY)
async def test_a_robot_that_says_yes_and_runs_on_is_not_held(world, adapter) -> None:
    robot = await world.robot(HOLDS_BY[adapter])
    world.controller.obeys = False

    assert await robot.hold() is HoldAnswer.UNCONFIRMED
    assert world.controller.asked == ["hold"]


@pytest.mark.parametrize("adapter", ["trigger", "set_bool"])
async def test_a_robot_that_stands_and_says_no_is_not_held(world, adapter) -> None:
    robot = await world.robot(HOLDS_BY[adapter])
    world.controller.succeeds = False

    assert await robot.hold() is HoldAnswer.UNCONFIRMED


@pytest.mark.parametrize("adapter", ["trigger", "set_bool"])
async def test_an_answer_that_comes_too_late_confirms_nothing(world, adapter) -> None:
    robot = await world.robot(HOLDS_BY[adapter])
    world.controller.let_answer.clear()

    assert await robot.hold() is HoldAnswer.UNCONFIRMED
    world.controller.let_answer.set()
    await until(lambda: world.controller.asked)


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_robot_that_stood_before_it_was_asked_was_not_paused_by_andon(
    world, succeeds
) -> None:
    """A UR refuses to pause a program that does not run; it stands all the same."""
    robot = await world.robot(HOLDS_BY["trigger"])
    world.controller.runs(False)
    await until(lambda: robot.look().stands)
    world.controller.succeeds = succeeds

    assert await robot.hold() is HoldAnswer.FOUND

    world.controller.succeeds = True
    world.controller.runs(True)
    await until(lambda: robot.look().stands is False)
    assert await robot.hold() is HoldAnswer.HELD


async def test_a_robot_that_stands_late_was_paused_by_andon_all_the_same(world) -> None:
    robot = await world.robot(HOLDS_BY["trigger"])
    world.controller.obeys = False
    assert await robot.hold() is HoldAnswer.UNCONFIRMED
    world.controller.runs(False)
    await until(lambda: robot.look().stands)

    assert await robot.hold() is HoldAnswer.HELD


async def test_what_andon_once_paused_is_not_its_pause_for_ever(world) -> None:
    robot = await world.robot(HOLDS_BY["trigger"])
    assert await robot.hold() is HoldAnswer.HELD
    world.controller.runs(True)
    await until(lambda: robot.look().stands is False)
    world.controller.runs(False)
    await until(lambda: robot.look().stands)

    assert await robot.hold() is HoldAnswer.FOUND


async def test_without_a_read_back_the_answer_counts(world) -> None:
    robot = await world.robot(RobotSpec("trigger", "hold", "resume", 1.0))

    assert await robot.hold() is HoldAnswer.HELD
    assert robot.look().stands is None


async def test_a_service_that_is_gone_is_no_hold(world) -> None:
    robot = make_robot(world.cell.node, RosNames(robot=RobotSpec(hold="nowhere")))
    world.made.append(robot)

    assert "/press_1/nowhere" in robot.missing()
    assert await robot.hold() is HoldAnswer.UNCONFIRMED


async def test_a_signal_that_nobody_hears_is_no_hold(world) -> None:
    spec = RobotSpec("topic", "unheard", "unused", 0.2, RUNNING)
    robot = make_robot(world.cell.node, RosNames(robot=spec))
    world.made.append(robot)

    assert "a listener on /press_1/unheard" in robot.missing()
    assert await robot.hold() is HoldAnswer.UNCONFIRMED


async def test_a_standing_signal_is_there_for_who_comes_late(world) -> None:
    robot = await world.robot(HOLDS_BY["topic"])
    await robot.hold()
    heard: list[bool] = []
    late = world.cell.node.create_subscription(
        Bool, "hold_signal", lambda m: heard.append(m.data), 10
    )

    await until(lambda: len(heard) >= 2)
    robot.lift_hold()
    await until(lambda: heard[-1] is False)
    said = len(heard)
    await asyncio.sleep(0.7)

    assert len(heard) == said
    world.cell.node.destroy_subscription(late)


@pytest.mark.parametrize("adapter", HOLDS_BY)
async def test_a_last_hold_waits_for_nobody(world, adapter) -> None:
    robot = await world.robot(HOLDS_BY[adapter])

    robot.hold_unasked()
    await until(lambda: world.controller.asked == ["hold"])


async def test_leave_is_published_once(world) -> None:
    robot = await world.robot(HOLDS_BY["trigger"])

    robot.give_leave("leave")
    await until(lambda: world.leaves)

    assert world.leaves == ["leave"]


async def test_a_monitor_calls_and_says_nothing(world, caplog) -> None:
    robot = make_robot(world.cell.node, RosNames(robot=RobotSpec("none")))
    world.made.append(robot)

    assert robot.missing() == []
    assert await robot.hold() is HoldAnswer.UNCONFIRMED
    assert not await robot.resume()
    robot.hold_unasked()
    robot.give_leave("leave")
    await asyncio.sleep(0.2)
    assert world.controller.asked == []
    assert world.leaves == []
    assert "MONITOR ONLY" in caplog.text


# ------------------------------------------------------------------------ its topics


async def test_a_stop_is_heard_once_with_what_it_is_called(world) -> None:
    world.controller.safety.publish(Int8(data=1))
    robot = await world.robot(HOLDS_BY["trigger"], SAFETY)
    assert robot.look().safety == ()

    for value in (3, 3, 7, 2):
        world.controller.safety.publish(Int8(data=value))
    said: list[str] = []

    def hear() -> list[str]:
        said.extend(robot.look().safety)
        return said

    await until(lambda: "" in hear())

    assert said == [
        "/press_1/safety data = 3",
        "/press_1/safety data = 7",
        "",
    ]


async def test_of_a_fast_topic_the_newest_word_counts(world) -> None:
    world.controller.safety.publish(Int8(data=1))
    robot = await world.robot(HOLDS_BY["trigger"], SAFETY)
    for _ in range(10):
        world.controller.safety.publish(Int8(data=1))
    world.controller.safety.publish(Int8(data=3))
    said: list[str] = []

    def hear() -> list[str]:
        said.extend(robot.look().safety)
        return said

    await until(hear)

    assert said == ["/press_1/safety data = 3"]


async def test_a_robot_that_is_stopped_when_the_node_comes_is_stopped(world) -> None:
    world.controller.safety.publish(Int8(data=3))
    robot = await world.robot(HOLDS_BY["trigger"], SAFETY)

    assert robot.look().safety == ("/press_1/safety data = 3",)


async def test_a_safety_topic_that_never_spoke_is_missing(world) -> None:
    robot = make_robot(
        world.cell.node, RosNames(robot=HOLDS_BY["trigger"], safety=(SAFETY,))
    )
    world.made.append(robot)

    assert "a message on /press_1/safety" in robot.missing()


async def test_all_safety_topics_must_be_normal_again(world) -> None:
    other = SafetySpec("running", "std_msgs/msg/Bool", "data", (True,))
    world.controller.safety.publish(Int8(data=1))
    robot = await world.robot(HOLDS_BY["trigger"], SAFETY, other)
    world.controller.safety.publish(Int8(data=3))
    world.controller.runs(False)
    said: list[str] = []

    def hear() -> list[str]:
        said.extend(robot.look().safety)
        return said

    await until(lambda: len(hear()) == 1)
    world.controller.runs(True)
    await asyncio.sleep(0.1)
    assert "" not in robot.look().safety

    world.controller.safety.publish(Int8(data=1))
    await until(lambda: "" in robot.look().safety)


@pytest.mark.parametrize(
    ("back", "sentence"),
    [
        pytest.param(
            ReadBack("x", "ur_dashboard_msgs/msg/SafetyMode", "mode", (1,)),
            "ros.robot.read_back: type ur_dashboard_msgs/msg/SafetyMode is not "
            "installed here; source the workspace that has ur_dashboard_msgs",
            id="type-not-installed",
        ),
        pytest.param(
            ReadBack("x", "std_msgs/msg/Nothing", "data", (1,)),
            "ros.robot.read_back: type std_msgs/msg/Nothing is not installed here; "
            "source the workspace that has std_msgs",
            id="type-unknown",
        ),
        pytest.param(
            ReadBack("x", "std_msgs/msg/Bool", "value", (True,)),
            "ros.robot.read_back: Bool has no field 'value'",
            id="field-unknown",
        ),
        pytest.param(
            ReadBack("x", "std_msgs/msg/Header", "stamp", (True,)),
            "ros.robot.read_back: field 'stamp' of Header is not one plain value",
            id="field-is-no-value",
        ),
    ],
)
async def test_what_cannot_be_read_is_refused_in_one_sentence(
    world, back, sentence
) -> None:
    with pytest.raises(ConfigRefusedError) as refused:
        make_robot(world.cell.node, RosNames(robot=RobotSpec(read_back=back)))

    assert str(refused.value) == sentence


async def test_a_field_within_a_field_can_be_read(world) -> None:
    back = ReadBack("stamped", "std_msgs/msg/Header", "stamp.sec", (0,))
    robot = make_robot(world.cell.node, RosNames(robot=RobotSpec(read_back=back)))
    world.made.append(robot)

    assert "a message on /press_1/stamped" in robot.missing()
