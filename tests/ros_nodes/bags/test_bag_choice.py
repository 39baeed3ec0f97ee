"""A recording is played to sensors' listeners; a robot never gets leave from one."""

import dataclasses
from typing import Any

import pytest

from ros_nodes.bags.choice import Choice, Wish, choose
from ros_nodes.bags.terms import BagTopic, RecordingRefusedError
from ros_nodes.config import RobotSpec, RosNames, SafetySpec, TopicSpec
from tests.ros_nodes.bags.bag_builders import FORCES, JOINTS, STATES, TEXT, WRENCH
from tests.ros_nodes.bags.bag_builders import HeldBag as Bag
from tests.ros_nodes.node_builders import make_config

CELL = make_config()


def chosen(*topics: BagTopic, **wish: Any) -> Choice:
    return choose(Bag((), *topics), Wish(**wish), lambda kind: kind != "odd/msg/Type")


def names(choice: Choice) -> dict[str, str]:
    return {topic.recorded.name: topic.name for topic in choice.topics}


def topic(name: str, kind: str = JOINTS, count: int = 5, **facts: Any) -> BagTopic:
    return BagTopic(name, kind, count, **facts)


def test_without_a_wish_only_sensors_are_played() -> None:
    choice = chosen(
        topic("/a"),
        topic("/b", WRENCH),
        topic("/said", TEXT),
        # As well a command to a motor.
        topic("/targets", "std_msgs/msg/Float64MultiArray"),
        topic("/silent", TEXT, 0),
    )

    assert names(choice) == {"/a": "/a", "/b": "/b"}
    assert [remark.partition(" ")[0] for remark in choice.remarks] == [
        "/said",
        "/targets",
    ]


def test_a_topic_that_is_named_is_played() -> None:
    choice = chosen(topic("/a"), topic("/said", TEXT), topics=["/said"])

    assert names(choice) == {"/said": "/said"}


def test_a_cells_topics_are_played_under_its_names() -> None:
    choice = chosen(topic(STATES), topic(FORCES, WRENCH), topic("/x"), cell=CELL)

    assert names(choice) == {STATES: STATES, FORCES: FORCES}


def test_a_recording_of_a_robot_without_a_namespace_is_played_to_the_cell() -> None:
    choice = chosen(topic("/joint_states"), topic("/r2/wrench", WRENCH), cell=CELL)

    assert names(choice) == {"/joint_states": STATES, "/r2/wrench": FORCES}


def test_of_two_robots_none_is_taken_for_the_cells() -> None:
    choice = chosen(
        topic("/a/joint_states"),
        topic("/b/joint_states"),
        topic(FORCES, WRENCH),
        cell=CELL,
    )

    assert names(choice) == {FORCES: FORCES}
    assert choice.remarks == (f"held has no topic for {STATES}",)


def test_a_topic_is_played_as_renamed() -> None:
    choice = chosen(
        topic("/arm/states"), topic("/joint_states"),
        cell=CELL, renamed={"/arm/states": STATES},
    )  # fmt: skip

    assert names(choice) == {"/arm/states": STATES}


def test_a_cells_topic_may_be_named_by_its_key() -> None:
    choice = chosen(
        topic("/joint_states"), topic(FORCES, WRENCH), cell=CELL, topics=["joints"]
    )

    assert names(choice) == {"/joint_states": STATES}


def test_what_a_cell_hears_of_its_safety_is_played_too() -> None:
    ros = RosNames(
        safety=(SafetySpec("/io/safety", "std_msgs/msg/Bool", "data", (False,)),)
    )
    cell = dataclasses.replace(CELL, ros=ros)

    choice = chosen(topic("/io/safety", "std_msgs/msg/Bool"), cell=cell)

    assert names(choice) == {"/io/safety": "/io/safety"}


def test_a_topic_of_another_type_than_the_cells_is_left_out() -> None:
    choice = chosen(topic(STATES, TEXT), topic(FORCES, WRENCH), cell=CELL)

    assert names(choice) == {FORCES: FORCES}
    assert "it is left out" in choice.remarks[0]


def speaking() -> Any:
    return RosNames(
        permits="leave",
        robot=RobotSpec(adapter="topic", hold="/io/pause", resume="/io/play"),
        topics={"joints": TopicSpec("joints", "joint_states", JOINTS)},
    )


@pytest.mark.parametrize(
    ("recorded", "cell"),
    [
        ("/press_1/permits", None),
        ("/anything/permits", None),
        ("/press_1/leave", dataclasses.replace(CELL, ros=speaking())),
        ("/io/pause", dataclasses.replace(CELL, ros=speaking())),
        ("/io/play", dataclasses.replace(CELL, ros=speaking())),
    ],
)
def test_what_a_node_says_to_a_robot_is_never_played(recorded: str, cell: Any) -> None:
    with pytest.raises(RecordingRefusedError, match="never played"):
        chosen(topic(recorded, TEXT), topics=[recorded], cell=cell)


def test_nothing_is_renamed_to_what_a_node_says_to_a_robot() -> None:
    with pytest.raises(RecordingRefusedError, match="never played"):
        chosen(
            topic("/said", TEXT),
            topics=["/said"],
            cell=CELL,
            renamed={"/said": "/press_1/permits"},
        )


@pytest.mark.parametrize(
    ("topics", "wish", "words"),
    [
        ([topic("/a")], {"topics": ["/b"]}, "no topic '/b'; it has /a"),
        ([topic("/a")], {"renamed": {"/b": "/c"}}, "no topic '/b'"),
        ([topic("/a", "odd/msg/Type")], {"topics": ["/a"]}, "not installed here"),
        ([topic("/a", encoding="json")], {"topics": ["/a"]}, "as json, not CDR"),
        ([topic("/a", "")], {"topics": ["/a"]}, "of several types"),
        ([topic("/said", TEXT)], {}, "no topic of a type that sensors have"),
        ([topic("/said", TEXT)], {"cell": CELL}, "no topic of cell press-1"),
        (
            [topic("/a"), topic("/b")],
            {"topics": ["/a", "/b"], "renamed": {"/a": "/b"}},
            "two topics would be played as /b",
        ),
    ],
)
def test_what_cannot_be_played_is_refused(topics, wish, words) -> None:
    with pytest.raises(RecordingRefusedError, match=words):
        chosen(*topics, **wish)


def test_a_sensor_of_an_unknown_type_is_left_out_and_said() -> None:
    choice = choose(
        Bag((), topic("/a"), topic("/b", WRENCH)), Wish(), lambda kind: kind == JOINTS
    )

    assert names(choice) == {"/a": "/a"}
    assert "not installed here" in choice.remarks[0]
