"""One card for one cause: who asks for it, and one word to all of them.

Each member is bound to its own scene: its digest goes with the answer, and what moved
is refused alone. With `link`, over gRPC.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from andon.v1 import operator_pb2, operator_pb2_grpc
from tui import convert
from tui.clock import Clock
from tui.errors import RefusedError
from tui.evidence import Answer, Answered, Evidence, Mate, Part
from tui.link import CALL_S, Link, replied
from tui.terms import Action, RequestKind
from tui.words import say, told


class Causes:
    """The calls about several requests of one cause, by whoever sits at the link."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._operators = operator_pb2_grpc.OperatorServiceStub(link.channel)

    async def mates(self, request_id: str, wanted: Collection[str]) -> tuple[Mate, ...]:
        """The open requests of its cause, those of them that are wanted.

        Raises:
            RefusedError: there is no such request.
            NotConnectedError: the coordinator did not answer.
        """
        ask = operator_pb2.GetGroupRequest(request_id=request_id)
        found = await replied(self._operators.GetGroup(ask, timeout=CALL_S))
        mates = [
            Mate(one.summary.request_id, one.summary.cell_id, one.view_digest)
            for one in found.members
            if one.summary.request_id in wanted
        ]
        # The one that is shown, then the others as people count them.
        mates.sort(key=lambda m: (m.request_id != request_id, _counted(m.cell_id)))
        return tuple(mates)

    async def say(self, answer: Answer, evidence: Evidence | None) -> Answered:
        """Say the same of every member; what became of the shown one, and the others.

        Raises:
            RefusedError: it was not taken for the one that was shown.
            NotConnectedError: the coordinator did not answer; send it again as it was.
        """
        parts = await self._answer(answer)
        shown = [p for p in parts if p.mate.request_id == answer.request_id]
        others = tuple(
            replace(p, text=told("refusal", p.token, p.text) if p.text else "")
            for p in parts
            if p not in shown
        )
        if not shown or not shown[0].taken:
            token, why = (shown[0].token, shown[0].text) if shown else ("", "")
            raise RefusedError(token, why, also=say("cause.nothing_said"))
        label = evidence.label(answer.label) if evidence else None
        request = shown[0].request
        return Answered(
            request=request,
            correction=request.guess not in {"", answer.label},
            action=label.action if label else Action.NONE,
            undo_s=shown[0].undo_s,
            moves_on=request.kind is RequestKind.QUESTION,
            others=others,
        )

    async def _answer(self, answer: Answer) -> tuple[Part, ...]:
        """What became of each member, in their order."""
        actor = self._link.actor
        ask = operator_pb2.AnswerGroupRequest(
            actor=operator_pb2.Actor(person=actor.person, device=actor.device),
            idempotency_key=answer.key,
            label=answer.label,
            shown_request_id=answer.request_id,
            members=[
                operator_pb2.MemberAnswer(
                    request_id=mate.request_id, view_digest=mate.view_digest
                )
                for mate in answer.members
            ],
            note=answer.note,
            claim_epoch=answer.claim_epoch,
        )
        reply = await replied(self._operators.AnswerGroup(ask, timeout=CALL_S))
        now_s = self._clock.monotonic()
        return tuple(
            Part(
                mate=mate,
                request=convert.request(result.summary, now_s),
                taken=result.taken,
                token=result.token,
                text=result.text.removeprefix(f"{result.token}: "),
                undo_s=convert.seconds(result.undo_within),
            )
            for mate, result in zip(answer.members, reply.results, strict=False)
        )


def _counted(name: str) -> list[str | int]:
    """A name to sort by: press-2 comes before press-10."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdecimal() else part for part in parts]
