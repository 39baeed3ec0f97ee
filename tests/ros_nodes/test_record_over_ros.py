"""A cell's topics are on the disk while they are heard, and outlive a kill."""

import asyncio
import json
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ros_nodes.bags.opening import open_bag
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.cdr import write_wrench
from ros_nodes.clock import SECOND_NS
from tests.ros_nodes.bags.bag_builders import FORCES, STATES, TEXT, joints, robot_lines
from tests.ros_nodes.cells import free_domain, write_config
from tests.ros_nodes.ros_programs import Listener, Program, listener, program

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

STEPS = "/press_1/steps"
WARM_UP = {STATES: joints(0, -1.0), FORCES: write_wrench(0, [-1.0] * 6)}


@asynccontextmanager
async def recording(
    folder: Path, domain: int, *words: str
) -> AsyncIterator[tuple[Program, Path]]:
    """A recorder of press-1, and its file."""
    config, file = write_config(folder, port=1, domain=domain), folder / "r.mcap"
    cell = ["--config", str(config), "--cell", "press-1", "--loopback"]
    async with program(
        "record", *cell, "--out", str(file), *words, cwd=folder
    ) as recorder:
        yield recorder, file


class Speaker:
    """Publishes lines of a recording, evenly, until told to end."""

    def __init__(self, ros: Listener, period_s: float = 0.005) -> None:
        from geometry_msgs.msg import WrenchStamped
        from sensor_msgs.msg import JointState

        self._publishers = {
            STATES: ros.node.create_publisher(JointState, STATES, 100),
            FORCES: ros.node.create_publisher(WrenchStamped, FORCES, 100),
        }
        self._period_s = period_s
        self.said: list[tuple[str, bytes]] = []

    async def until_heard(self, file: Path) -> None:
        """Speak until it is on the disk: who was found does not yet hear."""

        def heard() -> bool:
            return file.exists() and {topic for topic, _ in read(file)} == {
                STATES,
                FORCES,
            }

        async with asyncio.timeout(20):
            while not heard():
                for topic, publisher in self._publishers.items():
                    publisher.publish(WARM_UP[topic])
                await asyncio.sleep(0.1)

    async def say(self, count: int) -> None:
        first = len(self.said) // 2
        for topic, _, message, _ in robot_lines(first + count)[2 * first :]:
            self._publishers[topic].publish(message)
            self.said.append((topic, message))
            await asyncio.sleep(self._period_s / 2)


def read(file: Path) -> list[tuple[str, bytes]]:
    """What is in a file, whole or not; nothing while it cannot be read."""
    try:
        with open_bag(file) as bag:
            return [(m.topic, m.data) for m in bag.messages(set(bag.topics))]
    except RecordingRefusedError:
        return []


def said_in(file: Path) -> list[tuple[str, bytes]]:
    """What is in a file behind the warming up."""
    return [(topic, m) for topic, m in read(file) if m != WARM_UP.get(topic)]


async def test_what_was_said_is_read_back_by_everybody(tmp_path: Path) -> None:
    from std_msgs.msg import String

    domain = free_domain(1)
    with listener(domain) as ros:
        speaker = Speaker(ros)
        steps = ros.node.create_publisher(String, STEPS, 10)
        async with recording(tmp_path, domain, "--json") as (recorder, file):
            await speaker.until_heard(file)
            await speaker.say(100)
            steps.publish(String(data="a step"))
            async with asyncio.timeout(20):
                while STEPS not in {topic for topic, _ in read(file)}:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            recorder.process.send_signal(signal.SIGINT)
            code, out, error = await recorder.ended()

    assert code == 0, error
    facts = json.loads(out)
    assert set(facts["messages"]) == {STATES, FORCES, STEPS, "/press_1/permits"}
    assert (facts["messages"][STEPS], facts["messages"]["/press_1/permits"]) == (1, 0)
    assert facts["lost"] == dict.fromkeys(facts["messages"], 0)
    assert [one for one in said_in(file) if one[0] != STEPS] == speaker.said

    # Tools that are not ours, by the definitions in the file.
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory
    from rosbags.highlevel import AnyReader

    with file.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        decoded = list(reader.iter_decoded_messages(topics=[STATES]))
        (note,) = [m.metadata for m in reader.iter_metadata()]
        summary = reader.get_summary()
    efforts = [one.decoded_message.effort[0] for one in decoded]
    assert [effort for effort in efforts if effort >= 0] == list(range(100))
    times = [one.message.log_time for one in decoded]
    assert times == sorted(times)
    # One clock, not two: how late a busy machine hears is not what is looked at.
    assert all(0 <= one.message.log_time - one.message.publish_time < 60 * SECOND_NS
               for one in decoded)  # fmt: skip
    assert note == {"cell": "press-1"}
    assert summary is not None
    offered = {c.topic: c.metadata for c in summary.channels.values()}
    assert "reliability: 1" in offered[STATES]["offered_qos_profiles"]
    assert offered[STATES]["topic_type_hash"].startswith("RIHS01_")
    with AnyReader([file]) as bag:
        decoded_forces: list[Any] = [
            bag.deserialize(data, connection.msgtype)
            for connection, _, data in bag.messages()
            if connection.topic == FORCES
        ]
    forces = [one.wrench.force.z for one in decoded_forces]
    assert [force for force in forces if force >= 0] == list(range(100))


async def test_a_kill_loses_no_more_than_the_last_second(tmp_path: Path) -> None:
    domain = free_domain(2)
    with listener(domain) as ros:
        speaker = Speaker(ros)
        async with recording(tmp_path, domain) as (recorder, file):
            await speaker.until_heard(file)
            await speaker.say(100)
            before_the_last_second = len(speaker.said)
            await speaker.say(200)
            recorder.process.kill()
            await recorder.process.wait()

    found = said_in(file)
    assert len(found) >= before_the_last_second
    assert found == speaker.said[: len(found)]


async def test_a_latched_topic_is_heard_although_nobody_said_that_it_is(
    tmp_path: Path,
) -> None:
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import String

    domain = free_domain(3)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    with listener(domain) as ros:
        publisher = ros.node.create_publisher(String, "/program", latched)
        publisher.publish(String(data="running"))
        async with recording(
            tmp_path, domain, "--topic", "/program", "--seconds", "2.5"
        ) as (recorder, file):
            code, _, error = await recorder.ended()

    assert code == 0, error
    assert [topic for topic, _ in read(file)] == ["/program"]
    with open_bag(file) as bag:
        assert bag.topics["/program"].latched
        assert bag.topics["/program"].type == TEXT


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--topic", "/nobody"], 2, "nobody publishes /nobody"),
        (["--topic", "/odd=odd_msgs/msg/Odd"], 2, "not installed here"),
        (["--topic", "elbow"], 2, "'elbow' is no topic of cell press-1"),
        (["--seconds", "0.3", "--reserve-mb", "1e12"], 1, ""),
    ],
)
async def test_what_cannot_be_recorded_is_refused_and_leaves_no_file(
    tmp_path: Path, words: list[str], code: int, expected: str
) -> None:
    async with recording(tmp_path, free_domain(4), *words) as (recorder, file):
        ended, _, error = await recorder.ended()

    assert ended == code
    assert expected in error
    assert error.count("\n") == bool(expected)
    assert not file.exists()


async def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r.mcap").write_text("mine", encoding="utf-8")

    async with recording(tmp_path, free_domain(5)) as (recorder, file):
        code, _, error = await recorder.ended()

    assert code == 2
    assert "is there already" in error
    assert file.read_text(encoding="utf-8") == "mine"


async def test_a_disk_that_is_full_is_said_in_one_sentence_and_keeps_what_came(
    tmp_path: Path,
) -> None:
    domain = free_domain(6)
    with listener(domain) as ros:
        speaker = Speaker(ros)
        async with recording(tmp_path, domain) as (recorder, file):
            await speaker.until_heard(file)
            # As far as the process can tell, the disk ends here.
            size = file.stat().st_size + 1_000
            resource.prlimit(
                recorder.process.pid or 0, resource.RLIMIT_FSIZE, (size, size)
            )
            await speaker.say(200)
            code, _, error = await recorder.ended()

    assert code == 7
    assert error.startswith("andon: error: DISK: the disk takes no more (")
    assert error.count("\n") == 1
    assert read(file)[0] == (STATES, WARM_UP[STATES])
    found = said_in(file)
    assert found == speaker.said[: len(found)]
