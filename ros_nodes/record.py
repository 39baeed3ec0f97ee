"""What a station remembers of its step: when it began and paused, where it stood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ros_nodes.clock import SECOND_NS
from ros_nodes.evidence import WindowKind, Work
from ros_nodes.terms import StepEvent
from ros_nodes.windowing import Span


class StepRecord:
    """The step under way, if one is. Not thread-safe."""

    def __init__(self) -> None:
        self._begin: StepEvent | None = None
        self._pauses: list[Span] = []
        self._paused_ns: int | None = None
        self._spoilt = False

    @property
    def begun(self) -> bool:
        """Whether a step was seen to begin and has not ended."""
        return self._begin is not None

    def forget(self) -> None:
        """Forget the step: another one is permitted."""
        self._begin, self._paused_ns, self._spoilt = None, None, False
        self._pauses.clear()

    def spoil(self) -> None:
        """Note that the robot moved while nobody measured the step."""
        self._spoilt = True

    def begin(self, event: StepEvent) -> None:
        """Note that a step begins."""
        self.forget()
        self._begin = event

    def pause(self, now_ns: int) -> None:
        """Note that andon pauses the step."""
        if self._paused_ns is None:
            self._paused_ns = now_ns

    def go_on(self, now_ns: int) -> None:
        """Note that the step goes on."""
        if self._paused_ns is not None and self._paused_ns < now_ns:
            self._pauses.append(Span(self._paused_ns, now_ns))
        self._paused_ns = None

    def end(self, event: StepEvent) -> Work | None:
        """Return what the window of the ended step is cut of.

        Returns:
            None when the step was not seen to begin, or not all of it: there is
            nothing to judge.
        """
        begin = self._begin
        if begin is None or self._spoilt or event.stamp_ns <= begin.stamp_ns:
            self.forget()
            return None
        self.go_on(event.stamp_ns)
        work = Work(
            WindowKind.DECISION,
            event.cycle,
            event.step,
            event.part_id,
            Span(begin.stamp_ns, event.stamp_ns),
            tuple(self._pauses),
        )
        self.forget()
        return work

    def so_far(self, *, since_ns: int, until_ns: int) -> Work | None:
        """Return what a monitor window is cut of; None while nothing was measured."""
        begin = self._begin
        if begin is None:
            return None
        span = Span(max(begin.stamp_ns, since_ns), until_ns)
        if span.end_ns <= span.begin_ns:
            return None
        return Work(
            WindowKind.MONITOR,
            begin.cycle,
            begin.step,
            begin.part_id,
            span,
            tuple(self._pauses),
        )


JOINT_TOLERANCE: Final = 0.05
"""Largest difference of a joint that is still the same scene, rad or m."""
SETTLE_NS: Final = SECOND_NS // 5
"""Time after a confirmed hold until the robot is taken to stand, by sample stamps."""


class Pose:
    """Where the joints stood when the scene was judged."""

    def __init__(self) -> None:
        self._joints: tuple[float, ...] | None = None
        self._stands_from_ns = 0

    @property
    def known(self) -> bool:
        """Whether anybody could say where the joints stood."""
        return self._joints is not None

    def renew(self, positions: Sequence[float] | None) -> None:
        """Forget the pose and remember this one, unless a sensor failed."""
        usable = positions is not None and all(map(math.isfinite, positions))
        self._joints = tuple(positions) if positions is not None and usable else None

    def held(self, now_ns: int) -> None:
        """Forget the pose until the robot stands: it may still be braking."""
        self._joints, self._stands_from_ns = None, now_ns + SETTLE_NS

    def look(self, positions: Sequence[float] | None, heard_ns: int | None) -> None:
        """Remember an unknown pose, once samples say where the robot came to stand.

        Args:
            positions: Where the joints stand now; None when nobody can say.
            heard_ns: Stamp up to which every sensor was heard; None before the first.
        """
        if not self.known and heard_ns is not None:
            self.renew(positions if heard_ns >= self._stands_from_ns else None)

    def comparable(self, positions: Sequence[float] | None) -> bool:
        """Whether anybody can say now if the joints moved."""
        joints = self._joints
        return (
            joints is not None
            and positions is not None
            and len(joints) == len(positions)
            and all(map(math.isfinite, positions))
        )

    def unmoved(self, positions: Sequence[float] | None) -> bool:
        """Whether the joints are seen to stand where they stood: a positive proof."""
        joints = self._joints
        if joints is None or positions is None or len(joints) != len(positions):
            return False
        return all(
            abs(now - then) <= JOINT_TOLERANCE
            for now, then in zip(positions, joints, strict=True)
        )
