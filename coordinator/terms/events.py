"""What the journal records: one frozen value an event; the tables are their fold.

An event is committed before anything that rests on it leaves the coordinator. Fields
are plain values or terms; store/codec.py turns them into canonical JSON and back.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.cell import CellEvent, CellState, HoldReason, Permit
from coordinator.terms.clip import StoredClip
from coordinator.terms.gate_events import (
    EvidenceRestarted,
    GateCertified,
    GateClosed,
    ProvisionalGranted,
)
from coordinator.terms.ids import (
    NO_DIGEST,
    CellId,
    ClipId,
    DecisionId,
    Digest,
    FamilyId,
    PermitId,
    RequestId,
    WindowId,
)
from coordinator.terms.journal import JournalEntry
from coordinator.terms.learning_events import (
    DatasetImported,
    ExampleAdded,
    ExampleQuarantined,
    ExampleRetracted,
    LabelAdded,
    ModelPromoted,
    ModelRefused,
    ModelRegistered,
    ModelRolledBack,
    ModelValidated,
    TrainingEnded,
    TrainingStarted,
)
from coordinator.terms.people_events import (
    PersonAdded,
    PersonLocked,
    PersonSessionEnded,
    PersonSessionStarted,
    PersonUnlocked,
    PinChanged,
    PinRefused,
    RoleChanged,
    TeamChanged,
)
from coordinator.terms.request import Actor
from coordinator.terms.request_events import (
    AnswerGiven,
    AnswerUndone,
    ClaimEnded,
    ClaimHandedOver,
    FirstOpinion,
    FloodBegan,
    FloodEnded,
    KnownCaseEnded,
    ModelDoubted,
    OpinionKept,
    RequestAnswered,
    RequestArrived,
    RequestClaimed,
    RequestEnded,
    RequestEvent,
    RequestOpened,
    RequestSeen,
    RequestSkipped,
)
from coordinator.terms.teaching import (
    ExampleReinstated,
    LabelDecided,
    OpinionGiven,
    OpinionTakenBack,
)
from coordinator.terms.why import RequestExplained
from coordinator.terms.window import AuditCoin, Verdict, WindowKind


@dataclass(frozen=True, slots=True)
class CoordinatorStarted:
    """A coordinator opened the store."""

    version: str
    commit: str
    config_digest: Digest
    device: str
    unclean: bool


@dataclass(frozen=True, slots=True)
class CoordinatorStopped:
    """A coordinator closed the store in order."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A node opened a session. Guard: epoch is greater than the cell's stored one."""

    cell_id: CellId
    epoch: int
    node_id: str
    boot_id: str
    software: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """A node's session ended."""

    cell_id: CellId
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class CellMoved:
    """A cell went from one state to another.

    Attributes:
        reasons: Hold reasons active after the move.
        text: One sentence.
        actor: Named person or policy, for a move out of HELD; None otherwise.
        decision_id: What it rests on, if a decision.
    """

    cell_id: CellId
    epoch: int
    event: CellEvent
    before: CellState
    after: CellState
    reasons: tuple[HoldReason, ...] = ()
    text: str = ""
    actor: Actor | None = None
    decision_id: DecisionId | None = None


@dataclass(frozen=True, slots=True)
class WindowDecided:
    """The gate judged a window. The samples are stored in the same transaction.

    Attributes:
        gate_digest: SHA-256 over the gate's configuration.
        age_ns: Age of the scene when the window arrived, at most, in nanoseconds.
    """

    decision_id: DecisionId
    window_id: WindowId
    cell_id: CellId
    family: FamilyId
    epoch: int
    kind: WindowKind
    cycle: int
    step: str
    part_id: str
    window_digest: Digest
    verdict: Verdict
    coin: AuditCoin
    gate_digest: Digest
    age_ns: int


@dataclass(frozen=True, slots=True)
class PermitIssued:
    """A permit was made; it leaves only after this is durable."""

    permit: Permit
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class PermitConsumed:
    """The node began the permitted step. Guard: the permit was issued and unused."""

    permit_id: PermitId
    cell_id: CellId
    epoch: int


@dataclass(frozen=True, slots=True)
class PermitDropped:
    """The node did not use a permit."""

    permit_id: PermitId
    cell_id: CellId
    epoch: int
    token: str
    text: str


@dataclass(frozen=True, slots=True)
class ClipStored:
    """A full-rate recording is on disk. Guard: its request is about this window."""

    clip: StoredClip


@dataclass(frozen=True, slots=True)
class ClipRemoved:
    """A recording gave way. Guard: it is stored, and no open request needs it."""

    clip_id: ClipId
    window_id: WindowId
    reason: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Somebody pulled the cord, or the node held by itself.

    Attributes:
        times: How often it was said before it could be written down.
    """

    cell_id: CellId
    reason: HoldReason
    text: str
    actor: Actor | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """A named person or policy released a cell; permits rest on its decision id.

    Attributes:
        reasons: What was cleared.
        disposition: What to do with the part that waits; "" to judge it again.
        window_digest: The evidence the disposition is about; "" without one.
    """

    decision_id: DecisionId
    cell_id: CellId
    actor: Actor
    reasons: tuple[HoldReason, ...]
    disposition: str
    note: str = ""
    window_digest: Digest = NO_DIGEST


@dataclass(frozen=True, slots=True)
class HoldUnconfirmed:
    """The robot's controller did not confirm in time that it holds."""

    cell_id: CellId
    epoch: int


@dataclass(frozen=True, slots=True)
class HoldConfirmed:
    """A hold that was not confirmed is, or the robot stands or works by leave again."""

    cell_id: CellId
    epoch: int


@dataclass(frozen=True, slots=True)
class PartRejected:
    """A part was booked as rejected because nobody answered in time."""

    cell_id: CellId
    cycle: int
    part_id: str
    request_id: RequestId


Event = (
    CoordinatorStarted
    | CoordinatorStopped
    | SessionOpened
    | SessionClosed
    | CellMoved
    | WindowDecided
    | PermitIssued
    | PermitConsumed
    | PermitDropped
    | RequestExplained
    | ClipStored
    | ClipRemoved
    | HoldPlaced
    | HoldReleased
    | HoldUnconfirmed
    | HoldConfirmed
    | PartRejected
    | ExampleAdded
    | ExampleQuarantined
    | ExampleRetracted
    | ExampleReinstated
    | OpinionGiven
    | OpinionTakenBack
    | LabelDecided
    | LabelAdded
    | DatasetImported
    | TrainingStarted
    | TrainingEnded
    | ModelRegistered
    | ModelRefused
    | ModelValidated
    | ModelPromoted
    | ModelRolledBack
    | GateCertified
    | ProvisionalGranted
    | GateClosed
    | EvidenceRestarted
    | PersonAdded
    | PersonLocked
    | PersonSessionEnded
    | PersonSessionStarted
    | PersonUnlocked
    | PinChanged
    | PinRefused
    | RoleChanged
    | TeamChanged
    | RequestEvent
)


__all__ = [
    "AnswerGiven",
    "AnswerUndone",
    "CellMoved",
    "ClaimEnded",
    "ClaimHandedOver",
    "ClipRemoved",
    "ClipStored",
    "CoordinatorStarted",
    "CoordinatorStopped",
    "DatasetImported",
    "Event",
    "EvidenceRestarted",
    "ExampleAdded",
    "ExampleQuarantined",
    "ExampleReinstated",
    "ExampleRetracted",
    "FirstOpinion",
    "FloodBegan",
    "FloodEnded",
    "GateCertified",
    "GateClosed",
    "HoldConfirmed",
    "HoldPlaced",
    "HoldReleased",
    "HoldUnconfirmed",
    "JournalEntry",
    "KnownCaseEnded",
    "LabelAdded",
    "LabelDecided",
    "ModelDoubted",
    "ModelPromoted",
    "ModelRefused",
    "ModelRegistered",
    "ModelRolledBack",
    "ModelValidated",
    "OpinionGiven",
    "OpinionKept",
    "OpinionTakenBack",
    "PartRejected",
    "PermitConsumed",
    "PermitDropped",
    "PermitIssued",
    "PersonAdded",
    "PersonLocked",
    "PersonSessionEnded",
    "PersonSessionStarted",
    "PersonUnlocked",
    "PinChanged",
    "PinRefused",
    "ProvisionalGranted",
    "RequestAnswered",
    "RequestArrived",
    "RequestClaimed",
    "RequestEnded",
    "RequestExplained",
    "RequestOpened",
    "RequestSeen",
    "RequestSkipped",
    "RoleChanged",
    "SessionClosed",
    "SessionOpened",
    "TeamChanged",
    "TrainingEnded",
    "TrainingStarted",
    "WindowDecided",
]
