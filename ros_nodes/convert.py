"""Values of a node <-> messages of andon.v1: the only place that knows both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes.clip import Wanted
from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import Robot
from ros_nodes.evidence import CutWindow, WindowKind
from ros_nodes.permission import Dropped, Hold
from ros_nodes.terms import Action, HoldReason, Permit, Purpose, Scene, Stand
from ros_nodes.window_bytes import presence_bytes, sample_bytes

_ACTIONS: Final = {
    terms_pb2.ACTION_CONTINUE: Action.CONTINUE,
    terms_pb2.ACTION_REWORK: Action.REWORK,
    terms_pb2.ACTION_REJECT: Action.REJECT,
}
_PURPOSES: Final = {
    terms_pb2.PERMIT_PURPOSE_START: Purpose.START,
    terms_pb2.PERMIT_PURPOSE_NEXT_STEP: Purpose.NEXT_STEP,
    terms_pb2.PERMIT_PURPOSE_RESUME: Purpose.RESUME,
}
_STANDS: Final = {
    Stand.AT_START: cell_pb2.STAND_AT_START,
    Stand.IN_STEP: cell_pb2.STAND_IN_STEP,
    Stand.PAUSED: cell_pb2.STAND_PAUSED,
    Stand.DECIDING: cell_pb2.STAND_DECIDING,
    Stand.STOPPED: cell_pb2.STAND_STOPPED,
}
_REASONS: Final = {
    HoldReason.LOW_CONFIDENCE: terms_pb2.HOLD_REASON_LOW_CONFIDENCE,
    HoldReason.STALE_DATA: terms_pb2.HOLD_REASON_STALE_DATA,
    HoldReason.BAD_DATA: terms_pb2.HOLD_REASON_BAD_DATA,
    HoldReason.LINK_LOST: terms_pb2.HOLD_REASON_LINK_LOST,
    HoldReason.STORE_DEGRADED: terms_pb2.HOLD_REASON_STORE_DEGRADED,
    HoldReason.MODEL_FAULT: terms_pb2.HOLD_REASON_MODEL_FAULT,
    HoldReason.STOP_LABEL: terms_pb2.HOLD_REASON_STOP_LABEL,
    HoldReason.IDENTITY: terms_pb2.HOLD_REASON_IDENTITY,
    HoldReason.OPERATOR_HOLD: terms_pb2.HOLD_REASON_OPERATOR_HOLD,
    HoldReason.SAFETY_STOP_SEEN: terms_pb2.HOLD_REASON_SAFETY_STOP_SEEN,
    HoldReason.INTEGRITY: terms_pb2.HOLD_REASON_INTEGRITY,
}
_ROBOTS: Final = {
    Robot.FREE: cell_pb2.ROBOT_HOLD_FREE,
    Robot.HOLDING: cell_pb2.ROBOT_HOLD_HOLDING,
    Robot.HELD: cell_pb2.ROBOT_HOLD_HELD,
    Robot.UNCONFIRMED: cell_pb2.ROBOT_HOLD_UNCONFIRMED,
    Robot.RESUMING: cell_pb2.ROBOT_HOLD_RESUMING,
    Robot.STOPPED: cell_pb2.ROBOT_HOLD_STOPPED,
}
_KINDS: Final = {
    WindowKind.DECISION: terms_pb2.WINDOW_KIND_DECISION,
    WindowKind.MONITOR: terms_pb2.WINDOW_KIND_MONITOR,
}
_BY_REASON: Final[Mapping[int, HoldReason]] = {
    int(wire): reason for reason, wire in _REASONS.items()
}


class UnusablePermitError(ValueError):
    """A permit says something that a node cannot follow; it is never guessed."""


def permit_value(message: terms_pb2.Permit) -> Permit:
    """Read a permit.

    Raises:
        UnusablePermitError: It has no id, no known purpose, or an action that permits
            nothing.
    """
    purpose = _PURPOSES.get(message.purpose)
    action = _ACTIONS.get(message.action)
    if purpose is not Purpose.NEXT_STEP and message.action in (
        terms_pb2.ACTION_UNSPECIFIED,
        terms_pb2.ACTION_CONTINUE,
    ):
        action = Action.CONTINUE
    if not message.permit_id or purpose is None or action is None:
        raise UnusablePermitError(
            f"permit {message.permit_id[:40]!r} has purpose {message.purpose} "
            f"and action {message.action}"
        )
    return Permit(
        permit_id=message.permit_id,
        purpose=purpose,
        session_epoch=message.session_epoch,
        cycle=message.cycle,
        heartbeat_seq=message.heartbeat_seq,
        start_within_ns=duration_ns(message.start_within),
        maximum_execution_ns=duration_ns(message.maximum_execution),
        action=action,
        label=message.label,
        decision_id=message.decision_id,
        window_digest=message.window_digest,
    )


def wanted_value(message: cell_pb2.ClipWanted) -> Wanted:
    """Read what clip is wanted; a time that is unset or negative is the node's own."""
    return Wanted(
        request_id=message.request_id,
        window_id=message.window_id,
        before_ns=max(0, duration_ns(message.before)),
        after_ns=max(0, duration_ns(message.after)),
    )


def reason_value(reason: int) -> HoldReason:
    """Read a hold reason; one that this node does not know is a person's hold."""
    return _BY_REASON.get(reason, HoldReason.OPERATOR_HOLD)


def scene_message(scene: Scene) -> cell_pb2.Scene:
    """Say where the robot stands."""
    return cell_pb2.Scene(
        stand=_STANDS[scene.stand],
        cycle=scene.cycle,
        step=scene.step,
        part_id=scene.part_id,
        window_digest=scene.window_digest,
    )


def heartbeat_message(
    seq: int, scene: Scene, *, robot: Robot, held: bool, dropped: Mapping[str, int]
) -> cell_pb2.NodeMessage:
    """Say that the node lives."""
    return cell_pb2.NodeMessage(
        heartbeat=cell_pb2.Heartbeat(
            seq=seq,
            scene=scene_message(scene),
            held=held,
            dropped=dropped,
            robot=_ROBOTS[robot],
        )
    )


def safety_message(kind: str) -> cell_pb2.NodeMessage:
    """Say that the robot's own safety system stopped it."""
    return cell_pb2.NodeMessage(safety_stop=cell_pb2.SafetyStopSeen(kind=kind))


def windows_message(
    window: CutWindow, *, seq: int, age_ns: int, offered_again: bool
) -> cell_pb2.NodeMessage:
    """Say what was felt.

    Args:
        window: The evidence.
        seq: Its number within the session.
        age_ns: Age of the scene at this moment.
        offered_again: Whether an earlier session sent it already.
    """
    return cell_pb2.NodeMessage(
        windows=cell_pb2.Windows(
            windows=[
                terms_pb2.Window(
                    window_id=window.window_id,
                    kind=_KINDS[window.kind],
                    seq=seq,
                    cycle=window.cycle,
                    step=window.step,
                    part_id=window.part_id,
                    start_ns=window.start_ns,
                    period_ns=window.period_ns,
                    rows=window.samples.shape[0],
                    channels=window.samples.shape[1],
                    samples=sample_bytes(window.samples),
                    present=presence_bytes(window.present),
                    window_digest=window.digest,
                    age=duration(age_ns),
                    cut_at=timestamp(window.cut_utc_ns),
                    gap_rows=window.gap_rows,
                    offered_again=offered_again,
                )
            ]
        )
    )


def started_message(
    permit_id: str, scene: Scene, latency_ns: int | None
) -> cell_pb2.NodeMessage:
    """Say that a permit was consumed."""
    return cell_pb2.NodeMessage(
        permit_started=cell_pb2.PermitStarted(
            permit_id=permit_id,
            scene=scene_message(scene),
            latency=None if latency_ns is None else duration(latency_ns),
        )
    )


def dropped_message(dropped: Dropped) -> cell_pb2.NodeMessage:
    """Say that a permit was not used, and why."""
    return cell_pb2.NodeMessage(
        permit_dropped=cell_pb2.PermitDropped(
            permit_id=dropped.permit_id, token=dropped.drop.value, text=dropped.text
        )
    )


def held_message(hold: Hold, scene: Scene, *, confirmed: bool) -> cell_pb2.NodeMessage:
    """Say that the node holds."""
    return cell_pb2.NodeMessage(
        node_held=cell_pb2.NodeHeld(
            reason=_REASONS[hold.reason],
            text=hold.text,
            scene=scene_message(scene),
            confirmed=confirmed,
        )
    )


def duration(nanoseconds: int) -> Duration:
    """Nanoseconds as the wire writes a duration."""
    seconds, nanos = divmod(max(0, nanoseconds), SECOND_NS)
    return Duration(seconds=seconds, nanos=nanos)


def duration_ns(message: Duration) -> int:
    """Read a duration; 0 when it is not set."""
    return message.seconds * SECOND_NS + message.nanos


def timestamp(utc_ns: int) -> Timestamp:
    """UTC nanoseconds as the wire writes a time."""
    seconds, nanos = divmod(utc_ns, SECOND_NS)
    return Timestamp(seconds=seconds, nanos=nanos)
