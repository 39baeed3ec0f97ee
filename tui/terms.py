"""The words of andon as the terminal knows them: what `link` makes of every message.

Times named `*_s` that are moments are seconds on this terminal's monotonic clock:
"so long ago" and "so long left" are converted once, on arrival, so that a picture can
be drawn again and again without asking anybody. The members of every enum stand in the
order of their numbers in the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class CellState(Enum):
    """What one cell is doing now."""

    OFFLINE = "offline"
    """No session; the node holds by its own clock."""
    IDLE = "idle"
    """Released, no step permitted yet."""
    WORKING = "working"
    """A step is permitted or running."""
    DECIDING = "deciding"
    """The step ended, the model is asked."""
    ASKING = "asking"
    """Held, waiting for a human answer."""
    HELD = "held"
    """Held with a reason; left only by name."""
    MAINTENANCE = "maintenance"
    """Taken out of work by a person."""


class HoldReason(Enum):
    """Why a cell is held, by rising severity."""

    NONE = "unspecified"
    """It is not held."""
    LOW_CONFIDENCE = "low_confidence"
    """Nobody answered a question in time."""
    STALE_DATA = "stale_data"
    """The window was too old when it was judged."""
    BAD_DATA = "bad_data"
    """A sensor is missing, not finite, stuck or out of range."""
    LINK_LOST = "link_lost"
    """The node's session ended or its lease ran out."""
    STORE_DEGRADED = "store_degraded"
    """A decision could not be made durable."""
    MODEL_FAULT = "model_fault"
    """The model failed, was late, or answered nonsense."""
    STOP_LABEL = "stop_label"
    """The label says stop: a person must look at the cell."""
    IDENTITY = "identity"
    """Another node, another schema, another scene."""
    OPERATOR_HOLD = "operator_hold"
    """A person pulled the cord."""
    SAFETY_STOP_SEEN = "safety_stop_seen"
    """The robot's own safety system stopped it."""
    INTEGRITY = "integrity"
    """The store or its journal does not verify."""


class Action(Enum):
    """What a label lets the robot do."""

    NONE = "unspecified"
    """Nothing is said about the part."""
    CONTINUE = "continue"
    """Accept the part, go on."""
    REWORK = "rework"
    """Do the operation again on the same part."""
    REJECT = "reject"
    """Put the part aside, go on with the next."""
    STOP = "stop"
    """The cell is held."""


class RequestKind(Enum):
    """What a request is for."""

    QUESTION = "question"
    """The cell waits for the answer."""
    AUDIT = "audit"
    """The cell went on; the answer measures the gate."""


class Outcome(Enum):
    """How a request ended."""

    OPEN = "unspecified"
    """It has not."""
    ANSWERED = "answered"
    """A person answered."""
    TIMED_OUT = "timed_out"
    """Nobody answered before the deadline. Never an approval."""
    CANCELLED = "cancelled"
    """Withdrawn by a person."""
    SUPERSEDED = "superseded"
    """The scene it asked about is gone."""


class TimeoutOutcome(Enum):
    """What happens to the part when nobody answers; the cell is held either way."""

    HOLD = "hold"
    """It stays where it is."""
    REJECT = "reject"
    """It is booked as rejected."""


class ModelState(Enum):
    """Where a model stands."""

    UNKNOWN = "unspecified"
    """Newer than this terminal."""
    CANDIDATE = "candidate"
    """Trained."""
    VALIDATED = "validated"
    """Passed its validation."""
    SHADOW = "shadow"
    """Compared on live windows."""
    ARMED = "armed"
    """Waits for a safe point."""
    LIVE = "live"
    """Serves."""
    ROLLED_BACK = "rolled_back"
    """Served, and was taken back."""
    RETIRED = "retired"
    """Served, and was replaced."""
    REFUSED = "refused"
    """Did not pass."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who sits here: a person, and the terminal's own id."""

    person: str
    device: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One sensor signal, with the unit of its samples."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that can be said of a window."""

    name: str
    action: Action
    text: str = ""
    must_never_miss: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Labels and channels of the cells of one kind; labels most severe first.

    Attributes:
        words: What people call labels, channels and cells, by language and id.
    """

    name: str
    channels: tuple[Channel, ...] = ()
    labels: tuple[Label, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def label(self, name: str) -> Label | None:
        """The label of that name, if the family has it."""
        return next((label for label in self.labels if label.name == name), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, as the board shows it.

    Attributes:
        since_s: Moment it entered its state, s.
        request_id: The request it waits for, or "".
        hold_unconfirmed: The robot's controller has not confirmed the hold.
        monitor_only: andon watches this robot and holds nothing.
    """

    cell_id: str
    family: str = ""
    state: CellState = CellState.OFFLINE
    reason: HoldReason = HoldReason.NONE
    text: str = ""
    since_s: float = 0.0
    request_id: str = ""
    cycle: int = 0
    part_id: str = ""
    acted: int = 0
    asked: int = 0
    held: int = 0
    hold_unconfirmed: bool = False
    monitor_only: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the queue shows it.

    Attributes:
        deadline_s: Moment at which it times out, s.
        allowed_s: Whole time allowed, s.
        priority: 0 is most urgent.
        level: 0 operator, 1 shift lead.
        claimed_by: Person who holds it, or "".
        label: The answer, when answered.
        guess: The model's first guess; "" without a model.
        clip_id: Full-rate recording of the window, when it is here.
        pending_label: An answer that may still be taken back; "" when none waits.
        pending_by: Who gave it.
        final_s: Moment at which it is final, s.
        warned: Most of its time has passed.
        skipped_by: Who left it to others; it is offered to them last.
        first_by: Who gave the first of two opinions; a second person has to agree.
        arrived_by: Who stands at the cell.
        group_id: What it shares with other open requests; "" when it stands alone.
        code: Token of the reason; "" of a coordinator that does not say it.
    """

    request_id: str
    cell_id: str
    family: str = ""
    kind: RequestKind = RequestKind.QUESTION
    deadline_s: float = 0.0
    allowed_s: float = 0.0
    on_timeout: TimeoutOutcome = TimeoutOutcome.HOLD
    priority: int = 1
    level: int = 0
    claimed_by: str = ""
    claim_epoch: int = 0
    outcome: Outcome = Outcome.OPEN
    label: str = ""
    answered_by: str = ""
    guess: str = ""
    reason: str = ""
    cycle: int = 0
    part_id: str = ""
    clip_id: str = ""
    pending_label: str = ""
    pending_by: str = ""
    final_s: float = 0.0
    warned: bool = False
    skipped_by: tuple[str, ...] = ()
    first_by: str = ""
    arrived_by: str = ""
    group_id: str = ""
    code: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended; an answer may wait all the same."""
        return self.outcome is Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Presence:
    """Who can answer.

    Attributes:
        answering: Terminals and tablets that can answer and are connected.
        nobody: Somebody should answer and nobody is there.
        flood: More is asked than people can answer with care.
        asked_10_min: Questions of the last 10 minutes.
        advice: What to do about it, one sentence; "" when all is well.
    """

    answering: int = 0
    people: tuple[str, ...] = ()
    nobody: bool = False
    flood: bool = False
    asked_10_min: int = 0
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Learning:
    """Where the learning of a family stands.

    Attributes:
        version: The serving model's number in the family, 0 for none.
        until_training: Answers still missing until the next training.
        progress: Of the current phase, in [0, 1].
        ends_s: Estimated end of the current phase, s; None when there is none.
        gate: ASK_ALL, PROVISIONAL, CERTIFIED or CLOSED.
    """

    family: str
    phase: str = "idle"
    version: int = 0
    model_digest: str = ""
    examples: int = 0
    until_training: int = 0
    progress: float = 0.0
    ends_s: float | None = None
    text: str = ""
    gate: str = ""
    gate_text: str = ""
    gate_audited: int = 0
    gate_needed: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """One trained model; metrics by name, shares in [0, 1]."""

    digest: str
    family: str
    version: int
    state: ModelState
    trained_at: datetime | None = None
    training_s: float = 0.0
    examples: int = 0
    parent_digest: str = ""
    network: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    promoted_by: str = ""
