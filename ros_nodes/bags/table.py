"""A CSV as a recording of messages: its cycles one behind the other.

For looking at a table on topics. Where a robot is to wait for permits, the rows are
played by recording.RecordedBody instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from ros_nodes.bags.terms import BagTopic, Recorded
from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import seconds_to_ns
from ros_nodes.config import CellConfig, Source
from ros_nodes.recording import USUAL_PERIOD_S, Columns, Recording, read_recording

JOINTS: Final = "sensor_msgs/msg/JointState"
WRENCH: Final = "geometry_msgs/msg/WrenchStamped"
_KEYS: Final[Mapping[str, str]] = {JOINTS: "joints", WRENCH: "wrench"}


def sources_of(cell: CellConfig) -> dict[str, Source]:
    """What the columns of a CSV mean that names its columns like a cell its channels.

    Channels of other topics than joints and wrench are no columns of a robot.
    """
    sources = {}
    for channel in cell.channels:
        key = _KEYS.get(cell.ros.topics[channel.source.topic].type)
        if key is not None:
            source = channel.source
            sources[channel.name] = Source(key, source.field, source.element)
    return sources


def names_of(cell: CellConfig) -> dict[str, str]:
    """Names of a cell's topics for joints and wrench, where it has them."""
    return {
        _KEYS[topic.type]: topic.name
        for topic in reversed(list(cell.ros.topics.values()))
        if topic.type in _KEYS
    }


class TableBag:
    """Rows as messages, from time 0 on. See terms.Bag.

    Args:
        path: The CSV.
        columns: What its columns mean.
        names: Full names of the topics "joints" and "wrench".

    Raises:
        RecordingRefusedError: As recording.read_recording.
    """

    cut_short = ""
    begin_ns = 0

    def __init__(self, path: Path, columns: Columns, names: Mapping[str, str]) -> None:
        self.name = path.name
        self._recording = read_recording(path, columns)
        self._names = names
        sample = self._recording.cycles[0].samples[0]
        rows = sum(len(cycle.samples) for cycle in self._recording.cycles)
        there = (
            (names["joints"], JOINTS, sample.joints_sent),
            (names["wrench"], WRENCH, sample.wrench_sent),
        )
        self.topics: Mapping[str, BagTopic] = {
            name: BagTopic(name, kind, rows) for name, kind, sent in there if sent
        }
        self.end_ns = max(log_ns for log_ns, _ in _times(self._recording))

    def messages(
        self,
        topics: Collection[str],
        *,
        from_ns: int | None = None,
        until_ns: int | None = None,
    ) -> Iterator[Recorded]:
        """See terms.Bag."""
        joints = JointWriter(self._recording.joint_names)
        first = 0 if from_ns is None else from_ns
        last = self.end_ns if until_ns is None else until_ns - 1
        samples = (s for cycle in self._recording.cycles for s in cycle.samples)
        for (log_ns, _), sample in zip(_times(self._recording), samples, strict=True):
            if not first <= log_ns <= last:
                continue
            if sample.joints_sent and self._names["joints"] in topics:
                fields = (sample.position, sample.velocity, sample.effort)
                message = joints.write(log_ns, *fields)
                yield Recorded(self._names["joints"], log_ns, message)
            if sample.wrench_sent and self._names["wrench"] in topics:
                message = write_wrench(log_ns, sample.wrench)
                yield Recorded(self._names["wrench"], log_ns, message)

    def close(self) -> None:
        """See terms.Bag: nothing is open."""


def _times(recording: Recording) -> Iterator[tuple[int, int]]:
    """When each row is played, ns from 0, and the number of its cycle."""
    begin_s = 0.0
    for number, cycle in enumerate(recording.cycles):
        for time_s in cycle.times_s:
            yield seconds_to_ns(begin_s + float(time_s)), number
        begin_s += float(cycle.times_s[-1]) + USUAL_PERIOD_S
