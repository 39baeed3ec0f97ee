"""An ear keeps what came, when it came, and how much did not come."""

from types import SimpleNamespace

import pytest

from ros_nodes.bags.ear import Ear, Heard
from ros_nodes.bags.subjects import Subject, subjects
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.config import ReadBack, RobotSpec, RosNames, SafetySpec, TopicSpec
from ros_nodes.config.program import ProgramSpec
from tests.ros_nodes.bags.bag_builders import JOINTS, TEXT, WRENCH
from tests.ros_nodes.node_builders import make_config
from tests.ros_nodes.test_tap import Handle

BOOL = "std_msgs/msg/Bool"


def came(
    number: int, publisher: bytes | None = b"a"
) -> tuple[bytes, dict[str, object]]:
    facts: dict[str, object] = {
        "publication_sequence_number": number,
        "received_timestamp": 1_000 + number,
        "source_timestamp": 900 + number,
    }
    if publisher is not None:
        facts["publisher_gid"] = {"data": publisher}
    return f"m{number}".encode(), facts


def listening(*taken: tuple[bytes, dict[str, object]]) -> Ear:
    ear = Ear("/t", JOINTS)
    assert ear.poll(SimpleNamespace(handle=Handle(*taken), msg_type=object))
    return ear


def test_messages_come_with_their_times() -> None:
    ear = listening(came(1), came(2))

    assert list(ear.drain()) == [Heard(b"m1", 1_001, 901), Heard(b"m2", 1_002, 902)]
    assert (ear.count, ear.lost) == (2, 0)


def test_losses_are_counted_for_each_publisher() -> None:
    ear = listening(came(1), came(7, b"b"), came(3), came(9, b"b"), came(4))

    list(ear.drain())

    assert ear.lost == 2


def test_publishers_that_cannot_be_told_apart_lose_nothing_unless_alone() -> None:
    alone = listening(came(1, None), came(4, None))
    together = listening(came(1, None), came(900, None), came(2, None), came(901, None))
    together.alone = False

    list(alone.drain())
    list(together.drain())

    assert (alone.lost, together.lost) == (2, 0)


def test_a_publisher_that_began_anew_lost_nothing() -> None:
    ear = listening(came(500, None), came(1, None), came(2, None))

    list(ear.drain())

    assert ear.lost == 0


def test_an_rclpy_that_cannot_be_polled_lets_an_executor_hand_over() -> None:
    ear = Ear("/t", JOINTS)

    assert not ear.poll(SimpleNamespace(handle=object()))
    ear.keep(b"m1")

    assert list(ear.drain()) == [Heard(b"m1", 0, 0)]
    assert ear.count == 1


def test_all_topics_of_a_cell_are_recorded() -> None:
    topics = {
        "joints": TopicSpec("joints", "joint_states", JOINTS),
        "running": TopicSpec("running", "/io/running", BOOL, latched=True),
    }
    back = ReadBack("/io/running", BOOL, "data", (False,))
    ros = RosNames(
        topics=topics,
        robot=RobotSpec(adapter="topic", hold="pause", read_back=back),
        safety=(SafetySpec("/io/safety", BOOL, "data", (False,)),),
        program=ProgramSpec(adapter="signals"),
    )

    chosen = subjects(make_config(ros=ros), ())

    assert {subject.name: subject.role for subject in chosen} == {
        "/press_1/joint_states": "sensor",
        "/io/running": "latched",
        "/press_1/steps": "words",
        "/press_1/permits": "words",
        "/press_1/part": "latched",
        "/press_1/step_done": "words",
        "/press_1/action": "words",
        "/press_1/pause": "latched",
        "/io/safety": "sensor",
    }


def test_topics_are_chosen_by_key_or_name_and_others_by_name_and_type() -> None:
    words = ["joints", "/press_1/wrench", "steps", "/tf=a/msg/B", "/free"]

    chosen = subjects(make_config(), words)

    assert chosen == (
        Subject("/press_1/joint_states", JOINTS),
        Subject("/press_1/wrench", WRENCH),
        Subject("/press_1/steps", TEXT, "words"),
        Subject("/tf", "a/msg/B"),
        Subject("/free", ""),
    )


def test_a_word_that_is_no_topic_is_refused() -> None:
    with pytest.raises(RecordingRefusedError, match="'elbow' is no topic of cell"):
        subjects(make_config(), ["elbow"])
