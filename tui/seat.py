"""One person at one request: claim, renew, answer, leave. It knows no screen.

After every wait the request may be another one, or none: each method looks again before
it changes the sitting. An answer that nobody confirmed is kept, with its key, and sent
again as it was when the link is back. The coordinator then says whether it had arrived.
It is never sent under a new claim: for that, the person presses the key again.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Final

from tui.board import Board
from tui.causes import Causes
from tui.clock import Clock
from tui.errors import NotConnectedError, RefusedError
from tui.evidence import Answer, Answered, Claim, Evidence, Phase, Sitting
from tui.link import Link
from tui.terms import Outcome, Request
from tui.words import labelled, say

RENEWALS: Final = 3
"""A claim is renewed when this fraction of its lease has passed: one third."""

LOOK_S: Final = 0.5
"""An answer this soon after the evidence came was meant for the request before, s."""

_CLAIM_GONE: Final = frozenset({"CLAIMED_BY", "NOT_YOUR_CLAIM", "STALE_EPOCH"})
_OVER: Final = frozenset({"REQUEST_CLOSED", "NOT_FOUND"})


class Seat:
    """Where one person sits. Not thread-safe: it lives on the event loop."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self.sitting: Sitting | None = None
        self._link = link
        self._clock = clock
        self._claim: Claim | None = None
        self._renewed_s = 0.0
        self._came_s = 0.0
        self._unsent: Answer | None = None
        self._whole: Evidence | None = None
        self._causes = Causes(link, clock)
        self._mates: frozenset[str] = frozenset()

    @property
    def unsent(self) -> Answer | None:
        """The answer that nobody has confirmed yet."""
        return self._unsent

    async def open(
        self, request_id: str, note: str = "", mates: Collection[str] = ()
    ) -> None:
        """Show a request and claim it; a claim on another one is given back first.

        Args:
            request_id: Which.
            note: What to say about it at once.
            mates: Requests of one cause, this one among them: one answer is for all.
        """
        await self.leave()
        self._mates = frozenset(mates)
        self.sitting = Sitting(request_id, note=note)
        await self._look_and_claim(request_id)

    async def take_over(self) -> None:
        """Take the request from whoever holds it."""
        sitting = self.sitting
        if sitting is not None and sitting.phase is Phase.THEIRS:
            await self._take(sitting.request_id, take_over=True)

    async def answer(self, label: str) -> Answered | None:
        """Say what it is; None when it was not taken, and the sitting says why."""
        sitting, claim = self.sitting, self._claim
        if sitting is None or claim is None or sitting.evidence is None:
            return None
        if sitting.phase is not Phase.MINE:
            return None
        if not self._clock.monotonic() - sitting.shown_s >= LOOK_S:
            self._note(say("seat.look_first"))
            return None
        looked_s = self._clock.monotonic() - self._came_s
        left_s = sitting.evidence.waits_s(label, looked_s)
        if left_s > 0.0:
            self._note(say("seat.look_more", seconds=math.ceil(left_s)))
            return None
        if sitting.evidence.blind and label:
            self._reveal(sitting, label)
            return None
        self._unsent = Answer(
            request_id=sitting.request_id,
            claim_epoch=claim.epoch,
            view_digest=sitting.evidence.view_digest,
            label=label,
            key=uuid.uuid4().hex,
            first_label=sitting.first_label,
            # Who cannot tell from what is shown says nothing of the others.
            members=sitting.together if label else (),
        )
        return await self._send(self._unsent)

    async def link_is_back(self, board: Board) -> Answered | None:
        """Take up where the link was lost; returns an answer that was taken by now."""
        sitting = self.sitting
        if sitting is None or sitting.phase is Phase.ENDED:
            return None
        if self._unsent is not None:
            return await self._send(self._unsent)
        if board.request(sitting.request_id) is None:
            self._end(say("seat.ended_meanwhile"))
        else:
            await self._look_and_claim(sitting.request_id)
        return None

    async def keep(self) -> None:
        """Renew the claim when it is time to."""
        claim, sitting = self._claim, self.sitting
        if claim is None or sitting is None or sitting.phase is not Phase.MINE:
            return
        if not self._clock.monotonic() - self._renewed_s >= claim.lease_s / RENEWALS:
            return
        try:
            self._hold(await self._link.renew(claim), claim)
        except RefusedError as refused:
            self._lost(sitting.request_id, refused)
        except NotConnectedError:
            return  # the watch says so, and the claim is looked at when it is back

    async def arrive(self) -> Request | None:
        """Say that this person stands at the cell, whoever holds the request.

        Raises:
            RefusedError: the coordinator did not take it.
            NotConnectedError: it did not answer.
        """
        sitting = self.sitting
        if sitting is None or sitting.phase is Phase.ENDED:
            return None
        return await self._link.arrive(sitting.request_id)

    async def skip(self) -> Request | None:
        """Leave it to others; None when it stays here, and the sitting says why."""
        return await self._pass_on(lambda c: self._link.skip(c, uuid.uuid4().hex))

    async def hand_over(self, to: str) -> Request | None:
        """Give it to a named person; None when it stays here, as with skip()."""
        return await self._pass_on(
            lambda c: self._link.hand_over(c, to, uuid.uuid4().hex)
        )

    async def _pass_on(
        self, call: Callable[[Claim], Awaitable[Request]]
    ) -> Request | None:
        sitting, claim = self.sitting, self._claim
        if sitting is None or claim is None or sitting.phase is not Phase.MINE:
            return None
        # What the watch says of it meanwhile is this person's own doing.
        self._set(phase=Phase.SENDING, label="", note="")
        try:
            passed = await call(claim)
        except RefusedError as refused:
            if refused.token in _CLAIM_GONE | _OVER:
                self._lost(sitting.request_id, refused)
            elif self._here(sitting.request_id):
                self._set(phase=Phase.MINE, note=refused.plain)
            return None
        except NotConnectedError:
            if self._here(sitting.request_id):
                self._set(phase=Phase.MINE, note=say("hands.in_doubt"))
            return None
        if self._here(sitting.request_id):
            self.sitting = self._claim = None
        return passed

    async def leave(self) -> None:
        """Give the request back; an answer that was not confirmed is forgotten."""
        claim, sitting = self._claim, self.sitting
        self.sitting = self._claim = self._unsent = None
        if claim is None or sitting is None or sitting.phase is not Phase.MINE:
            return
        try:
            await self._link.give_back(claim)
        except (RefusedError, NotConnectedError):
            return  # it runs out by itself

    def hear(self, request: Request) -> None:
        """The board says that a request changed; it may be this one."""
        sitting = self.sitting
        if sitting is None or sitting.request_id != request.request_id:
            return
        if sitting.phase in {Phase.SENDING, Phase.UNSENT, Phase.ENDED}:
            return  # the reply says it better
        if not request.is_open:
            self._end(_how(request))
            return
        newer = self._claim is None or request.claim_epoch > self._claim.epoch
        somebody = request.claimed_by not in {"", self._link.actor.person}
        if sitting.phase is Phase.MINE and newer and somebody:
            self._claim = None
            self._note(say("seat.taken_over", person=request.claimed_by))
            self._set(phase=Phase.THEIRS, holder=request.claimed_by)
        elif sitting.phase is Phase.THEIRS:
            self._set(holder=request.claimed_by)

    async def _look_and_claim(self, request_id: str) -> None:
        try:
            evidence = await self._link.look(request_id)
        except RefusedError as refused:
            if self._here(request_id):
                self._end(refused.plain)
            return
        except NotConnectedError as silence:
            if self._here(request_id):
                self._note(say("seat.not_connected", why=silence.text))
            return
        if not self._here(request_id):
            return
        self._show(evidence)
        if evidence.request.is_open:
            await self._take(request_id, take_over=False)
        else:
            self._end(_how(evidence.request))

    async def _take(self, request_id: str, *, take_over: bool) -> None:
        try:
            claim = await self._link.claim(
                request_id, uuid.uuid4().hex, take_over=take_over
            )
        except RefusedError as refused:
            self._lost(request_id, refused)
            return
        except NotConnectedError as silence:
            if self._here(request_id):
                self._note(say("seat.not_connected", why=silence.text))
            return
        if self._here(request_id):
            self._claim = claim
            self._renewed_s = self._clock.monotonic()
            self._set(phase=Phase.MINE, holder=self._link.actor.person)
            await self._gather(request_id)

    async def _gather(self, request_id: str) -> None:
        """Learn what the others of its cause show; without that it stands alone."""
        sitting = self.sitting
        if len(self._mates) < 2 or sitting is None or sitting.evidence is None:
            return
        if self._whole is not None and self._whole.request.request_id == request_id:
            return  # asked blind: it measures what people see, each by itself
        shown = sitting.evidence.view_digest
        try:
            found = await self._causes.mates(request_id, self._mates)
        except (RefusedError, NotConnectedError):
            return  # the answer is then for this one alone, and the screen says so
        if self._here(request_id):
            # Of this one the person saw exactly that, whatever it would show by now.
            self._set(
                group=tuple(
                    replace(mate, view_digest=shown)
                    if mate.request_id == request_id
                    else mate
                    for mate in found
                )
            )

    def only_this(self) -> bool:
        """Answer this one alone, or all of its cause again; False when it is alone."""
        sitting = self.sitting
        if sitting is None or len(sitting.group) < 2:
            return False
        self._set(alone=not sitting.alone)
        return True

    async def _send(self, answer: Answer) -> Answered | None:
        self._set(phase=Phase.SENDING, label=answer.label, note="")
        try:
            if answer.members:
                evidence = self.sitting.evidence if self.sitting else None
                answered = await self._causes.say(answer, evidence)
            else:
                answered = await self._link.answer(answer)
        except NotConnectedError:
            if self._here(answer.request_id):
                self._set(phase=Phase.UNSENT)
            return None
        except RefusedError as refused:
            self._unsent = None
            await self._not_taken(answer, refused)
            return None
        self._unsent = None
        if self._here(answer.request_id):
            self.sitting = self._claim = None
        return answered

    async def _not_taken(self, answer: Answer, refused: RefusedError) -> None:
        """Say that an answer was refused; go back to where it can be given again."""
        if not self._here(answer.request_id):
            return
        if refused.token in _OVER:
            self._end(say("seat.not_taken", why=refused.plain))
            return
        label = answer.label
        said = labelled(label) if label else say("request.cannot_tell")
        self._note(say("seat.said_not_taken", said=said, why=refused.plain))
        if refused.token in _CLAIM_GONE or refused.token == "VIEW_CHANGED":  # noqa: S105
            self._set(phase=Phase.OPENING)
            self._claim = None
            await self._look_and_claim(answer.request_id)
        else:
            self._set(phase=Phase.MINE)

    def _lost(self, request_id: str, refused: RefusedError) -> None:
        if not self._here(request_id):
            return
        if refused.token in _OVER:
            self._end(refused.plain)
        else:
            self._claim = None
            holder = self.sitting.evidence if self.sitting else None
            self._set(
                phase=Phase.THEIRS, holder=holder.request.claimed_by if holder else ""
            )
            self._note(refused.plain)

    def _here(self, request_id: str) -> bool:
        """Whether the person still sits at this request."""
        return self.sitting is not None and self.sitting.request_id == request_id

    def _reveal(self, sitting: Sitting, label: str) -> None:
        """Show what was hidden; the person keeps what they said, or says another."""
        if sitting.evidence is None or self._whole is None:
            return
        whole = self._whole.revealed(sitting.evidence)
        guess = max(whole.choices, key=lambda choice: choice.probability).label
        key = "seat.same_guess" if guess == label else "seat.other_guess"
        self._set(
            evidence=whole,
            first_label=label,
            shown_s=self._clock.monotonic(),
            note=say(key, said=labelled(label), guess=labelled(guess)),
        )

    def _show(self, evidence: Evidence) -> None:
        sitting = self.sitting
        if sitting is None:
            return
        if evidence.blind:
            self._whole = evidence
            whole = sitting.first_label and sitting.evidence
            evidence = whole or evidence.hidden()
            if not whole:
                self._note(say("seat.blind"))
        same = sitting.evidence is not None and (
            sitting.evidence.view_digest == evidence.view_digest
        )
        # The same picture again need not be looked at again.
        shown_s = sitting.shown_s if same else self._clock.monotonic()
        if not same:
            self._came_s = shown_s
        self._set(
            evidence=evidence, shown_s=shown_s, holder=evidence.request.claimed_by
        )

    def _hold(self, renewed: Claim, before: Claim) -> None:
        if self._claim is before:
            self._claim, self._renewed_s = renewed, self._clock.monotonic()

    def _end(self, note: str) -> None:
        self._claim = self._unsent = None
        self._set(phase=Phase.ENDED, note=note)

    def _note(self, note: str) -> None:
        self._set(note=note)

    def _set(self, **facts: object) -> None:
        if self.sitting is not None:
            self.sitting = replace(self.sitting, **facts)  # type: ignore[arg-type]


def _how(request: Request) -> str:
    """How a request ended, in a sentence."""
    match request.outcome:
        case Outcome.ANSWERED:
            label = labelled(request.label)
            return say("seat.answered", person=request.answered_by, label=label)
        case Outcome.TIMED_OUT:
            return say("seat.time_is_up")
        case Outcome.SUPERSEDED:
            return say("seat.scene_gone")
        case Outcome.CANCELLED | Outcome.OPEN:
            return say("seat.withdrawn")
