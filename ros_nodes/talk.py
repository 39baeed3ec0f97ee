"""What andon and the robot's program say to each other: one line of JSON a message.

Standard messages only (std_msgs/String), so that a robot's program needs no package of
andon. On the topic `steps` the program says that a step begins or ends; on `permits`
the node gives leave for one step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ros_nodes.permission import Begin
from ros_nodes.terms import Action, Purpose, StepEvent, StepMoment

_STEP: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LONGEST: Final = 4096
LONGEST_PART: Final = 128


class TalkError(ValueError):
    """What was said cannot be understood; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave for one step, as the robot's program reads it.

    Attributes:
        permit_id: To be repeated when the step begins.
        purpose: START or NEXT_STEP; a RESUME comes through the resume service.
        action: What to do with the part of the cycle below.
        label: The label behind the action.
        cycle: The cycle that was decided (NEXT_STEP) or is to begin (START).
        start_by_ns: Last moment at which the step may begin, monotonic clock.
    """

    permit_id: str
    purpose: Purpose
    action: Action
    label: str
    cycle: int
    start_by_ns: int


def step_text(event: StepEvent) -> str:
    """What a robot's program says about a step."""
    return json.dumps(
        {
            "event": event.moment.value,
            "cycle": event.cycle,
            "part_id": event.part_id,
            "step": event.step,
            "stamp_ns": event.stamp_ns,
            "permit_id": event.permit_id,
        }
    )


def read_step(text: str) -> StepEvent:
    """Understand what a robot's program says about a step.

    Raises:
        TalkError: A fact is missing or impossible.
    """
    said = _object(text)
    try:
        moment = StepMoment(said.get("event"))
    except ValueError as error:
        raise TalkError('event is neither "begin" nor "end"') from error
    step = _text(said, "step", "step")
    if _STEP.fullmatch(step) is None:
        raise TalkError(f"step {step[:40]!r} does not match {_STEP.pattern}")
    return StepEvent(
        moment=moment,
        cycle=_count(said, "cycle"),
        part_id=_text(said, "part_id", ""),
        step=step,
        stamp_ns=_count(said, "stamp_ns"),
        permit_id=_text(said, "permit_id", ""),
    )


def leave_text(begin: Begin) -> str:
    """Say to the robot's program that one step is permitted."""
    permit = begin.permit
    return json.dumps(
        {
            "permit_id": permit.permit_id,
            "purpose": permit.purpose.value,
            "action": permit.action.value,
            "label": permit.label,
            "cycle": permit.cycle,
            "start_by_ns": begin.start_by_ns,
        }
    )


def read_leave(text: str) -> Leave:
    """Understand that one step is permitted.

    Raises:
        TalkError: A fact is missing or impossible.
    """
    said = _object(text)
    permit_id = _text(said, "permit_id", "")
    if not permit_id:
        raise TalkError("permit_id is missing")
    try:
        purpose, action = Purpose(said.get("purpose")), Action(said.get("action"))
    except ValueError as error:
        raise TalkError(str(error)) from error
    return Leave(
        permit_id=permit_id,
        purpose=purpose,
        action=action,
        label=_text(said, "label", ""),
        cycle=_count(said, "cycle"),
        start_by_ns=_count(said, "start_by_ns"),
    )


def _object(text: str) -> Mapping[str, Any]:
    if len(text) > _LONGEST:
        raise TalkError(f"{len(text)} characters, limit {_LONGEST}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TalkError("not JSON") from error
    if not isinstance(said, Mapping):
        raise TalkError("not a JSON object")
    return said


def _text(said: Mapping[str, Any], key: str, default: str) -> str:
    value = said.get(key, default)
    if not isinstance(value, str) or len(value) > LONGEST_PART:
        raise TalkError(f"{key} is not a text of at most {LONGEST_PART} characters")
    if not value.isprintable():
        raise TalkError(f"{key} contains a control character")
    return value


def _count(said: Mapping[str, Any], key: str) -> int:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise TalkError(f"{key} is not a whole number from 0")
    return value
