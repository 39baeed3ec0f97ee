"""How far a demo is: asked of the coordinator once a second, shown to people."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import grpc
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from andon.v1 import operator_pb2, operator_pb2_grpc
from coordinator.cli.client import actor
from coordinator.clock import SECOND_NS, Clock

LATELY: Final = 60
"""Windows over which the share of questions is shown."""
LINE_EVERY_NS: Final = 5 * SECOND_NS
"""Time between two lines where there is no terminal, ns."""
ANSWER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a demo stands.

    Attributes:
        cycles: Begun by all cells together.
        acted, asked, held: Decision windows by verdict.
        open_requests: Questions and audits that wait.
        model_version: What serves; 0 for nothing.
        phase: What the learning does.
    """

    cycles: int = 0
    acted: int = 0
    asked: int = 0
    held: int = 0
    open_requests: int = 0
    model_version: int = 0
    phase: str = ""

    @property
    def judged(self) -> int:
        """Decision windows so far."""
        return self.acted + self.asked + self.held


def take_picture(server: str, truth: Path) -> Picture | None:
    """The picture now, or None while the coordinator does not answer."""
    request = operator_pb2.WatchRequest(actor=actor(), answering=False)
    with grpc.insecure_channel(server) as channel:
        changes = operator_pb2_grpc.OperatorServiceStub(channel).Watch(
            request, timeout=ANSWER_S
        )
        try:
            snapshot = next(iter(changes)).snapshot
        except (grpc.RpcError, StopIteration):
            return None
        changes.cancel()
    learning = snapshot.learning[0] if snapshot.learning else None
    return Picture(
        cycles=sum(count_lines(path) for path in truth.glob("*.jsonl")),
        acted=sum(cell.acted for cell in snapshot.cells),
        asked=sum(cell.asked for cell in snapshot.cells),
        held=sum(cell.held for cell in snapshot.cells),
        open_requests=len(snapshot.requests),
        model_version=0 if learning is None else learning.model_version,
        phase="" if learning is None else learning.phase,
    )


def count_lines(path: Path) -> int:
    """Complete lines of a file that grows; 0 while it is not there."""
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


class Display:
    """Shows pictures: as a bar in a terminal, as a line now and then elsewhere."""

    def __init__(self, cycles: int, clock: Clock) -> None:
        self._cycles = cycles
        self._clock = clock
        self._begun_ns = clock.monotonic_ns()
        self._said_ns = self._begun_ns - LINE_EVERY_NS
        self._lately: deque[Picture] = deque([Picture()])
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        console = Console()
        if console.is_terminal:
            self._bar = Progress(
                BarColumn(), TextColumn("{task.description}"), console=console
            )
            self._bar.start()
            self._bar.add_task("starting", total=self._cycles)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, picture: Picture) -> None:
        """Show the newest picture."""
        self._lately.append(picture)
        while (
            len(self._lately) > 2 and picture.judged - self._lately[1].judged >= LATELY
        ):
            self._lately.popleft()
        line = self.line(picture)
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=picture.cycles, description=line)
            return
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._said_ns >= LINE_EVERY_NS:
            self._said_ns = now_ns
            typer.echo(line)

    def line(self, picture: Picture) -> str:
        """The picture in one line."""
        before = self._lately[0]
        judged = picture.judged - before.judged
        asked = picture.asked - before.asked
        share = f"{asked / judged:.0%}" if judged > 0 else "-"
        model = f"v{picture.model_version}" if picture.model_version else "none"
        return (
            f"{picture.cycles}/{self._cycles} cycles, asked {share} lately, "
            f"model {model}, {picture.phase or 'starting'}, {self._left(picture)}"
        )

    def _left(self, picture: Picture) -> str:
        elapsed_s = (self._clock.monotonic_ns() - self._begun_ns) / SECOND_NS
        if picture.cycles < 1:
            return f"{elapsed_s:.0f} s so far"
        left_s = elapsed_s / picture.cycles * max(0, self._cycles - picture.cycles)
        return f"about {left_s:.0f} s left"
