"""The open questions of all cells: who holds which, until when, and how they end.

Every change is durable before it is acknowledged, and every request ends exactly once:
the store's guards decide races, this queue only mirrors what was committed. Its parts,
each resting on the one before: book (what is open), claims, hands (from one person to
another), finals (answers that may still be taken back), ends (the ends that are no
answers), opinions (what has no effect), and here the answers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coordinator.errors import (
    AlreadyDoneError,
    OtherPersonError,
    RequestClosedError,
    UnknownLabelError,
    ViewChangedError,
)
from coordinator.live.request.book import Times
from coordinator.live.request.opinions import OVERTAKEN, Opinions
from coordinator.live.request.rules import (
    closed,
    refuse_pending,
    require_claim,
    require_other_person,
    require_role,
)
from coordinator.terms import (
    NO_REQUEST,
    Actor,
    CellId,
    Digest,
    Family,
    IdempotencyKey,
    Label,
    OperatorRequest,
    Outcome,
    RequestId,
    events,
)

__all__ = ["RequestQueue", "Times"]
NO_CELL = CellId("")
"""Of an answer that was not yet checked against its request."""


class RequestQueue(Opinions):
    """All open requests. Not thread-safe: it lives on the event loop."""

    async def answer(  # noqa: PLR0913 - the parts of one answer
        self,
        request_id: RequestId,
        actor: Actor,
        *,
        claim_epoch: int,
        label: str,
        view: Digest,
        once: IdempotencyKey,
        note: str = "",
        shown: RequestId = NO_REQUEST,
        first_label: str = "",
    ) -> OperatorRequest:
        """Take a person's answer; it is durable when this returns.

        Args:
            request_id: What they answer.
            actor: Who.
            claim_epoch: From their claim.
            label: What they say.
            view: Digest of what they were shown.
            once: Makes a repeated call harmless.
            note: What they add.
            shown: Request whose evidence they saw, where one card stood for several.
            first_label: What they said before the model's guess was shown to them.

        Returns:
            The request: ANSWERED when the answer is final at once; open, with the
            answer pending, when it may be taken back for a while; open and free, with
            first_by, when a second person has to agree; SUPERSEDED when they do not.

        Raises:
            NotFoundError: there is no such request.
            RequestClosedError: it has ended; says how and when.
            AnswerWaitsError: an answer was given, and may still be taken back.
            NotYourClaimError: this person does not hold the claim.
            StaleEpochError: the claim is older than the current one.
            RoleError: a shift lead has to answer.
            OtherPersonError: a second person has to agree, or a third to decide.
            ViewChangedError: what was shown is not what is asked now.
            UnknownLabelError: the family has no such label.
            LookFirstError: it comes sooner than anybody can look.
            KeyReusedError: the key was used with other content.
        """
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        try:
            return await self._take(
                events.RequestAnswered(
                    request_id=request_id,
                    cell_id=NO_CELL,
                    actor=actor,
                    claim_epoch=claim_epoch,
                    label=label,
                    correction=False,
                    view_digest=view,
                    note=note,
                    shown=shown,
                    first_label=first_label,
                ),
                once,
            )
        except OVERTAKEN:
            await self._keep_opinion(request_id, actor, claim_epoch, label, view)
            raise

    async def _take(
        self, said: events.RequestAnswered, once: IdempotencyKey
    ) -> OperatorRequest:
        """Check what somebody said, and let it count as far as it does."""
        request_id, actor, label = said.request_id, said.actor, said.label
        request = await self._require_open(request_id)
        refuse_pending(request, self._clock.monotonic_ns())
        require_claim(request, actor, said.claim_epoch)
        require_role(request, actor)
        require_other_person(request, actor)
        family = self._family_of(request.family)
        if not self.views.fits(said.view_digest, request, family):
            raise ViewChangedError("the question changed. Look again.")
        meant = _label(family, label)
        if said.first_label:
            _label(family, said.first_label)
        self.looks.require(said.shown or request_id, actor.person, meant)
        said = replace(
            said,
            cell_id=request.cell_id,
            correction=bool(request.guess) and request.guess != label,
        )
        try:
            return await self._let_count(request, meant, said, once)
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def _let_count(
        self,
        request: OperatorRequest,
        meant: Label,
        said: events.RequestAnswered,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Let a word count: as an answer, or as the first or second of two."""
        settled = request.disputed_by or request.is_known
        needs_second = meant.second_opinion and not settled
        if said.shown and (needs_second or request.first_by):
            raise OtherPersonError("answer this one alone: two people have to agree.")
        if said.shown and request.disputed_by:
            raise OtherPersonError("answer this one alone: two people disagreed.")
        if request.first_by and said.label != request.first_label:
            return await self._disagree(request, said, once)
        if needs_second and not request.first_by:
            return await self._be_first(request, said, once)
        undo_ns = self._undo_ns(meant)
        if undo_ns > 0:
            return await self._give(request, said, undo_ns, once)
        return await self._finish(request, said, once)

    async def pass_on(
        self,
        request_id: RequestId,
        actor: Actor,
        claim_epoch: int,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Take "cannot tell": the question goes one level up. Raises like answer()."""
        if await self._store.replied(once) is not None:
            return await self._settled(request_id)
        request = await self._require_open(request_id)
        refuse_pending(request, self._clock.monotonic_ns())
        require_claim(request, actor, claim_epoch)
        text = f"{actor.person} cannot tell."
        try:
            return await self._succeed(
                request, Outcome.SUPERSEDED, text, once=once, actor=actor
            )
        except AlreadyDoneError:
            return await self._settled(request_id)
        except RequestClosedError as error:
            raise closed(await self._settled(request_id)) from error

    async def _give(
        self,
        request: OperatorRequest,
        final: events.RequestAnswered,
        undo_ns: int,
        once: IdempotencyKey,
    ) -> OperatorRequest:
        """Make an answer durable that may be taken back for a while."""
        given = events.AnswerGiven(final, undo_ns)

        def mirror(_: datetime) -> OperatorRequest:
            self.last_answer_ns = self._clock.monotonic_ns()
            return self._wait(request, given)

        return await self._keep(given, then=mirror, once=once, reply=final.label)


def _label(family: Family, name: str) -> Label:
    """What a word means; raises UnknownLabelError."""
    found = family.label(name)
    if found is None:
        known = ", ".join(family.label_names)
        raise UnknownLabelError(f"'{name[:40]}', known: {known}.")
    return found
