"""What the terminal says and asks about stored windows; with `link`, all over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2, terms_pb2
from tui import convert, lessons
from tui.link import Link, replied

CALL_S: Final = 8.0
"""Longest wait, s: at first the coordinator reads what is stored."""


class School:
    """Every call about the labelling of one family; made with the link it goes by."""

    def __init__(self, link: Link, family: str) -> None:
        self._learning = learning_pb2_grpc.LearningServiceStub(link.channel)
        self._who = operator_pb2.Actor(
            person=link.actor.person, device=link.actor.device
        )
        self._family = family
        self._channels: Sequence[terms_pb2.Channel] = ()
        self._labels: Sequence[terms_pb2.Label] = ()

    async def hand(self, count: int, *, oldest_first: bool) -> lessons.Handed:
        """Borrow the next windows; nobody else gets them meanwhile."""
        order = (
            learning_pb2.TEACH_ORDER_TIME
            if oldest_first
            else learning_pb2.TEACH_ORDER_MOST
        )
        ask = learning_pb2.GetTeachableRequest(
            family=self._family, actor=self._who, order=order, count=count
        )
        found = await replied(self._learning.GetTeachable(ask, timeout=CALL_S))
        self._channels, self._labels = tuple(found.channels), tuple(found.labels)
        return lessons.Handed(
            tuple(self._lesson(window) for window in found.windows),
            convert.labels(found.labels),
            _party(found.status),
        )

    async def say(self, word: lessons.Word) -> lessons.Taken:
        """Say what a window is; returns when it is durable."""
        ask = learning_pb2.TeachRequest(
            family=self._family,
            actor=self._who,
            idempotency_key=word.key,
            window_id=word.lesson.window_id,
            view_digest=word.lesson.view_digest,
            label=word.label,
            cannot_tell=not word.label,
            alike_digest=word.alike,
        )
        reply = await replied(self._learning.Teach(ask, timeout=CALL_S))
        return lessons.Taken(
            reply.opinion_id, reply.contradicted, reply.labelled, _party(reply.status)
        )

    async def take_back(self, opinion_id: str, key: str) -> lessons.Lesson:
        """Take a word back; the window is this person's again."""
        ask = learning_pb2.UndoTeachRequest(
            family=self._family,
            actor=self._who,
            idempotency_key=key,
            opinion_id=opinion_id,
        )
        reply = await replied(self._learning.UndoTeach(ask, timeout=CALL_S))
        return self._lesson(reply.window)

    async def give_back(self, window_ids: Sequence[str], *, passed: bool) -> None:
        """Return windows unsaid; `passed`: they are not for this person."""
        ask = learning_pb2.ReturnTeachableRequest(
            family=self._family,
            actor=self._who,
            window_ids=window_ids,
            passed=passed,
        )
        await replied(self._learning.ReturnTeachable(ask, timeout=CALL_S))

    async def alike(self, window_id: str) -> lessons.Alike | None:
        """What is nearly the same as a window; None when nothing is."""
        ask = learning_pb2.GetAlikeRequest(
            family=self._family, actor=self._who, window_id=window_id
        )
        found = await replied(self._learning.GetAlike(ask, timeout=CALL_S))
        if not found.count:
            return None
        edge = self._lesson(found.edge)
        return lessons.Alike(found.count, found.alike_digest, edge)

    async def party(self) -> lessons.Party:
        """How far it is."""
        ask = learning_pb2.ListTeachableRequest(family=self._family, status_only=True)
        found = await replied(self._learning.ListTeachable(ask, timeout=CALL_S))
        return _party(found.status)

    def _lesson(self, said: learning_pb2.TeachWindow) -> lessons.Lesson:
        about = said.about
        return lessons.Lesson(
            window_id=about.window_id,
            view_digest=said.view_digest,
            cell_id=about.cell_id,
            part_id=about.part_id,
            cycle=about.cycle,
            evidence=convert.evidence(
                operator_pb2.GetRequestResponse(
                    window=said.window,
                    channels=self._channels,
                    labels=self._labels,
                    weights=said.weights,
                    view_digest=said.view_digest,
                ),
                0.0,
            ),
        )


def _party(said: learning_pb2.TeachingStatus) -> lessons.Party:
    return lessons.Party(
        left=said.left,
        second=said.second,
        disputed=said.disputed,
        per_minute=said.per_minute,
        people=tuple(said.people),
        percent=said.percent if said.HasField("percent") else None,
        value=said.value if said.HasField("value") else None,
        unread=said.unread,
    )
