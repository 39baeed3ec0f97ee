"""What a cell's sensors said: messages in, windows and joint positions out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.cdr import READABLE, Layout, PoseReader
from ros_nodes.clock import SECOND_NS, Clock, seconds_to_ns
from ros_nodes.config import CellConfig, TopicSpec
from ros_nodes.node_time import FOREIGN_STAMP_NS, Facts, NodeTime
from ros_nodes.ring import RING_ROWS
from ros_nodes.stream import Placer, Stream, Taken
from ros_nodes.terms import new_id
from ros_nodes.window_bytes import window_digest
from ros_nodes.windowing import Column, Flow, Span, Windowing

AWAITED_HZ: Final = 20.0
"""A topic that speaks less often is not waited for at the end of a step."""
LEAST_ROWS: Final = 1_024
MOST_ROWS: Final = 262_144
"""Bounds of the samples kept of a topic whose rate is known."""


class WindowKind(Enum):
    """Which question a window answers."""

    DECISION = "decision"
    """The end of a step: the step waits for a permit."""
    MONITOR = "monitor"
    """While the cell works: it can only withdraw permission."""


@dataclass(frozen=True, slots=True, eq=False)
class CutWindow:
    """The samples of one decision, as the node cut them.

    Attributes:
        window_id: Unique for the life of the store.
        kind: Which question it answers.
        cycle: Number of the cycle.
        step: The step that ended, or is running.
        part_id: Serial number of the part.
        start_ns: First row, monotonic clock of the node.
        period_ns: Time between rows.
        samples: float32, shape (rows, channels).
        present: bool, shape (channels,).
        digest: SHA-256 over schema digest, samples and presence.
        gap_rows: Rows for which a present channel had no sample near.
        scene_ns: The moment that the evidence ends with; its age counts from here.
        cut_ns: When it was cut.
        cut_utc_ns: The same moment in UTC, a record only.
    """

    window_id: str
    kind: WindowKind
    cycle: int
    step: str
    part_id: str
    start_ns: int
    period_ns: int
    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    digest: str
    gap_rows: int
    scene_ns: int
    cut_ns: int
    cut_utc_ns: int


@dataclass(frozen=True, slots=True)
class Work:
    """Of what a window is cut.

    Attributes:
        kind: Which question the window answers.
        cycle: Number of the cycle.
        step: Id of the step.
        part_id: Serial number of the part.
        span: From the first to the last sample.
        pauses: Parts of it in which andon held the robot.
    """

    kind: WindowKind
    cycle: int
    step: str
    part_id: str
    span: Span
    pauses: tuple[Span, ...] = ()


class Evidence:
    """The samples of one cell, fed with serialised messages.

    Args:
        config: The cell: its topics, and its channels with their sources.
        clock: The node's clock.
    """

    def __init__(self, config: CellConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self.time = NodeTime(clock, simulated=config.ros.use_sim_time)
        """Places stamps on the node's clock."""
        self.dropped: Counter[str] = Counter()
        """Messages lost since the node began, by reason."""
        wanted = wanted_of(config)
        self._windowing = Windowing(
            _columns(config, wanted),
            {key: self._flow(config.ros.topics[key]) for key in wanted},
        )
        self._placers: dict[str, Placer] = {}
        self._streams: dict[str, Stream] = {}
        for key, elements in wanted.items():
            spec = config.ros.topics[key]
            placer = Placer(spec, self._windowing.tracks[key], self.dropped)
            if spec.type in READABLE:
                self._streams[key] = Stream(spec, elements, placer)
            else:
                self._placers[key] = placer
        self._pose = config.pose_topic
        self._pose_readers: dict[Layout, PoseReader] = {}

    def _flow(self, spec: TopicSpec) -> Flow:
        """How a topic speaks, as far as the configuration knows."""
        read = spec.type in READABLE
        slow = 0.0 < spec.rate_hz < AWAITED_HZ
        rows = RING_ROWS
        if spec.rate_hz:
            reach_s = self._config.maximum_step_s + spec.maximum_age_s + 5.0
            rows = min(max(LEAST_ROWS, round(1.2 * spec.rate_hz * reach_s)), MOST_ROWS)
        return Flow(
            period_ns=round(SECOND_NS / spec.rate_hz) if spec.rate_hz else 0,
            held=spec.latched or not read,
            awaited=read and not (slow or spec.latched) and self.requires(spec.key),
            capacity=rows,
        )

    # ----------------------------------------------------------------------- samples in

    def take(self, key: str, taken: Taken) -> list[int | None]:
        """Take serialised messages of one topic that came together.

        Args:
            key: Key of the topic.
            taken: In the order of their arrival.

        Returns:
            The stamp of each on the node's clock; None for one that is no sample.
        """
        return self._streams[key].take(taken, self.time.now())

    def take_features(self, key: str, stamp_ns: int, row: Sequence[float]) -> None:
        """Take what was computed of one image.

        Args:
            key: Key of the topic.
            stamp_ns: The stamp in the image's header.
            row: Its features in the order of `wanted_of`.
        """
        moment, placer = self.time.now(), self._placers[key]
        placed_ns = placer.near(moment.stamped(stamp_ns), moment)
        if placed_ns is not None:
            placer.keep(tuple(range(len(row))), [placed_ns], [row])

    def clock_said(self, sim_ns: int, facts: Facts) -> None:
        """/clock spoke; time that goes back makes a new beginning."""
        if self.time.hear(sim_ns, facts):
            self.dropped["clock_jumped_back"] += 1
            self._windowing.clear()
            for stream in self._streams.values():
                stream.newest.clear()

    def place(self, stamp_ns: int) -> int:
        """Place the stamp of a robot's program on the node's monotonic clock."""
        return self.time.now().said(stamp_ns)

    # ---------------------------------------------------------------------- windows out

    @property
    def heard_until_ns(self) -> int | None:
        """Stamp up to which every awaited topic was heard; None before the first."""
        return self._windowing.newest_ns

    def knows(self, key: str) -> bool:
        """Whether samples come from a topic."""
        return key in self._windowing.tracks

    def reads(self, key: str) -> bool:
        """Whether its messages are read as they are; images are reduced first."""
        return key in self._streams

    def requires(self, key: str) -> bool:
        """Whether a channel that must be there comes from a topic."""
        return any(
            channel.source.topic == key and channel.policy == "required"
            for channel in self._config.channels
        )

    def newest_ns(self, key: str) -> int | None:
        """Stamp of the newest sample of a topic; None before the first."""
        track = self._windowing.tracks.get(key)
        return None if track is None else track.newest_ns

    def positions(self, *, maximum_age_ns: int) -> tuple[float, ...] | None:
        """Joint positions now by their names' order; none of a cell without joints.

        Returns:
            None when nobody can say where the robot stands: a joint was not heard of
            for longer than the maximum age. After ten seconds it is no joint any more.
        """
        if self._pose is None:
            return ()
        now_ns = self._clock.monotonic_ns()
        joints: dict[str, tuple[float, int]] = {}
        newest = self._streams[self._pose].newest
        # One reader a layout: two drivers on one topic take turns.
        self._pose_readers = {
            layout: self._pose_readers.get(layout) or PoseReader() for layout in newest
        }
        # The newest comes last, and its word counts.
        for layout, (message, stamp_ns) in newest.items():
            if now_ns - stamp_ns <= FOREIGN_STAMP_NS:
                for name, position in self._pose_readers[layout].read(message).items():
                    joints[name] = position, stamp_ns
        if not joints or any(
            now_ns - stamp_ns > maximum_age_ns for _, stamp_ns in joints.values()
        ):
            return None
        return tuple(joints[name][0] for name in sorted(joints))

    def cut(self, work: Work) -> CutWindow:
        """Cut a window out of what was heard.

        Raises:
            ValueError: The span has no length.
        """
        decision = work.kind is WindowKind.DECISION
        rows = self._config.rows if decision else self._config.monitor_rows
        grid = self._windowing.cut(work.span, rows, work.pauses)
        return CutWindow(
            window_id=new_id("w"),
            kind=work.kind,
            cycle=work.cycle,
            step=work.step,
            part_id=work.part_id,
            start_ns=grid.start_ns,
            period_ns=grid.period_ns,
            samples=grid.samples,
            present=grid.present,
            digest=window_digest(
                self._config.schema_digest, grid.samples, grid.present
            ),
            gap_rows=grid.gap_rows,
            scene_ns=work.span.end_ns,
            cut_ns=self._clock.monotonic_ns(),
            cut_utc_ns=self._clock.utc_ns(),
        )


def wanted_of(config: CellConfig) -> dict[str, tuple[tuple[str, str], ...]]:
    """What is read of each topic: field and element, in the order of the channels.

    Topics that no channel comes from are not read, but for the one that says where the
    robot stands.
    """
    wanted: dict[str, dict[tuple[str, str], None]] = {}
    if config.pose_topic is not None:
        wanted[config.pose_topic] = {}
    for channel in config.channels:
        source = channel.source
        wanted.setdefault(source.topic, {})[source.field, source.element] = None
    return {key: tuple(elements) for key, elements in wanted.items()}


def _columns(
    config: CellConfig, wanted: Mapping[str, tuple[tuple[str, str], ...]]
) -> list[Column]:
    columns = []
    for channel in config.channels:
        source = channel.source
        spec = config.ros.topics[source.topic]
        place = wanted[source.topic].index((source.field, source.element))
        age_s = channel.maximum_age_s or spec.maximum_age_s
        columns.append(Column(source.topic, place, seconds_to_ns(age_s)))
    return columns
