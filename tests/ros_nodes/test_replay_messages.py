"""Recorded messages are played to other processes as they were."""

import json
import re
import signal
from pathlib import Path

import pytest

from ros_nodes.bags.stamps import stamp_ns
from ros_nodes.cdr import read_text
from ros_nodes.clock import SECOND_NS, SystemClock
from tests.ros_nodes.bags.bag_builders import (
    BEGIN_NS,
    FORCES,
    STATES,
    TEXT,
    robot_lines,
    shared_bags,
    text,
    write_folder,
    write_mcap,
)
from tests.ros_nodes.cells import free_domain, write_config
from tests.ros_nodes.ros_programs import listener, program

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

MS = 1_000_000


def domain_words(number: int) -> list[str]:
    return ["--domain", str(free_domain(number)), "--wait", "15"]


@pytest.mark.parametrize("form", ["mcap", "SQLITE3"])
async def test_every_message_arrives_unchanged_with_a_stamp_of_now(
    tmp_path: Path, form: str
) -> None:
    from geometry_msgs.msg import WrenchStamped
    from sensor_msgs.msg import JointState

    lines = robot_lines(100)
    if form == "mcap":
        path = write_mcap(tmp_path / "r.mcap", lines)
    else:
        path = write_folder(tmp_path / "bag", lines, storage=form)
    with listener(free_domain(1)) as ros:
        states = ros.listen(STATES, JointState)
        forces = ros.listen(FORCES, WrenchStamped)
        begun_ns = SystemClock().utc_ns()
        async with program(
            "replay", str(path), "--json", *domain_words(1), cwd=tmp_path
        ) as replay:
            await ros.until(lambda: len(states) == len(forces) == 100)
            code, out, error = await replay.ended()

    assert code == 0, error
    assert [m[12:] for m in states] == [m[12:] for t, _, m, _ in lines if t == STATES]
    assert [m[12:] for m in forces] == [m[12:] for t, _, m, _ in lines if t == FORCES]
    stamps = [stamp_ns(m) or 0 for m in states]
    assert begun_ns < stamps[0] < begun_ns + 20 * SECOND_NS
    assert stamps[-1] - stamps[0] == pytest.approx(990 * MS, abs=2 * MS)
    facts = json.loads(out)
    assert facts["messages"] == 200
    assert facts["topics"] == {STATES: 100, FORCES: 100}
    assert 0.9 < facts["seconds"] < 5.0
    assert 0.0 < facts["p50_ms"] <= facts["p99_ms"] <= facts["worst_ms"]


async def test_a_part_is_played_faster_and_over_again_until_it_is_ended(
    tmp_path: Path,
) -> None:
    from sensor_msgs.msg import JointState

    path = write_mcap(tmp_path / "r.mcap", robot_lines(100))
    with listener(free_domain(2)) as ros:
        states = ros.listen(STATES, JointState)
        async with program(
            *("replay", str(path), "--topics", STATES, "--from", "0.2", "--to", "0.4"),
            *("--rate", "4", "--loop", *domain_words(2)),
            cwd=tmp_path,
        ) as replay:
            await ros.until(lambda: len(states) > 90)
            replay.process.send_signal(signal.SIGINT)
            code, out, _ = await replay.ended()

    assert code == 0
    # Twenty messages a time: from 0.2 s on, and 0.4 s is left out.
    assert states[20][12:] == states[0][12:]
    assert states[19][12:] != states[0][12:]
    assert re.search(r"played \d+ messages of 1 topic of r\.mcap", out)
    assert "(p50)" in out


async def test_with_its_stamps_kept_the_recorded_time_is_told_on_clock(
    tmp_path: Path,
) -> None:
    from rosgraph_msgs.msg import Clock
    from sensor_msgs.msg import JointState

    path = write_mcap(tmp_path / "r.mcap", robot_lines(50))
    with listener(free_domain(3)) as ros:
        states = ros.listen(STATES, JointState)
        times = ros.listen("/clock", Clock)
        async with program(
            *("replay", str(path), "--keep-stamps", "--topics", STATES),
            *domain_words(3),
            cwd=tmp_path,
        ) as replay:
            await ros.until(lambda: len(states) == 50)
            code, _, error = await replay.ended()
            ros.take()

    assert code == 0, error
    assert stamp_ns(states[0]) == BEGIN_NS - MS
    told = [stamp_ns(m) or 0 for m in times]
    assert told == sorted(told)
    assert len(told) > 20
    assert told[0] >= BEGIN_NS
    assert told[-1] <= BEGIN_NS + SECOND_NS


async def test_a_cell_hears_a_robot_that_was_recorded_under_other_names(
    tmp_path: Path,
) -> None:
    from geometry_msgs.msg import WrenchStamped
    from sensor_msgs.msg import JointState

    lines = [(t.replace("press_1/", ""), k, m, a) for t, k, m, a in robot_lines(20)]
    path = write_mcap(tmp_path / "r.mcap", lines)
    config = write_config(tmp_path, port=1, domain=free_domain(4))
    with listener(free_domain(4)) as ros:
        states = ros.listen(STATES, JointState)
        ros.listen(FORCES, WrenchStamped)
        async with program(
            *("replay", str(path), "--config", str(config), "--cell", "press-1"),
            *("--wait", "15", "--json"),
            cwd=tmp_path,
        ) as replay:
            await ros.until(lambda: len(states) == 20, within=30)
            code, out, error = await replay.ended()

    assert code == 0, error
    assert set(json.loads(out)["topics"]) == {STATES, FORCES}


async def test_who_comes_late_finds_the_newest_message_of_a_latched_topic(
    tmp_path: Path,
) -> None:
    from mcap.writer import Writer
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import String

    path = tmp_path / "latched.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="other")
        schema = writer.register_schema(TEXT, "ros2msg", b"string data")
        channel = writer.register_channel(
            "/said", "cdr", schema, {"offered_qos_profiles": "- durability: 1"}
        )
        for at_ns, word in ((0, "old"), (1, "newest"), (9 * SECOND_NS, "later")):
            writer.add_message(channel, BEGIN_NS + at_ns, text(word), 0)
        writer.finish()
    with listener(free_domain(5)) as ros:
        async with program(
            *("replay", str(path), "--topics", "/said", "--from", "2"),
            *("--domain", str(free_domain(5)), "--wait", "0"),
            cwd=tmp_path,
        ):
            await ros.until(lambda: ros.node.count_publishers("/said"))
            latched = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            said = ros.listen("/said", String, latched)
            await ros.until(lambda: said)

    assert [read_text(message) for message in said] == ["newest"]


def refusals(folder: Path) -> dict[str, tuple[list[str], str]]:
    robot = write_mcap(folder / "robot.mcap", robot_lines(5))
    odd = write_mcap(folder / "odd.mcap", [("/odd", "odd_msgs/msg/Odd", b"\x00", 0)])
    (folder / "torn.mcap").write_bytes(b"\x89MCAP0\r\n")
    (folder / "r.csv").write_text("time_s,cycle,a\n0,1,2\n", encoding="utf-8")
    return {
        "torn": ([str(folder / "torn.mcap")], "torn.mcap cannot be read"),
        "topic not there": (
            [str(robot), "--topics", "/wrist"],
            "no topic '/wrist'; it has /press_1/joint_states, /press_1/wrench",
        ),
        "unknown type": ([str(odd), "--topics", "/odd"], "not installed here"),
        "empty part": (
            [str(robot), "--from", "0.001", "--to", "0.002"],
            "no message of these topics",
        ),
        "csv without columns": ([str(folder / "r.csv")], "--columns"),
        "robot without cell": ([str(robot), "--as-robot"], "--config and --cell"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "torn",
        "topic not there",
        "unknown type",
        "empty part",
        "csv without columns",
        "robot without cell",
    ],
)
async def test_what_cannot_be_played_is_refused_in_one_sentence(
    tmp_path: Path, case: str
) -> None:
    said, expected = refusals(tmp_path)[case]
    domain = ["--domain", str(free_domain(6)), "--wait", "0"]

    async with program("replay", *said, *domain, cwd=tmp_path) as replay:
        code, out, error = await replay.ended()

    assert (code, out) == (2, "")
    assert error.startswith("andon: error: RECORDING: ")
    assert error.count("\n") == 1
    assert expected in error


async def test_a_recording_that_lost_its_end_is_played_up_to_there(
    tmp_path: Path,
) -> None:
    path = write_mcap(tmp_path / "r.mcap", robot_lines(20), flush_every=10)
    path.write_bytes(path.read_bytes()[:-600])

    async with program(
        *("replay", str(path), "--json", "--wait", "0"),
        *("--domain", str(free_domain(7))),
        cwd=tmp_path,
    ) as replay:
        code, out, error = await replay.ended()

    assert code == 0
    assert "r.mcap lost its end" in error
    assert 0 < json.loads(out)["messages"] <= 40


async def test_a_service_event_that_no_parser_takes_disturbs_nobody(
    tmp_path: Path,
) -> None:
    from rcl_interfaces.msg import ParameterEvent

    bags = shared_bags() / "rosbag2_test_resources/rosbag2_cpp/test/rosbag2_cpp/bags"
    with listener(free_domain(8)) as ros:
        events = ros.listen("/parameter_events", ParameterEvent)
        async with program(
            *("replay", str(bags / "topics_and_services.mcap")),
            *("--topics", "/parameter_events", *domain_words(8)),
            cwd=tmp_path,
        ) as replay:
            await ros.until(lambda: len(events) >= 7)
            code, _, error = await replay.ended()

    assert code == 0, error
