"""Recordings that tests play: written by andon, by rosbags, and by hand."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ros_nodes.bags.choice import Wish
from ros_nodes.bags.terms import BagTopic, Recorded
from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS
from ros_nodes.mcap_file import McapFile

BEGIN_NS = 1_735_689_600 * SECOND_NS
JOINTS = "sensor_msgs/msg/JointState"
WRENCH = "geometry_msgs/msg/WrenchStamped"
TEXT = "std_msgs/msg/String"
STATES = "/press_1/joint_states"
FORCES = "/press_1/wrench"

Line = tuple[str, str, bytes, int]
"""Topic, type, message, and nanoseconds after the beginning."""


def text(content: str) -> bytes:
    """One std_msgs/String, serialised."""
    said = content.encode() + b"\x00"
    return b"\x00\x01\x00\x00" + len(said).to_bytes(4, "little") + said


def joints(at_ns: int, value: float = 1.0, names: Sequence[str] = ("elbow",)) -> bytes:
    values = [value] * len(names)
    return JointWriter(names).write(BEGIN_NS + at_ns, values, [], values)


def robot_lines(count: int, *, period_ns: int = 10_000_000) -> list[Line]:
    """Joints and, half a period later, a wrench; both stamped 1 ms before."""
    lines: list[Line] = []
    for number in range(count):
        at_ns = number * period_ns
        lines.append((STATES, JOINTS, joints(at_ns - 1_000_000, number), at_ns))
        later_ns = at_ns + period_ns // 2
        stamp_ns = BEGIN_NS + later_ns - 1_000_000
        message = write_wrench(stamp_ns, [0, 0, number, 0, 0, 0])
        lines.append((FORCES, WRENCH, message, later_ns))
    return lines


def write_mcap(path: Path, lines: Iterable[Line], *, flush_every: int = 0) -> Path:
    """Write an MCAP file; definitions are empty, as nobody here parses one."""
    with path.open("wb") as file:
        mcap = McapFile(file, library="andon test", definition_of=lambda _: "")
        for number, (topic, kind, message, at_ns) in enumerate(lines, start=1):
            log_ns = BEGIN_NS + at_ns
            mcap.add(topic, kind, message, log_ns=log_ns, publish_ns=log_ns)
            if flush_every and number % flush_every == 0:
                mcap.flush()
        mcap.close()
    return path


def write_folder(path: Path, lines: Iterable[Line], *, storage: str) -> Path:
    """Write a rosbag2 folder, through rosbags."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    with Writer(path, version=9, storage_plugin=StoragePlugin[storage]) as writer:
        connections: dict[str, Any] = {}
        for topic, kind, message, at_ns in lines:
            if topic not in connections:
                connections[topic] = writer.add_connection(
                    topic, kind, msgdef="float64 x", rihs01=f"RIHS01_{'0' * 64}"
                )
            writer.write(connections[topic], BEGIN_NS + at_ns, message)
    return path


class HeldBag:
    """A recording in memory. See ros_nodes.bags.terms.Bag."""

    name = "held"
    cut_short = ""

    def __init__(self, lines: Iterable[Line] = (), *topics: BagTopic) -> None:
        self.held = [Recorded(t, BEGIN_NS + at_ns, m) for t, _, m, at_ns in lines]
        self.topics = {topic.name: topic for topic in topics}
        for name, kind, _, _ in lines:
            before = self.topics.get(name, BagTopic(name, kind, 0))
            self.topics[name] = BagTopic(name, kind, before.count + 1)
        self.begin_ns = BEGIN_NS
        self.end_ns = max((m.log_ns for m in self.held), default=BEGIN_NS)

    def messages(self, topics, *, from_ns=None, until_ns=None):
        first = self.begin_ns if from_ns is None else from_ns
        last = self.end_ns + 1 if until_ns is None else until_ns
        return (m for m in self.held if m.topic in topics and first <= m.log_ns < last)

    def close(self) -> None:
        pass


def wish(**facts) -> Wish:
    return Wish(**facts)


def shared_bags() -> Path:
    """The folder of recordings that other people's tools wrote, or skip."""
    named = os.environ.get("ANDON_RECORDINGS")
    root = Path(__file__).resolve().parents[3]
    folder = Path(named) if named else root.parent / "shared/data"
    if not (folder / "ros_bags").is_dir():
        pytest.skip("no recordings: set ANDON_RECORDINGS to a folder with ros_bags")
    return folder / "ros_bags"
