"""One card for one cause in several cells: each answer is bound to its own scene.

The person sees the evidence of one member and says the same of several. That one is
answered first, under the claim the person holds; when it is refused, or taken back on
the way, what they saw is no longer so, and nothing more is said of the others. Each
other is claimed and answered by itself, under the digest of its own view: one that
moved, ended, is somebody else's or has to be looked at alone is refused alone and stays
as it was, without a claim. Only the member that was shown teaches anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coordinator.errors import (
    AndonError,
    InputError,
    LookAloneError,
    ViewChangedError,
)
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

Asks = Callable[[OperatorRequest], bool]
"""Something about a request that holds or does not."""


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
        claim_epoch: Of the claim on the shown one; 0 for whichever the person holds.
    """

    actor: Actor
    label: str
    shown: RequestId
    members: Sequence[Member]
    once: IdempotencyKey
    note: str = ""
    claim_epoch: int = 0


def nothing_blind(request: OperatorRequest) -> bool:
    """Say of every request that the guess may be shown at once."""
    del request
    return False


def all_wait(request: OperatorRequest) -> bool:
    """Say of every cell that it stands where it stood when it asked."""
    del request
    return True


def of_one_card(
    asked: OperatorRequest, alike: Sequence[OperatorRequest]
) -> list[OperatorRequest]:
    """Return those of one cause that one card stands for, the one asked about too.

    Args:
        asked: Whose evidence is shown.
        alike: The open ones of its cause, oldest first.
    """
    first = list(alike[:MOST_MEMBERS])
    late = [one for one in alike[MOST_MEMBERS:] if one.request_id == asked.request_id]
    return [*first[: MOST_MEMBERS - len(late)], *late]


async def answer_group(
    queue: RequestQueue,
    said: GroupAnswer,
    *,
    blind: Asks = nothing_blind,
    waits: Asks = all_wait,
) -> list[Result]:
    """Answer several requests of one cause; one result a member, in their order.

    Args:
        queue: Where they are open.
        said: What was said of which.
        blind: Whether a request is asked without the model's guess first.
        waits: Whether its cell stands in the very scene it asked about.

    Raises:
        InputError: there are too many members, or the shown one is not among them.
        NotFoundError: there is no such request as the one shown.
    """
    if len(said.members) > MOST_MEMBERS:
        raise InputError(f"a group has at most {MOST_MEMBERS} members.")
    views = {member.request_id: member for member in said.members}
    if said.shown not in views:
        raise InputError("the request that was shown has to be among the members.")
    shown = await queue.find(said.shown)
    group = _Group(queue, said, shown.cause, blind, waits)
    first = await group.answer_shown(shown, views.pop(said.shown))
    results = {said.shown: first}
    for request_id, member in views.items():
        results[request_id] = (
            await group.answer_other(member)
            if first.refused is None and await group.still_said()
            else group.leave(member)
        )
    return [results[member.request_id] for member in said.members]


class _Group:
    """One word on its way to each member."""

    def __init__(
        self,
        queue: RequestQueue,
        said: GroupAnswer,
        cause: str,
        blind: Asks,
        waits: Asks,
    ) -> None:
        self._queue = queue
        self._said = said
        self._cause = cause
        self._blind = blind
        self._waits = waits

    async def answer_shown(self, shown: OperatorRequest, member: Member) -> Result:
        """Say it of the one whose evidence was shown, under the person's own claim."""
        epoch = self._said.claim_epoch or shown.claim_epoch
        try:
            self._may_be_said(shown)
            taken = await self._say(member, epoch)
        except AndonError as refused:
            return self._refused(member, refused)
        return Result(member.request_id, taken)

    async def answer_other(self, member: Member) -> Result:
        """Say it of one that was not shown, under a claim for this alone."""
        queue, said = self._queue, self._said
        try:
            found = await queue.find(member.request_id)
            self._may_be_said(found)
            if found.is_open and not found.is_pending and not self._waits(found):
                raise LookAloneError("its cell does not wait for it now. Look alone.")
            claimed = found
            if found.is_open and found.claimed_by != said.actor.person:
                once = _part(said.once, "claim", member)
                claimed = await queue.claim(member.request_id, said.actor, once)
            try:
                taken = await self._say(member, claimed.claim_epoch, said.shown)
            except AndonError:
                await queue.let_go(member.request_id, said.actor, claimed.claim_epoch)
                raise
        except AndonError as refused:
            return self._refused(member, refused)
        return Result(member.request_id, taken)

    async def still_said(self) -> bool:
        """Whether what was said of the one that was shown counts, and still does.

        It may be taken back while the others are still being answered; and a call that
        is repeated after that says nothing of anybody.
        """
        label = self._said.label
        now = await self._queue.find(self._said.shown)
        return label in (now.label, now.pending_label, now.first_label)

    def leave(self, member: Member) -> Result:
        """Say nothing of one, because what was said of the one shown is not so."""
        return self._refused(
            member,
            LookAloneError(
                "what was said of the one that was shown does not count. Look at this."
            ),
        )

    def _may_be_said(self, found: OperatorRequest) -> None:
        """Refuse what no word about several may be for; nothing that has ended."""
        if found.level > 0 and found.request_id != self._said.shown:
            raise LookAloneError("it was asked before, and not answered. Look alone.")
        if not self._cause or found.cause != self._cause:
            raise ViewChangedError("it was not asked for the same cause. Look alone.")
        if self._blind(found):
            raise LookAloneError("it is asked without the model's guess. Look alone.")

    async def _say(
        self, member: Member, claim_epoch: int, shown: RequestId = NO_REQUEST
    ) -> OperatorRequest:
        said = self._said
        return await self._queue.answer(
            member.request_id,
            said.actor,
            claim_epoch=claim_epoch,
            label=said.label,
            view=member.view,
            once=_part(said.once, "answer", member),
            note=said.note,
            shown=shown,
        )

    def _refused(self, member: Member, refused: AndonError) -> Result:
        return Result(member.request_id, self._queue.get(member.request_id), refused)


def _part(once: IdempotencyKey, what: str, member: Member) -> IdempotencyKey:
    """The key of one member's part of a call."""
    name = hashlib.sha256(f"{once.key}/{what}/{member.request_id}".encode()).hexdigest()
    return IdempotencyKey(once.person, name, once.payload_digest)
