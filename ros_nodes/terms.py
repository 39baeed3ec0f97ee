"""The words of a node: scenes, permits, steps and holds, as values.

They are andon.v1's words without protobuf, so that what decides about a robot can be
read and tested without a network. `convert` is the only place that knows both.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What a permit lets the robot do with the part."""

    CONTINUE = "continue"
    """Accept the part, go on."""
    REWORK = "rework"
    """Do the operation again on the same part."""
    REJECT = "reject"
    """Put the part aside, go on with the next."""


class Purpose(Enum):
    """What a permit is for."""

    START = "start"
    """Begin the first step after a release."""
    NEXT_STEP = "next_step"
    """Carry out the action for the decided part and begin the next step."""
    RESUME = "resume"
    """Go on with a step that andon itself paused."""


class Stand(Enum):
    """Where a robot stands, as its node sees it."""

    AT_START = "at_start"
    """No step begun, nothing to decide."""
    IN_STEP = "in_step"
    """A permit was consumed: the robot moves, or is about to."""
    PAUSED = "paused"
    """A step is under way and was paused by andon."""
    DECIDING = "deciding"
    """A step ended and its window waits for a decision."""
    STOPPED = "stopped"
    """Stopped by something that is not andon."""


class HoldReason(Enum):
    """Why a cell is held, by rising severity; the words of the wire."""

    LOW_CONFIDENCE = "low_confidence"
    """Nobody answered a question in time."""
    STALE_DATA = "stale_data"
    """A window was too old when it was judged."""
    BAD_DATA = "bad_data"
    """A sensor is missing, silent or wrong, or a step never ended."""
    LINK_LOST = "link_lost"
    """The session ended or its lease ran out."""
    STORE_DEGRADED = "store_degraded"
    """A decision could not be made durable."""
    MODEL_FAULT = "model_fault"
    """The model failed, was late, or answered nonsense."""
    STOP_LABEL = "stop_label"
    """The label says stop: a person must look at the cell."""
    IDENTITY = "identity"
    """The robot moved without leave, or the scene is not the one that was judged."""
    OPERATOR_HOLD = "operator_hold"
    """A person pulled the cord."""
    SAFETY_STOP_SEEN = "safety_stop_seen"
    """The robot's own safety system stopped it."""
    INTEGRITY = "integrity"
    """The store or its journal does not verify."""


class Drop(Enum):
    """Why a permit was not used; the tokens of the wire."""

    EXPIRED = "EXPIRED"
    """It came too late, or names a heartbeat this session never sent."""
    WRONG_EPOCH = "WRONG_EPOCH"
    """It belongs to another session."""
    SCENE_MOVED = "SCENE_MOVED"
    """It speaks about another cycle, another window, or the joints moved since."""
    ALREADY_USED = "ALREADY_USED"
    """It was offered before."""
    LEASE_LOST = "LEASE_LOST"
    """No acknowledged heartbeat is young enough."""
    HELD = "HELD"
    """The node held after it was issued, or a hold or resume did not succeed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a permission is bound to.

    Attributes:
        stand: Where the robot stands.
        cycle: The cycle under way or waiting.
        step: Id of the step.
        part_id: Serial number of the part.
        window_digest: Evidence that waits for a decision; "" when none does.
    """

    stand: Stand = Stand.AT_START
    cycle: int = 0
    step: str = ""
    part_id: str = ""
    window_digest: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to do one step: single use, short-lived, for one cell and one session.

    Attributes:
        permit_id: Unique for the life of the store.
        purpose: What the leave is for.
        session_epoch: The session it is bound to.
        cycle: The cycle it speaks about.
        heartbeat_seq: Newest heartbeat the coordinator had seen when it issued this.
        start_within_ns: After the sending of that heartbeat, on the node's clock.
        maximum_execution_ns: Longest the step may take, on the node's clock.
        action: What to do with the part.
        label: The label behind the action.
        decision_id: The journalled decision it rests on.
        window_digest: Evidence it rests on; "" for START and RESUME.
    """

    permit_id: str
    purpose: Purpose
    session_epoch: int
    cycle: int
    heartbeat_seq: int
    start_within_ns: int
    maximum_execution_ns: int
    action: Action = Action.CONTINUE
    label: str = ""
    decision_id: str = ""
    window_digest: str = ""


class StepMoment(Enum):
    """What a robot's program says about a step."""

    BEGIN = "begin"
    """The step begins now."""
    END = "end"
    """The step ended; the robot stands and waits."""


@dataclass(frozen=True, slots=True)
class StepEvent:
    """The robot's program speaks about one step.

    Attributes:
        moment: Whether it begins or ends.
        cycle: Number of the cycle, from 0.
        part_id: Serial number of the part.
        step: Id of the step.
        stamp_ns: When, on the clock of the samples.
        permit_id: The permit under which it began; "" when the program does not say.
    """

    moment: StepMoment
    cycle: int
    part_id: str
    step: str
    stamp_ns: int
    permit_id: str = ""


def new_id(prefix: str) -> str:
    """Return an id nobody used before: the prefix and 80 random bits."""
    return f"{prefix}-{secrets.token_hex(10)}"
