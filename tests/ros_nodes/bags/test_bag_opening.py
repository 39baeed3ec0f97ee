"""Recordings of any writer are read; what cannot be is refused in one sentence."""

import random
import sqlite3
from pathlib import Path

import pytest

from ros_nodes.bags.opening import is_bag, open_bag
from ros_nodes.bags.sequential import SequentialBag
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.clock import SECOND_NS
from tests.ros_nodes.bags.bag_builders import (
    BEGIN_NS,
    FORCES,
    JOINTS,
    STATES,
    TEXT,
    robot_lines,
    shared_bags,
    text,
    write_folder,
    write_mcap,
)

pytest.importorskip("rosbags")

LINES = robot_lines(50)


@pytest.mark.parametrize("form", ["mcap", "mcap folder", "sqlite3 folder", "db3"])
def test_messages_come_back_as_they_were_in_the_order_they_were_received(
    tmp_path: Path, form: str
) -> None:
    storage, _, folder = form.partition(" ")
    if form == "db3":
        path = write_folder(tmp_path / "bag", LINES, storage="SQLITE3") / "bag.db3"
    elif folder:
        path = write_folder(tmp_path / "bag", LINES, storage=storage.upper())
    else:
        path = write_mcap(tmp_path / "r.mcap", LINES)

    with open_bag(path) as bag:
        topics = dict(bag.topics)
        length_ns = bag.end_ns - bag.begin_ns
        messages = list(bag.messages([STATES, FORCES]))

    assert bag.cut_short == ""
    assert (topics[STATES].type, topics[STATES].count) == (JOINTS, 50)
    assert length_ns == LINES[-1][3]
    assert [(m.topic, m.data, m.log_ns - BEGIN_NS) for m in messages] == [
        (topic, message, at_ns) for topic, _, message, at_ns in LINES
    ]


def test_a_part_begins_with_its_first_moment_and_ends_before_its_last(
    tmp_path: Path,
) -> None:
    path = write_mcap(tmp_path / "r.mcap", LINES)

    with open_bag(path) as bag:
        part = list(
            bag.messages(
                [STATES],
                from_ns=BEGIN_NS + SECOND_NS // 10,
                until_ns=BEGIN_NS + SECOND_NS // 5,
            )
        )

    moments = [(m.log_ns - BEGIN_NS) // 1_000_000 for m in part]
    assert moments == list(range(100, 200, 10))


def test_topics_that_nobody_wants_are_not_looked_at(tmp_path: Path) -> None:
    lines = [*LINES, ("/odd", "nobody/msg/HasThis", b"\x00", 7)]

    with open_bag(write_mcap(tmp_path / "r.mcap", lines)) as bag:
        messages = list(bag.messages([STATES]))

    assert bag.topics["/odd"].type == "nobody/msg/HasThis"
    assert {m.topic for m in messages} == {STATES}


@pytest.mark.parametrize("share", [0.5, 0.7, 0.95])
def test_a_file_that_lost_its_end_is_read_up_to_there(
    tmp_path: Path, share: float
) -> None:
    path = write_mcap(tmp_path / "r.mcap", LINES, flush_every=10)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])

    with open_bag(path) as bag:
        messages = list(bag.messages([STATES, FORCES]))
        again = list(bag.messages([STATES, FORCES]))

    assert bag.cut_short
    assert 0 < len(messages) <= len(LINES)
    assert messages == again
    assert [m.data for m in messages] == [line[2] for line in LINES[: len(messages)]]
    assert sum(t.count for t in bag.topics.values()) == len(messages)


def test_messages_out_of_order_in_a_file_without_an_index_are_put_in_order(
    tmp_path: Path,
) -> None:
    lines = robot_lines(20)
    path = write_mcap(tmp_path / "r.mcap", reversed(lines), flush_every=7)
    path.write_bytes(path.read_bytes()[:-20])

    with open_bag(path) as bag:
        assert isinstance(bag, SequentialBag)
        moments = [m.log_ns for m in bag.messages([STATES, FORCES])]

    assert moments == sorted(moments)
    assert len(moments) == len(lines)
    assert bag.begin_ns == BEGIN_NS


def test_a_file_without_chunks_is_read_from_the_front(tmp_path: Path) -> None:
    from mcap.writer import Writer

    path = tmp_path / "plain.mcap"
    with path.open("wb") as file:
        writer = Writer(file, use_chunking=False)
        writer.start(profile="ros2", library="other")
        schema = writer.register_schema(TEXT, "ros2msg", b"string data")
        channel = writer.register_channel(
            "/said", "cdr", schema, {"offered_qos_profiles": "- durability: 1"}
        )
        for at_ns in (30, 10, 20):
            writer.add_message(channel, BEGIN_NS + at_ns, text(str(at_ns)), 0)
        writer.finish()

    with open_bag(path) as bag:
        found = [m.log_ns - BEGIN_NS for m in bag.messages(["/said"])]

    assert found == [10, 20, 30]
    assert bag.topics["/said"].latched
    assert bag.cut_short == ""


def test_a_topic_of_two_types_has_none(tmp_path: Path) -> None:
    from mcap.writer import Writer

    path = tmp_path / "two.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="other")
        for kind in (TEXT, JOINTS):
            schema = writer.register_schema(kind, "ros2msg", b"string data")
            channel = writer.register_channel("/said", "cdr", schema)
            writer.add_message(channel, BEGIN_NS, text("x"), 0)
        writer.finish()

    with open_bag(path) as bag:
        assert (bag.topics["/said"].type, bag.topics["/said"].count) == ("", 2)


def empty(path: Path) -> Path:
    return write_mcap(path, [])


def broken(path: Path) -> Path:
    path.write_bytes(b"\x89MCAP0\r\n" + b"\x00" * 100)
    return path


def other(path: Path) -> Path:
    path.write_bytes(b"PK\x03\x04" * 100)
    return path


def no_database(path: Path) -> Path:
    path = path.with_suffix(".db3")
    sqlite3.connect(path).execute("create table t (x)").connection.close()
    return path


def torn_database(path: Path) -> Path:
    bag = write_folder(path.with_suffix(""), LINES, storage="SQLITE3")
    file = next(bag.glob("*.db3"))
    file.write_bytes(file.read_bytes()[:9000])
    return bag


def folder_without_metadata(path: Path) -> Path:
    bag = write_folder(path.with_suffix(""), LINES, storage="MCAP")
    (bag / "metadata.yaml").unlink()
    return bag


def folder_without_its_file(path: Path) -> Path:
    bag = write_folder(path.with_suffix(""), LINES, storage="MCAP")
    next(bag.glob("*.mcap")).unlink()
    return bag


def folder_with_odd_metadata(path: Path) -> Path:
    bag = write_folder(path.with_suffix(""), LINES, storage="MCAP")
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [", "utf-8")
    return bag


def absent(path: Path) -> Path:
    return path


def of_another_kind(path: Path) -> Path:
    path = path.with_suffix(".bag")
    path.write_bytes(b"#ROSBAG V2.0\n")
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (empty, "r.mcap holds no message; record again"),
        (broken, "r.mcap cannot be read.*; copy it again"),
        (other, "r.mcap cannot be read: File magic is invalid; copy it again"),
        (no_database, "r.db3 cannot be read: Cannot open database.*; copy it again"),
        (torn_database, "cannot be read.*; bring the whole folder again"),
        (folder_without_metadata, "r has no metadata.yaml.*; name a file in it"),
        (
            folder_without_its_file,
            "r cannot be read: Some database files are missing.*; bring the whole",
        ),
        (folder_with_odd_metadata, "r cannot be read: Could not load YAML.*; bring"),
        (absent, "r.mcap is not there"),
        (of_another_kind, "r.bag is none of .mcap.*; name one of those, or convert"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, make, words
) -> None:
    with (
        pytest.raises(RecordingRefusedError, match=words) as refused,
        open_bag(make(tmp_path / "r.mcap")) as bag,
    ):
        list(bag.messages(set(bag.topics)))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", ["mcap", "db3"])
def test_no_broken_byte_makes_more_than_a_refusal(tmp_path: Path, form: str) -> None:
    lines = robot_lines(8)
    if form == "mcap":
        path = write_mcap(tmp_path / "r.mcap", lines, flush_every=5)
    else:
        path = write_folder(tmp_path / "b", lines, storage="SQLITE3") / "b.db3"
    whole = path.read_bytes()
    chance = random.Random(7)  # noqa: S311 - no secret
    ends = {"whole": 0, "refused": 0}
    for _ in range(200):
        end = chance.choice([len(whole), chance.randrange(len(whole))])
        changed = bytearray(whole[:end])
        for _ in range(chance.choice([0, 1, 5]) if changed else 0):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            with open_bag(path) as bag:
                list(bag.messages(set(bag.topics)))
        except RecordingRefusedError:
            ends["refused"] += 1
        else:
            ends["whole"] += 1

    assert all(ends.values()), ends


def test_a_file_with_fewer_messages_than_its_index_says_is_refused(
    tmp_path: Path,
) -> None:
    path = write_folder(tmp_path / "b", LINES, storage="SQLITE3")
    with sqlite3.connect(path / "b.db3") as database:
        database.execute("delete from messages where id > 90")

    with (
        pytest.raises(RecordingRefusedError, match="90 messages are there of 100"),
        open_bag(path) as bag,
    ):
        list(bag.messages([STATES, FORCES]))


@pytest.mark.parametrize(
    ("name", "expected"), [("a.csv", False), ("a.mcap", True), ("folder", True)]
)
def test_a_table_is_no_recording_of_messages(name: str, expected: bool) -> None:
    assert is_bag(Path(name)) is expected


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("derived_rosbag2_mcap", {"/joint_states": 1325}),
        ("derived_rosbag2_mcap/derived_rosbag2_mcap.mcap", {"/joint_states": 1325}),
        # A folder whose metadata.yaml and file disagree about QoS, in both storages.
        ("rosbag2_py/test/resources/mcap/talker", {"/topic": 10, "/rosout": 10}),
        ("rosbag2_py/test/resources/sqlite3/talker", {"/topic": 10, "/rosout": 10}),
        ("rosbag2_py/test/resources/mcap/talker/talker.mcap", {"/topic": 10}),
        ("rosbag2_py/test/resources/sqlite3/talker/talker.db3", {"/topic": 10}),
        ("rosbag2_tests/resources/mcap/cdr_test", {"/test_topic": 3}),
        ("rosbag2_tests/resources/sqlite3/cdr_test", {"/array_topic": 4}),
        (
            "rosbag2_cpp/test/rosbag2_cpp/bags/only_topics.mcap",
            {"/parameter_events": 7},
        ),
        # A service event whose definition no parser takes: it is never parsed.
        (
            "rosbag2_cpp/test/rosbag2_cpp/bags/topics_and_services.mcap",
            {"/parameter_events": 7, "/add_two_ints/_service_event": 6},
        ),
        (
            "rosbag2_cpp/test/rosbag2_cpp/bags/topics_and_services.db3",
            {"/parameter_events": 7},
        ),
    ],
)
def test_recordings_that_ros_tools_wrote_are_read(place: str, counts) -> None:
    folder = shared_bags()
    if not place.startswith("derived"):
        folder /= "rosbag2_test_resources"
    path = folder / place

    with open_bag(path) as bag:
        found = {name: len(list(bag.messages([name]))) for name in counts}
        everything = len(list(bag.messages(set(bag.topics))))

    assert found == counts
    assert everything == sum(topic.count for topic in bag.topics.values())
