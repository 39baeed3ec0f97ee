"""What follows from an event at a station: the node carries these out, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ros_nodes.evidence import CutWindow, Work
from ros_nodes.permission import Begin, Dropped, Hold
from ros_nodes.terms import Permit, Scene


class Robot(Enum):
    """What the node knows about the robot's program."""

    FREE = "free"
    """Not paused by andon."""
    HOLDING = "holding"
    """Asked to hold, no answer yet."""
    HELD = "held"
    """Confirmed that it holds."""
    UNCONFIRMED = "unconfirmed"
    """Did not confirm; asked again until it does."""
    RESUMING = "resuming"
    """Asked to go on, no answer yet."""
    STOPPED = "stopped"
    """Stopped by something that is not andon: only people start its program again."""


class HoldAnswer(Enum):
    """What came of asking a robot to hold."""

    HELD = "held"
    """Confirmed in time."""
    FOUND = "found"
    """It stood already, and not because andon asked: somebody else stopped it."""
    UNCONFIRMED = "unconfirmed"
    """Refused, or not confirmed in time."""


@dataclass(frozen=True, slots=True)
class CallHold:
    """Call the robot's hold service now."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class CallResume:
    """Call the robot's resume service; the permit is consumed."""

    begin: Begin


@dataclass(frozen=True, slots=True)
class LiftHold:
    """Ask for no hold any more: people started the program, and it took leave."""


@dataclass(frozen=True, slots=True)
class GiveLeave:
    """Publish the permit to the robot's program."""

    begin: Begin


@dataclass(frozen=True, slots=True)
class TellStarted:
    """Tell the coordinator that a permit was consumed."""

    permit: Permit
    scene: Scene
    latency_ns: int | None


@dataclass(frozen=True, slots=True)
class TellDropped:
    """Tell the coordinator that a permit was not used."""

    dropped: Dropped


@dataclass(frozen=True, slots=True)
class TellHeld:
    """Tell the coordinator that the node holds."""

    hold: Hold
    scene: Scene
    confirmed: bool  # or its own safety system stopped it


@dataclass(frozen=True, slots=True)
class TellSafetyStop:
    """Tell the coordinator that the robot's own safety system stopped it."""

    kind: str


@dataclass(frozen=True, slots=True)
class BeatNow:
    """Send a heartbeat now: the coordinator waits to hear where the robot stands."""


@dataclass(frozen=True, slots=True)
class CutNow:
    """Cut a window once its last sample has been heard."""

    work: Work


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Send evidence to the coordinator."""

    window: CutWindow
    scene_ns: int
    offered_again: bool


@dataclass(frozen=True, slots=True)
class LeaveSession:
    """End the session: it is not to be trusted any more."""

    text: str


Effect = (
    CallHold
    | CallResume
    | LiftHold
    | GiveLeave
    | TellStarted
    | TellDropped
    | TellHeld
    | TellSafetyStop
    | BeatNow
    | CutNow
    | SendWindow
    | LeaveSession
)
