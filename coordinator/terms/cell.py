"""One cell: its states, what can happen to it, why it is held, what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum

from coordinator.terms.channels import Action
from coordinator.terms.ids import (
    NO_DIGEST,
    CellId,
    DecisionId,
    Digest,
    FamilyId,
    PermitId,
)


class CellState(Enum):
    """What one cell is doing now; the PackML state it is booked under in brackets."""

    OFFLINE = "offline"
    """No session; the node holds by its own clock [Stopped]."""
    IDLE = "idle"
    """Released, no step permitted yet [Idle]."""
    WORKING = "working"
    """A step is permitted or running [Execute]."""
    DECIDING = "deciding"
    """The step ended, the model is asked [Execute]."""
    ASKING = "asking"
    """Waiting for a human answer [Held]."""
    HELD = "held"
    """Held with a reason; left only by a named person or a named policy [Held]."""
    MAINTENANCE = "maintenance"
    """Taken out of work by a person [Stopped]."""


class CellEvent(Enum):
    """What can happen to a cell."""

    CONNECTED = "connected"
    """A node opened a session: the cell is held until it is released."""
    LINK_LOST = "link_lost"
    """The session ended."""
    RELEASED = "released"
    """A named person, or a policy allowed for the reason, released the hold."""
    STARTED = "started"
    """A released cell was permitted to start or to resume."""
    WINDOW = "window"
    """A decision window arrived."""
    ACT = "act"
    """The gate acts: the next step is permitted."""
    ASK = "ask"
    """The gate asks."""
    ANSWERED = "answered"
    """A person answered: the next step is permitted."""
    HOLD = "hold"
    """Something is wrong, or somebody pulled the cord."""
    EXPIRED = "expired"
    """Nobody answered in time."""
    MAINTENANCE_ON = "maintenance_on"
    """A person took the cell out of work."""
    MAINTENANCE_OFF = "maintenance_off"
    """A person brought it back; it is held."""


class HoldReason(IntEnum):
    """Why a cell is held, by rising severity; the most severe one is shown."""

    LOW_CONFIDENCE = 1
    """Nobody answered a question in time."""
    STALE_DATA = 2
    """The window was too old when it was judged."""
    BAD_DATA = 3
    """A sensor is missing, not finite, stuck or out of range."""
    LINK_LOST = 4
    """The session ended, or the node's lease ran out."""
    STORE_DEGRADED = 5
    """A decision could not be made durable."""
    MODEL_FAULT = 6
    """The model failed, was late, or answered nonsense."""
    STOP_LABEL = 7
    """The label says stop: a person must look at the cell."""
    IDENTITY = 8
    """Another node, another schema or another scene than agreed."""
    OPERATOR_HOLD = 9
    """A person pulled the cord."""
    SAFETY_STOP_SEEN = 10
    """The robot's own safety system stopped it."""
    INTEGRITY = 11
    """The store or its journal does not verify."""


class Stand(Enum):
    """Where a robot stands, as its node sees it."""

    AT_START = "at_start"
    """No step begun, nothing to decide."""
    IN_STEP = "in_step"
    """Moving under a permit."""
    PAUSED = "paused"
    """A step is under way and was paused by andon."""
    DECIDING = "deciding"
    """A step ended and its window waits for a decision."""
    STOPPED = "stopped"
    """Stopped by something that is not andon."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a permission is bound to, besides the session.

    Attributes:
        stand: Where the robot stands.
        cycle: Cycle under way or waiting.
        step: The step.
        part_id: Serial number of the part.
        window_digest: Evidence that waits for a decision; "" when none does.
    """

    stand: Stand
    cycle: int = 0
    step: str = ""
    part_id: str = ""
    window_digest: Digest = NO_DIGEST


class PermitPurpose(Enum):
    """What a permit is for."""

    START = "start"
    """Begin the first step after a release."""
    NEXT_STEP = "next_step"
    """Carry out the action for the decided part, and begin the next step."""
    RESUME = "resume"
    """Go on with a step that andon itself paused."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to do one step: single use, short-lived, for one cell and one session.

    Attributes:
        permit_id: Unique for the life of the store.
        cell_id: The cell.
        purpose: What it is for.
        action: What to do with the part; never STOP.
        label: The label behind the action; "" for START and RESUME.
        session_epoch: The session it is bound to.
        decision_id: The journalled decision it rests on.
        window_digest: The evidence it rests on; "" for START and RESUME.
        cycle: The cycle it speaks about.
        start_within_ns: Time to start, counted from the sending of the heartbeat below.
        heartbeat_seq: Newest heartbeat seen when it was issued.
        maximum_execution_ns: Longest the step may take.
    """

    permit_id: PermitId
    cell_id: CellId
    purpose: PermitPurpose
    action: Action
    label: str
    session_epoch: int
    decision_id: DecisionId
    window_digest: Digest
    cycle: int
    start_within_ns: int
    heartbeat_seq: int
    maximum_execution_ns: int


@dataclass(frozen=True, slots=True)
class CellStatus:
    """One cell, for people.

    Attributes:
        cell_id: The cell.
        family: Its family.
        state: What it does.
        reasons: Active hold reasons.
        text: One sentence about it.
        since_at: UTC since when it is in this state.
        since_ns: The same, monotonic clock of the coordinator.
        request_id: The request it waits for; "" for none.
        cycle: Cycle under way.
        part_id: Part under way.
        session_epoch: Its session; 0 when offline.
        acted: Decision windows decided alone since the store began.
        asked: Decision windows asked.
        held: Decision windows refused.
        hold_unconfirmed: The robot's controller has not confirmed the hold.
        monitor_only: andon watches this robot and holds nothing.
    """

    cell_id: CellId
    family: FamilyId
    state: CellState
    reasons: frozenset[HoldReason]
    text: str
    since_at: datetime
    since_ns: int
    request_id: str
    cycle: int
    part_id: str
    session_epoch: int
    acted: int
    asked: int
    held: int
    hold_unconfirmed: bool
    monitor_only: bool = False

    @property
    def worst(self) -> HoldReason | None:
        """The most severe active reason; None when there is none."""
        return max(self.reasons, default=None)
