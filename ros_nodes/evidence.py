"""What a cell's sensors said: messages in, windows and joint positions out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.cdr import CdrError, JointReader, JointSample, read_wrench
from ros_nodes.clock import SECOND_NS, Clock, on_monotonic_clock
from ros_nodes.config import AXES, CellConfig, ChannelSpec
from ros_nodes.terms import new_id
from ros_nodes.windowing import Span, Windowing, window_digest

_WRENCH: Final = [(field, axis) for field in ("force", "torque") for axis in AXES]
_FOREIGN_STAMP_NS: Final = 10 * SECOND_NS
"""A stamp so far from now belongs to no clock of this machine."""


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
    """The rings of one cell, fed with serialised messages.

    Args:
        config: The cell: its channels with their sources.
        clock: The node's clock.
    """

    def __init__(self, config: CellConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._joints = JointReader()
        self._joint_names: tuple[str, ...] | None = None
        self._joint_columns: list[tuple[str, str]] = _elements(
            config.channels, "joints"
        )
        self._joint_index: dict[str, int] = {}
        columns = []
        for channel in config.channels:
            source = channel.source
            known = self._joint_columns if source.topic == "joints" else _WRENCH
            columns.append((source.topic, known.index((source.field, source.element))))
        widths = {"joints": len(self._joint_columns)}
        if any(topic.key == "wrench" for topic in config.topics):
            widths["wrench"] = len(_WRENCH)
        self._windowing = Windowing(columns, widths)
        self._positions: NDArray[np.float64] = np.zeros(0)
        self._positions_ns = 0
        self.dropped: Counter[str] = Counter()
        """Messages lost since the node began, by reason."""

    # ----------------------------------------------------------------------- samples in

    def add_joints(self, message: bytes) -> None:
        """Take one serialised JointState."""
        try:
            sample = self._joints.read(message)
        except CdrError:
            self.dropped["malformed_joints"] += 1
            return
        stamp_ns = self._placed(sample.stamp_ns)
        if stamp_ns is None:
            return
        if sample.names != self._joint_names:
            self._joint_names = sample.names
            self._joint_index = {name: n for n, name in enumerate(sample.names)}
        self._append("joints", stamp_ns, self._joint_row(sample))
        self._positions, self._positions_ns = sample.position, stamp_ns

    def add_wrench(self, message: bytes) -> None:
        """Take one serialised WrenchStamped."""
        try:
            sample = read_wrench(message)
        except CdrError:
            self.dropped["malformed_wrench"] += 1
            return
        stamp_ns = self._placed(sample.stamp_ns)
        if stamp_ns is not None and "wrench" in self._windowing.rings:
            self._append("wrench", stamp_ns, sample.wrench)

    def place(self, stamp_ns: int) -> int:
        """Place a publisher's stamp on the node's monotonic clock."""
        return on_monotonic_clock(
            stamp_ns,
            monotonic_ns=self._clock.monotonic_ns(),
            utc_ns=self._clock.utc_ns(),
        )

    def _placed(self, stamp_ns: int) -> int | None:
        placed_ns = self.place(stamp_ns)
        if abs(placed_ns - self._clock.monotonic_ns()) > _FOREIGN_STAMP_NS:
            self.dropped["foreign_stamp"] += 1
            return None
        return placed_ns

    def _joint_row(self, sample: JointSample) -> NDArray[np.float64]:
        row = np.full(len(self._joint_columns), np.nan)  # (width,)
        fields = {
            "position": sample.position,
            "velocity": sample.velocity,
            "effort": sample.effort,
        }
        for column, (field, joint) in enumerate(self._joint_columns):
            index = self._joint_index.get(joint)
            if index is not None and len(fields[field]):
                row[column] = fields[field][index]
        return row

    def _append(self, topic: str, stamp_ns: int, row: NDArray[np.float64]) -> None:
        if not self._windowing.rings[topic].append(stamp_ns, row):
            self.dropped["out_of_order"] += 1

    # ---------------------------------------------------------------------- windows out

    @property
    def heard_until_ns(self) -> int | None:
        """Stamp up to which every topic was heard; None before the first samples."""
        return self._windowing.newest_ns

    def positions(self, *, maximum_age_ns: int) -> tuple[float, ...] | None:
        """Joint positions now, or None when nobody can say where the robot stands."""
        age_ns = self._clock.monotonic_ns() - self._positions_ns
        if not len(self._positions) or age_ns > maximum_age_ns:
            return None
        return tuple(float(position) for position in self._positions)

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


def _elements(channels: tuple[ChannelSpec, ...], topic: str) -> list[tuple[str, str]]:
    """What a topic's samples keep: (field, element) without repeats."""
    wanted = [c.source for c in channels if c.source.topic == topic]
    return list(dict.fromkeys((source.field, source.element) for source in wanted))
