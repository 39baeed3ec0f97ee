"""A CSV is played as the messages its columns stand for."""

from pathlib import Path

import pytest

from ros_nodes.bags.table import TableBag, names_of, sources_of
from ros_nodes.cdr import Reader
from ros_nodes.config import ChannelSpec, RosNames, Source, TopicSpec
from ros_nodes.recording import USUAL_PERIOD_S, Columns
from tests.ros_nodes.bags.bag_builders import FORCES, JOINTS, STATES, WRENCH
from tests.ros_nodes.messages import values_of
from tests.ros_nodes.node_builders import make_config

CSV = """time_s,cycle,elbow,push
0.0,A,1.0,10
0.5,A,2.0,20
7.0,B,3.0,30
"""
ELBOW = Source("joints", "effort", "elbow_joint")
PUSH = Source("wrench", "force", "z")
NAMES = {"joints": STATES, "wrench": FORCES}


def bag(folder: Path, **sources: Source) -> TableBag:
    path = folder / "r.csv"
    path.write_text(CSV, encoding="utf-8")
    return TableBag(path, Columns("time_s", "cycle", sources), NAMES)


def test_rows_become_messages_one_cycle_behind_the_other(tmp_path: Path) -> None:
    table = bag(tmp_path, elbow=ELBOW, push=PUSH)

    messages = list(table.messages([STATES, FORCES]))

    assert [m.topic for m in messages] == [STATES, FORCES] * 3
    assert [m.log_ns / 1e9 for m in messages[::2]] == [0.0, 0.5, 0.5 + USUAL_PERIOD_S]
    for message, kind, wanted, value in (
        (messages[4], JOINTS, ("effort", "elbow_joint"), 3.0),
        (messages[5], WRENCH, ("force", "z"), 30.0),
    ):
        found = values_of(Reader(kind, [wanted]), [wanted], message.data)
        assert found == {wanted: value}
    assert {t.name: (t.type, t.count) for t in table.topics.values()} == {
        STATES: (JOINTS, 3),
        FORCES: (WRENCH, 3),
    }


def test_a_topic_without_columns_is_not_there(tmp_path: Path) -> None:
    table = bag(tmp_path, elbow=ELBOW)

    assert set(table.topics) == {STATES}
    assert len(list(table.messages([STATES, FORCES]))) == 3


def test_a_part_of_a_table(tmp_path: Path) -> None:
    table = bag(tmp_path, elbow=ELBOW)

    part = table.messages([STATES], from_ns=1, until_ns=table.end_ns)

    assert [m.log_ns for m in part] == [500_000_000]


def test_columns_are_named_like_the_channels_of_the_cell() -> None:
    topics = {
        "arm": TopicSpec("arm", "/ur/joint_states", JOINTS),
        "temp": TopicSpec("temp", "temperature", "sensor_msgs/msg/Temperature"),
    }
    cell = make_config(
        channels=(
            ChannelSpec("elbow", "N*m", Source("arm", "effort", "elbow_joint")),
            ChannelSpec("heat", "degC", Source("temp", "temperature", "value")),
        ),
        ros=RosNames(topics=topics),
    )

    assert sources_of(cell) == {"elbow": ELBOW}
    assert names_of(cell) == {"joints": "/ur/joint_states"}


@pytest.mark.parametrize("key", ["joints", "wrench"])
def test_a_cell_without_a_topic_table_has_the_usual_names(key: str) -> None:
    assert names_of(make_config())[key] in {"joint_states", "wrench"}
