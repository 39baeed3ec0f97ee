"""Reads the records of a demo from its folder.

What a program was writing when it was killed ends in the middle of a line; that line is
the only one that may be unreadable, and it is left out.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from coordinator.cli.demo_records import (
    ConsumedPermit,
    Move,
    NodeTrace,
    Recorded,
    Truth,
    WindowKey,
)
from coordinator.cli.stored import all_entries, reading
from coordinator.errors import DatasetError, UnavailableError
from coordinator.store import reader
from coordinator.store.codec import decode
from coordinator.terms import CellId, Digest, PermitId, RequestId, WindowKind

Line = Mapping[str, Any]

NODE_TRACE: Final = "{cell}.node.jsonl"
ROBOT_TRACE: Final = "{cell}.motions.jsonl"
NO_PERMIT: Final = PermitId("")


def read_journal(data_dir: Path, *, after_seq: int = 0) -> list[Recorded]:
    """Every event after a sequence number; raises StoreError."""
    return [
        Recorded(entry.recorded_at, decode(entry.kind, entry.payload_json))
        for entry in all_entries(data_dir, after_seq=after_seq)
    ]


def newest_seq(data_dir: Path) -> int:
    """Number of the newest journal entry; 0 where there is no store yet."""
    if not data_dir.exists():
        return 0
    with reading(data_dir) as db:
        return reader.head(db).seq


def read_open_requests(data_dir: Path) -> frozenset[RequestId]:
    """The requests that the store's tables hold open; raises StoreError."""
    with reading(data_dir) as db:
        waiting = reader.open_requests(db, reader.Arming(now_ns=0, claim_ns=0))
    return frozenset(request.request_id for request in waiting)


def read_truth(folder: Path) -> dict[tuple[CellId, int], Truth]:
    """What the simulated cells wrote down, by cell and cycle."""
    truth = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in read_lines(path):
            key = (CellId(line["cell"]), int(line["cycle"]))
            truth[key] = Truth(line["label"], bool(line.get("ambiguous")))
    return truth


def read_acknowledged(path: Path) -> list[tuple[RequestId, str]]:
    """Request and label of every answer that the operator saw acknowledged.

    "Cannot tell" is acknowledged as well, but is not an answer: the request stays open.
    """
    if not path.exists():
        return []
    told = json.loads(path.read_text(encoding="utf-8"))
    return [
        (RequestId(one["request_id"]), one["label"])
        for one in told["acknowledged"]
        if one["label"]
    ]


def read_lines(path: Path) -> Iterator[Line]:
    """The JSON objects of a file, one a line, without a torn last one.

    Raises:
        DatasetError: a line that is not the last is no JSON object.
    """
    complete, _, torn = path.read_text(encoding="utf-8", errors="replace").rpartition(
        "\n"
    )
    del torn
    for number, text in enumerate(complete.splitlines(), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise DatasetError(f"{path.name} line {number} is not JSON.") from error
        if not isinstance(line, dict):
            raise DatasetError(f"{path.name} line {number} is not an object.")
        yield line


def all_have_begun(folder: Path, cells: Sequence[CellId]) -> bool:
    """Whether every cell's node and robot have written a trace."""
    return all(
        (folder / name.format(cell=cell)).exists()
        for cell in cells
        for name in (NODE_TRACE, ROBOT_TRACE)
    )


def read_traces(
    folder: Path, cells: Sequence[CellId], lost_messages: Mapping[str, int]
) -> NodeTrace:
    """What the nodes and the robots wrote down.

    Args:
        folder: Where the traces are.
        cells: Whose.
        lost_messages: Messages that the programs counted as dropped, by reason.

    Raises:
        UnavailableError: a cell wrote none.
    """
    traces = _Traces(dropped=Counter(lost_messages))
    for cell in cells:
        node = folder / NODE_TRACE.format(cell=cell)
        robot = folder / ROBOT_TRACE.format(cell=cell)
        leaves = []
        if not all_have_begun(folder, [cell]):
            raise UnavailableError(f"{cell} wrote no trace.", "NO_TRACE")
        for line in read_lines(node):
            traces.take(cell, line)
            if line["event"] == "resume":
                leaves.append((int(line["mono_ns"]), PermitId(line["permit_id"])))
        traces.moves += read_moves(cell, read_lines(robot), leaves)
    return traces.finished()


def cycles_worked(folder: Path, cell: CellId) -> int:
    """Cycles that a simulated robot has ended, by its own account."""
    path = folder / ROBOT_TRACE.format(cell=cell)
    if not path.exists():
        return 0
    return sum(line["event"] == "end" for line in read_lines(path))


def read_moves(
    cell: CellId, motions: Iterable[Line], resumed: Sequence[tuple[int, PermitId]]
) -> list[Move]:
    """When a robot began to move, by its own account.

    A cycle begins under the permit that the robot names. A paused cycle goes on when
    the resume service is called, which names no permit: the motion is set against the
    newest permit that the node traced as resuming, and each of those excuses one.

    Args:
        cell: Whose robot.
        motions: Its own trace.
        resumed: Time and permit of every resume that the node called, rising.
    """
    moves = []
    waiting = deque(resumed)
    working = False
    for line in motions:
        at_ns = int(line["mono_ns"])
        match line["event"]:
            case "begin":
                working = True
                moves.append(Move(cell, PermitId(line["permit_id"]), at_ns))
            case "end":
                working = False
            case "resume":
                permit_id = NO_PERMIT
                while waiting and waiting[0][0] <= at_ns:
                    permit_id = waiting.popleft()[1]
                if working:
                    moves.append(Move(cell, permit_id, at_ns))
            case _:
                pass
    return moves


@dataclass(slots=True)
class _Traces:
    """What was read of the nodes' traces so far."""

    cut_ns: dict[WindowKey, int] = field(default_factory=dict)
    sent: set[WindowKey] = field(default_factory=set)
    last_sent: dict[CellId, WindowKey] = field(default_factory=dict)
    offered_again: set[WindowKey] = field(default_factory=set)
    refused: set[WindowKey] = field(default_factory=set)
    digest_of: dict[str, Digest] = field(default_factory=dict)
    received_ns: dict[tuple[CellId, PermitId], int] = field(default_factory=dict)
    consumed: list[ConsumedPermit] = field(default_factory=list)
    ways: dict[tuple[CellId, PermitId], set[str]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    holds_ns: dict[CellId, list[int]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def take(self, cell: CellId, line: Line) -> None:
        """Read one line of a node's trace."""
        at_ns = int(line["mono_ns"])
        match line["event"]:
            case "window_cut":
                self.cut_ns.setdefault((cell, Digest(line["digest"])), at_ns)
                self.digest_of[line["window_id"]] = Digest(line["digest"])
            case "window_sent" if line["kind"] == WindowKind.DECISION.value:
                self._send((cell, Digest(line["digest"])), line)
            case "refusal" if line["window_id"] in self.digest_of:
                self.refused.add((cell, self.digest_of[line["window_id"]]))
            case "permit_received":
                self.received_ns[cell, PermitId(line["permit_id"])] = at_ns
            case "resume" | "permit_started":
                self._consume(cell, line, at_ns)
            case "permit_dropped":
                self.dropped[f"permit_{str(line['token']).lower()}"] += 1
            case "hold":
                self.holds_ns.setdefault(cell, []).append(at_ns)
            case _:
                pass

    def _send(self, key: WindowKey, line: Line) -> None:
        self.sent.add(key)
        self.last_sent[key[0]] = key
        if line["offered_again"]:
            self.offered_again.add(key)

    def _consume(self, cell: CellId, line: Line, at_ns: int) -> None:
        key = (cell, PermitId(line["permit_id"]))
        ways = self.ways.setdefault(key, set())
        # A robot that was held is resumed first and then given leave: one permit, one
        # use. The same way twice is two uses.
        if not ways or line["event"] in ways:
            self.consumed.append(
                ConsumedPermit(
                    cell_id=cell,
                    permit_id=key[1],
                    received_ns=self.received_ns.get(key, at_ns),
                    consumed_ns=at_ns,
                    start_by_ns=int(line["start_by_ns"]),
                )
            )
        ways.add(line["event"])

    def finished(self) -> NodeTrace:
        """Everything that was read."""
        return NodeTrace(
            cut_ns=self.cut_ns,
            sent=frozenset(self.sent),
            last_sent=frozenset(self.last_sent.values()),
            offered_again=frozenset(self.offered_again),
            refused=frozenset(self.refused),
            consumed=tuple(self.consumed),
            moves=tuple(self.moves),
            holds_ns={cell: tuple(holds) for cell, holds in self.holds_ns.items()},
            dropped=self.dropped,
        )
