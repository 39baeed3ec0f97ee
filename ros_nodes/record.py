"""When a step began and when andon paused it: of what its window will be cut."""

from __future__ import annotations

from ros_nodes.evidence import WindowKind, Work
from ros_nodes.terms import StepEvent
from ros_nodes.windowing import Span


class StepRecord:
    """The step under way, if one is. Not thread-safe."""

    def __init__(self) -> None:
        self._begin: StepEvent | None = None
        self._pauses: list[Span] = []
        self._paused_ns: int | None = None

    @property
    def begun(self) -> bool:
        """Whether a step was seen to begin and has not ended."""
        return self._begin is not None

    def forget(self) -> None:
        """Forget the step: another one is permitted."""
        self._begin, self._paused_ns = None, None
        self._pauses.clear()

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
            None when the step was not seen to begin: there is nothing to judge.
        """
        begin = self._begin
        if begin is None or event.stamp_ns <= begin.stamp_ns:
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
