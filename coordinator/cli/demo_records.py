"""The records of a demo, as values: what the report is made of.

Each comes from somebody else, and none from the part whose work it judges: the journal
from the coordinator, the truth from the simulated cells, the traces from the nodes and
the robots, the acknowledgements from the simulated operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.terms import CellId, Digest, PermitId, RequestId
from coordinator.terms.events import Event

WindowKey = tuple[CellId, Digest]
"""One piece of evidence, whatever session it was offered in."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One journal entry: the event, and when it was recorded (UTC)."""

    recorded_at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Truth:
    """What a careful person would say of one cycle."""

    label: str
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class ConsumedPermit:
    """A permit that a node consumed.

    Attributes:
        received_ns: When it arrived, monotonic clock of the node.
        consumed_ns: When the node used it, same clock.
        start_by_ns: Last moment at which it could be used, same clock.
    """

    cell_id: CellId
    permit_id: PermitId
    received_ns: int
    consumed_ns: int
    start_by_ns: int


@dataclass(frozen=True, slots=True)
class Move:
    """A robot began to move, told by the robot: under which permit, and when."""

    cell_id: CellId
    permit_id: PermitId
    begun_ns: int


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """What the nodes and the simulated robots wrote down, all cells together.

    Attributes:
        cut_ns: When each decision window was first cut, monotonic clock of the node.
        sent: Every decision window that was sent.
        last_sent: The last one of each cell.
        offered_again: Those that were sent again in a later session.
        refused: Windows that the coordinator refused with a sentence.
        consumed: Permits in the order they were consumed.
        moves: Motions in the order they began.
        holds_ns: When each cell's robot was told to hold, rising.
        dropped: Messages and permits that were dropped, by reason.
    """

    cut_ns: Mapping[WindowKey, int] = field(default_factory=dict)
    sent: frozenset[WindowKey] = frozenset()
    last_sent: frozenset[WindowKey] = frozenset()
    offered_again: frozenset[WindowKey] = frozenset()
    refused: frozenset[WindowKey] = frozenset()
    consumed: tuple[ConsumedPermit, ...] = ()
    moves: tuple[Move, ...] = ()
    holds_ns: Mapping[CellId, tuple[int, ...]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Records:
    """Everything a report rests on.

    Attributes:
        journal: Every entry, in order.
        truth: By cell and cycle.
        trace: Of the nodes.
        acknowledged: Request and label of every answer that was acknowledged.
        open_requests: Requests that the store still holds open.
        serving_at: UTC at which the coordinator began to serve.
        default_label: What is said of a window of which nothing else is said.
        in_flight: Windows that were on their way when somebody ended the demo.
    """

    journal: Sequence[Recorded]
    truth: Mapping[tuple[CellId, int], Truth] = field(default_factory=dict)
    trace: NodeTrace = field(default_factory=NodeTrace)
    acknowledged: Sequence[tuple[RequestId, str]] = ()
    open_requests: frozenset[RequestId] = frozenset()
    serving_at: datetime | None = None
    default_label: str = "ok"
    in_flight: frozenset[WindowKey] = frozenset()
