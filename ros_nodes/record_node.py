"""Every topic of a cell, written to an MCAP file while it is heard.

One thread: it drains the subscriptions every 10 ms, writes what came in the order it
was received, and ends the chunk under way twice a second, so that a kill loses no more.
It listens as best-effort as the cell's own node, and changes nothing for a publisher.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

from ros_nodes.bags.line import StatusLine
from ros_nodes.bags.options import RecordOptions
from ros_nodes.bags.subjects import Subject
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.clock import SECOND_NS, SystemClock, seconds_to_ns
from ros_nodes.mcap_file import McapFile
from ros_nodes.msgdef import UnknownTypeError, class_named
from ros_nodes.qos import LATCHED, SENSORS, STEPS
from ros_nodes.tap import Tap

TICK_S: Final = 0.01
FLUSH_NS: Final = SECOND_NS // 2
LOOK_NS: Final = SECOND_NS // 4
"""Time between two looks at the disk and at who publishes."""
_PROFILES: Final = {"sensor": SENSORS, "latched": LATCHED, "words": STEPS}
FIND_S: Final = 3.0
"""Longest wait for somebody who publishes a topic whose type nobody said."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a recording.

    Attributes:
        file: Where it lies.
        messages: Messages by topic.
        lost: Messages that were published and not heard, by topic.
        seconds: How long it took, s.
        megabytes: Size of the file, MB.
        ended: Why it ended, one sentence; "" when it was told to, or its time was up.
    """

    file: Path
    messages: dict[str, int]
    lost: dict[str, int]
    seconds: float
    megabytes: float
    ended: str = ""


class Ear:
    """One topic of a recording: its subscription, and what came of it.

    Args:
        subject: The topic.
        dropped: Where losses are counted.
    """

    def __init__(self, subject: Subject, dropped: Counter[str]) -> None:
        self.topic = subject.name
        self.kind = subject.type
        self.tap = Tap(subject.name, dropped)
        self.profile = _PROFILES[subject.role]
        self.declared = False
        self._subscription: Any = None

    def listen(self, node: Node, profile: QoSProfile) -> bool:
        """Begin to listen, or to listen otherwise.

        Returns:
            False when this rclpy needs an executor to hand messages over.
        """
        if self._subscription is not None:
            node.destroy_subscription(self._subscription)
        self.profile = profile
        self._subscription = node.create_subscription(
            class_named(self.kind), self.topic, self.tap.keep, profile, raw=True
        )
        return self.tap.poll(self._subscription)


class Recorder:
    """Hears a cell's topics and writes them down.

    Args:
        options: What to record.
        subjects: Its topics.
        software: Who records, for the file's header.

    Raises:
        RecordingRefusedError: A type is not installed, or nobody publishes a topic
            whose type nobody said.
        OSError: The file is there already, or cannot be made.
    """

    def __init__(
        self, options: RecordOptions, subjects: tuple[Subject, ...], software: str
    ) -> None:
        self._options = options
        self._clock = SystemClock()
        self._context = Context()
        rclpy.init(
            args=[],
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            "record",
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._executor: Any = None
        self._file: IO[bytes] | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(self._close)
            known = [self._known(subject) for subject in subjects]
            for subject in known:
                _require_installed(subject)
            dropped: Counter[str] = Counter()
            self._ears = [Ear(subject, dropped) for subject in known]
            for ear in self._ears:
                self._listen(ear, ear.profile)
            self._file = options.file.open("xb")
            undo.callback(options.file.unlink)
            self._mcap = McapFile(self._file, library=software)
            self._mcap.note("andon", {"cell": options.cell.cell_id})
            undo.pop_all()  # it is whole: nothing is to be undone

    def _known(self, subject: Subject) -> Subject:
        """The subject with its type, found where somebody publishes it."""
        if subject.type:
            return subject
        until_ns = self._clock.monotonic_ns() + seconds_to_ns(FIND_S)
        while self._clock.monotonic_ns() < until_ns:
            for info in self._node.get_publishers_info_by_topic(subject.name):
                return Subject(subject.name, info.topic_type, subject.role)
            self._clock.block(TICK_S)
        raise RecordingRefusedError(
            f"nobody publishes {subject.name}, so its type is not known; "
            f"say {subject.name}=package/msg/Name"
        )

    def _listen(self, ear: Ear, profile: QoSProfile) -> None:
        if not ear.listen(self._node, profile) and self._executor is None:
            self._executor = SingleThreadedExecutor(context=self._context)
            self._executor.add_node(self._node)

    def run(self, ending: Callable[[], bool], progress: StatusLine) -> Kept:
        """Record until told to end, the time is up, or the disk is.

        Args:
            ending: Whether somebody wants it to end.
            progress: Shows how far it is.
        """
        begun_ns = self._clock.monotonic_ns()
        until_ns = begun_ns + seconds_to_ns(self._options.seconds or 1e9)
        ended = ""
        try:
            ended = self._write_until(until_ns, ending, progress)
            for ear in self._ears:
                if not ear.declared:
                    self._declare(ear)
            self._mcap.close()
        except OSError as error:
            ended = f"the disk takes no more ({error.strerror})"
        finally:
            progress.end()
            self._close()
        seconds = (self._clock.monotonic_ns() - begun_ns) / SECOND_NS
        kept = self._kept(seconds, ended)
        if not any(kept.messages.values()):
            self._options.file.unlink()  # ours, and without a message
        return kept

    def _write_until(
        self, until_ns: int, ending: Callable[[], bool], progress: StatusLine
    ) -> str:
        flush_ns = look_ns = begun_ns = self._clock.monotonic_ns()
        while not ending():
            now_ns = self._clock.monotonic_ns()
            if now_ns >= until_ns:
                break
            self._write_what_came()
            if now_ns >= flush_ns:
                flush_ns = now_ns + FLUSH_NS
                self._mcap.flush()
            if now_ns >= look_ns:
                look_ns = now_ns + LOOK_NS
                if reason := self._short_of_disk():
                    return reason
                self._see_publishers()
            if progress.due:
                progress.show(self._progress((now_ns - begun_ns) / SECOND_NS))
            self._clock.block(TICK_S)
        self._write_what_came()
        return ""

    def _write_what_came(self) -> None:
        if self._executor is not None:
            self._executor.spin_once(timeout_sec=0.0)
        now_ns = self._clock.utc_ns()
        came = [
            (facts.get("received_timestamp") or now_ns, ear, message, facts)
            for ear in self._ears
            for message, facts in ear.tap.drain()
        ]
        came.sort(key=lambda one: one[0])
        for log_ns, ear, message, facts in came:
            if not ear.declared:
                self._declare(ear)
            self._mcap.add(
                ear.topic,
                ear.kind,
                message,
                log_ns=log_ns,
                publish_ns=facts.get("source_timestamp") or log_ns,
            )

    def _declare(self, ear: Ear) -> None:
        """Write beside a topic what its publishers offer, and which type it is."""
        ear.declared = True
        infos = self._node.get_publishers_info_by_topic(ear.topic)
        facts = {"offered_qos_profiles": _profiles(infos)}
        if infos:
            facts["topic_type_hash"] = str(infos[0].topic_type_hash)
        self._mcap.declare(ear.topic, ear.kind, facts)

    def _see_publishers(self) -> None:
        """Listen to a topic from which nothing came as its publishers offer it.

        What a publisher keeps for late listeners is heard only by those who ask for
        it, and who asks for it does not hear a publisher that keeps nothing.
        """
        for ear in self._ears:
            infos = self._node.get_publishers_info_by_topic(ear.topic)
            if ear.tap.received or not infos:
                continue
            kept = all(
                info.qos_profile.durability == LATCHED.durability for info in infos
            )
            if kept != (ear.profile is LATCHED):
                self._listen(ear, LATCHED if kept else SENSORS)

    def _short_of_disk(self) -> str:
        free_mb = shutil.disk_usage(self._options.file.parent).free / 1e6
        if free_mb >= self._options.reserve_mb:
            return ""
        return (
            f"the disk has {free_mb:.0f} MB free, and the cell keeps "
            f"{self._options.reserve_mb:.0f} MB (--reserve-mb)"
        )

    def _progress(self, seconds: float) -> str:
        statistics = self._mcap.statistics
        lost = sum(ear.tap.lost for ear in self._ears)
        return (
            f"{self._options.file.name} {seconds:.0f} s, {statistics.count} messages "
            f"({statistics.count / max(seconds, 1e-3):.0f} a second), "
            f"{_size_mb(self._options.file):.1f} MB, {lost} lost"
        )

    def _kept(self, seconds: float, ended: str) -> Kept:
        return Kept(
            file=self._options.file,
            messages={ear.topic: ear.tap.received for ear in self._ears},
            lost={ear.topic: ear.tap.lost for ear in self._ears},
            seconds=seconds,
            megabytes=_size_mb(self._options.file),
            ended=ended,
        )

    def _close(self) -> None:
        if self._file is not None:
            # A full disk: what it took is there, the rest is not.
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
                self._file.close()
        if self._executor is not None:
            self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


def _require_installed(subject: Subject) -> None:
    try:
        class_named(subject.type)
    except UnknownTypeError as error:
        raise RecordingRefusedError(f"{subject.name}: {error}") from error


def _profiles(infos: Any) -> str:
    """What publishers offer, as rosbag2 writes it beside a channel: YAML."""
    return "\n".join(line for info in infos for line in _profile(info.qos_profile))


def _profile(offered: Any) -> Iterator[str]:
    yield f"- history: {offered.history.value}"
    yield f"  depth: {offered.depth}"
    yield f"  reliability: {offered.reliability.value}"
    yield f"  durability: {offered.durability.value}"
    for name in ("deadline", "lifespan"):
        yield from _duration(name, getattr(offered, name).nanoseconds)
    yield f"  liveliness: {offered.liveliness.value}"
    yield from _duration(
        "liveliness_lease_duration", offered.liveliness_lease_duration.nanoseconds
    )
    yield "  avoid_ros_namespace_conventions: false"


def _duration(name: str, nanoseconds: int) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    sec: {nanoseconds // SECOND_NS}"
    yield f"    nsec: {nanoseconds % SECOND_NS}"


def _size_mb(path: Path) -> float:
    return path.stat().st_size / 1e6
