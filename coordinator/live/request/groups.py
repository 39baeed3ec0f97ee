"""One card for one cause in several cells: each answer is bound to its own scene.

The person sees the evidence of one member and says the same of several. Each member is
claimed and answered by itself, under the digest of its own view: one that moved, ended
or is somebody else's is refused alone and stays as it was. Only the member that was
shown teaches anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.errors import AndonError, InputError, ViewChangedError
from coordinator.live.request.queue import RequestQueue
from coordinator.terms import (
    NO_REQUEST,
    Actor,
    Digest,
    IdempotencyKey,
    OperatorRequest,
    RequestId,
)

MOST_MEMBERS = 64
"""Requests that one card stands for, at most."""


@dataclass(frozen=True, slots=True)
class Member:
    """One request of a group, with the digest of its own view."""

    request_id: RequestId
    view: Digest


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one member: how it stands, or why it was refused."""

    request_id: RequestId
    request: OperatorRequest | None
    refused: AndonError | None = None


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One word about several requests.

    Attributes:
        shown: The member whose evidence was shown; the person holds its claim.
        members: Those it is said of, the shown one among them.
    """

    actor: Actor
    label: str
    shown: RequestId
    members: Sequence[Member]
    once: IdempotencyKey
    note: str = ""


async def answer_group(queue: RequestQueue, said: GroupAnswer) -> list[Result]:
    """Answer several requests of one cause; one result a member, in their order.

    Raises:
        InputError: there are too many members, or the shown one is not among them.
        NotFoundError: there is no such request as the one shown.
    """
    if len(said.members) > MOST_MEMBERS:
        raise InputError(f"a group has at most {MOST_MEMBERS} members.")
    if said.shown not in {member.request_id for member in said.members}:
        raise InputError("the request that was shown has to be among the members.")
    cause = (await queue.find(said.shown)).cause
    return [await _answer(queue, said, cause, member) for member in said.members]


async def _answer(
    queue: RequestQueue, said: GroupAnswer, cause: str, member: Member
) -> Result:
    try:
        found = await queue.find(member.request_id)
        if not cause or found.cause != cause:
            raise ViewChangedError("it was not asked for the same cause. Look alone.")
        claimed = found
        if found.is_open and found.claimed_by != said.actor.person:
            claimed = await queue.claim(
                member.request_id, said.actor, _part(said.once, "claim", member)
            )
        taken = await _say(queue, said, member, claimed.claim_epoch)
    except AndonError as refused:
        return Result(member.request_id, queue.get(member.request_id), refused)
    return Result(member.request_id, taken)


async def _say(
    queue: RequestQueue, said: GroupAnswer, member: Member, claim_epoch: int
) -> OperatorRequest:
    shown = member.request_id == said.shown
    try:
        return await queue.answer(
            member.request_id,
            said.actor,
            claim_epoch=claim_epoch,
            label=said.label,
            view=member.view,
            once=_part(said.once, "answer", member),
            note=said.note,
            shown=NO_REQUEST if shown else said.shown,
        )
    except AndonError:
        if not shown:  # it was claimed for this alone
            await queue.let_go(member.request_id, said.actor, claim_epoch)
        raise


def _part(once: IdempotencyKey, what: str, member: Member) -> IdempotencyKey:
    """The key of one member's part of a call."""
    name = hashlib.sha256(f"{once.key}/{what}/{member.request_id}".encode()).hexdigest()
    return IdempotencyKey(once.person, name, once.payload_digest)
