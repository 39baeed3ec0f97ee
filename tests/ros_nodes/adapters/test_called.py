"""The edges of a program that comes for its leave."""

from collections import Counter
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy")

from rclpy.node import Node
from std_msgs.msg import String

from ros_nodes.adapters.called import Part, ServiceCall, require_a_hold
from ros_nodes.config import ConfigRefusedError, ProgramSpec, RobotSpec, RosNames
from ros_nodes.decide import Answer
from ros_nodes.qos import LATCHED
from ros_nodes.terms import Action
from tests.ros_nodes.cells import free_domain
from tests.ros_nodes.ros_world import Spun, spun, until

pytestmark = pytest.mark.ros


@pytest.mark.parametrize("adapter", ["decide", "signals"])
def test_leave_is_for_robots_that_can_be_held(adapter: str) -> None:
    names = RosNames(
        program=ProgramSpec(adapter=adapter), robot=RobotSpec(adapter="none")
    )

    with pytest.raises(ConfigRefusedError, match="a robot that can be held"):
        require_a_hold(names)


def test_a_watched_robot_may_say_its_steps() -> None:
    require_a_hold(RosNames(robot=RobotSpec(adapter="none")))


class NobodyThere:
    def send_response(self, _response: object, _header: object) -> None:
        raise RuntimeError("failed to send response: client is gone")


def test_an_answer_that_rcl_refuses_was_not_sent() -> None:
    call = ServiceCall(NobodyThere(), None, 1)

    assert not call.answer(Answer(Action.CONTINUE, "continue"))


@pytest.fixture
def ros() -> Iterator[Spun]:
    with spun("program", free_domain(9)) as one:
        yield one


@pytest.mark.slow
async def test_the_topic_of_the_part_wins_over_the_parameter_and_keeps_to_one_line(
    ros: Spun,
) -> None:
    said, dropped = ros.node.create_publisher(String, "part", LATCHED), Counter[str]()
    said.publish(String(data="4711"))
    unspun = Node("cell", context=ros.node.context, namespace="/press_1")
    part = Part(unspun, RosNames(), lambda: "by-parameter", dropped)
    assert part.id() in ("by-parameter", "4711")
    await until(lambda: part.id() == "4711")

    for odd in ("4712\n", "x" * 129, "4713"):
        said.publish(String(data=odd))
    await until(lambda: part.id() == "4713")
    unspun.destroy_node()

    assert dropped == {"malformed_part": 2}
