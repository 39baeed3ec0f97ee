"""What may be said to a cell's loop besides windows; the control lane carries these."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from coordinator.seams import NodeLink
from coordinator.terms import (
    Action,
    Actor,
    HoldReason,
    IdempotencyKey,
    OperatorRequest,
    PermitId,
    Scene,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A node asks for a session of its own.

    Attributes:
        node_id: The node.
        boot_id: Changes when the node's monotonic clock starts again.
        software: Version and commit of the node.
        done: Told the epoch once it is durable, or why there is none.
    """

    node_id: str
    boot_id: str
    software: str
    done: asyncio.Future[int]


@dataclass(frozen=True, slots=True)
class Connected:
    """A node opened a session that is already durable."""

    link: NodeLink
    scene: Scene


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """A session ended; an older one than the current is ignored."""

    session_epoch: int
    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A person answered a question; the answer is already durable."""

    request: OperatorRequest
    actor: Actor


@dataclass(frozen=True, slots=True)
class Expired:
    """A question timed out; its successor is already durable."""

    request: OperatorRequest


@dataclass(frozen=True, slots=True)
class Release:
    """A named person or policy wants the cell released.

    Attributes:
        actor: Who.
        seen: The worst reason the actor saw.
        disposition: What to do with the part that waits; None to judge it again.
        note: What the person added.
        once: Makes a repeated call harmless; None for a policy.
        done: Told when the cell is released, or why not.
    """

    actor: Actor
    seen: HoldReason | None
    disposition: Action | None
    note: str
    once: IdempotencyKey | None
    done: asyncio.Future[None] | None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A person takes the cell out of work, or brings it back.

    Attributes:
        actor: Who.
        on: Out of work, or back.
        note: What the person added.
        once: Makes a repeated call harmless.
        done: Told when it is durable, or why not.
    """

    actor: Actor
    on: bool
    note: str
    once: IdempotencyKey | None
    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class PermitUsed:
    """The node began a permitted step."""

    permit_id: PermitId
    session_epoch: int


@dataclass(frozen=True, slots=True)
class PermitUnused:
    """The node did not use a permit, and holds."""

    permit_id: PermitId
    session_epoch: int
    token: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody waits until what happened so far is durable, or cannot be."""

    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed: write down what is not written down, try what waits."""


Control = (
    Opening
    | Connected
    | LinkEnded
    | Answered
    | Expired
    | Release
    | Maintenance
    | PermitUsed
    | PermitUnused
    | Record
    | Tick
)
