"""The part of LearningService that speaks about the labelling of stored windows."""

from __future__ import annotations

from typing import Any

import grpc

from andon.v1 import learning_pb2, learning_pb2_grpc
from coordinator.errors import InputError, MissingFieldError
from coordinator.learning.correction.party import Lent, Party
from coordinator.learning.correction.pool import Stored
from coordinator.learning.correction.records import Said
from coordinator.learning.correction.teach import view_digest
from coordinator.live.request.view import channel_weights
from coordinator.service import convert
from coordinator.service.explained import channel_weight
from coordinator.service.operator_service import page
from coordinator.service.plant import Plant, require_id
from coordinator.service.words import actor_of, clean_note, duration, once_of
from coordinator.terms import Digest, Family, WindowId
from coordinator.terms.teaching import Agreement, OpinionId, PartyStatus

Context = grpc.aio.ServicerContext[Any, Any]
MOST_LENT = 8
MOST_RETURNED = 100
MOST_DISPUTES = 100


class TeachCalls(learning_pb2_grpc.LearningServiceServicer):
    """What people do with stored windows."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    async def ListTeachable(
        self, request: learning_pb2.ListTeachableRequest, context: Context
    ) -> learning_pb2.ListTeachableResponse:
        """See learning.proto."""
        del context
        party = await self._party(request.family)
        if request.status_only:
            return learning_pb2.ListTeachableResponse(status=self._status(party))
        start, size = page(request.page_size, request.page_token)
        found = party.unlabelled()
        more = len(found) > start + size
        return learning_pb2.ListTeachableResponse(
            status=self._status(party),
            windows=[_teachable(party, w) for w in found[start : start + size]],
            next_page_token=str(start + size) if more else "",
        )

    async def GetTeachable(
        self, request: learning_pb2.GetTeachableRequest, context: Context
    ) -> learning_pb2.GetTeachableResponse:
        """See learning.proto."""
        del context
        actor = actor_of(request.actor)
        party = await self._party(request.family)
        lent = party.lend(
            actor.person,
            min(request.count or 1, MOST_LENT),
            oldest_first=request.order == learning_pb2.TEACH_ORDER_TIME,
        )
        family = self._family(party)
        return learning_pb2.GetTeachableResponse(
            windows=[await self._shown(party, one.window, one) for one in lent],
            channels=[convert.channel(c) for c in family.channels],
            labels=[convert.label(x) for x in family.labels],
            status=self._status(party),
        )

    async def GetAlike(
        self, request: learning_pb2.GetAlikeRequest, context: Context
    ) -> learning_pb2.GetAlikeResponse:
        """See learning.proto."""
        del context
        actor = actor_of(request.actor)
        party = await self._party(request.family)
        window_id = WindowId(require_id("window_id", request.window_id))
        cluster = party.cluster(actor.person, window_id)
        if not cluster.windows:
            return learning_pb2.GetAlikeResponse()
        return learning_pb2.GetAlikeResponse(
            count=len(cluster.windows),
            alike_digest=cluster.digest,
            edge=await self._shown(party, cluster.windows[-1]),
        )

    async def Teach(
        self, request: learning_pb2.TeachRequest, context: Context
    ) -> learning_pb2.TeachResponse:
        """See learning.proto."""
        del context
        actor, once = actor_of(request.actor), once_of(request)
        window_id = WindowId(require_id("window_id", request.window_id))
        if bool(request.label) is request.cannot_tell:
            raise MissingFieldError("either label or cannot_tell is required.")
        said = Said(
            window_id,
            request.label,
            Digest(request.view_digest),
            Digest(request.alike_digest),
        )
        taught = await self._plant.teaching.say(request.family, said, actor, once)
        party = await self._party(request.family)
        self._plant.learning[party.family].note_example()
        return learning_pb2.TeachResponse(
            opinion_id=taught.opinion_id,
            contradicted=party.is_disputed(window_id),
            labelled=taught.labelled,
            status=self._status(party),
        )

    async def UndoTeach(
        self, request: learning_pb2.UndoTeachRequest, context: Context
    ) -> learning_pb2.UndoTeachResponse:
        """See learning.proto."""
        del context
        window_id = await self._plant.teaching.take_back(
            request.family,
            OpinionId(require_id("opinion_id", request.opinion_id)),
            actor_of(request.actor),
            once_of(request),
        )
        party = await self._party(request.family)
        self._plant.learning[party.family].note_example()
        window = party.pool.windows[party.pool.place[window_id]]
        return learning_pb2.UndoTeachResponse(
            window=await self._shown(party, window), status=self._status(party)
        )

    async def ReturnTeachable(
        self, request: learning_pb2.ReturnTeachableRequest, context: Context
    ) -> learning_pb2.ReturnTeachableResponse:
        """See learning.proto."""
        del context
        actor = actor_of(request.actor)
        if len(request.window_ids) > MOST_RETURNED:
            raise InputError(f"at most {MOST_RETURNED} windows a call.", "TOO_MANY")
        party = await self._party(request.family)
        for window_id in request.window_ids:
            party.give_back(actor.person, WindowId(window_id), passed=request.passed)
        party.drop_cluster(actor.person)
        return learning_pb2.ReturnTeachableResponse()

    async def GetAgreement(
        self, request: learning_pb2.GetAgreementRequest, context: Context
    ) -> learning_pb2.GetAgreementResponse:
        """See learning.proto."""
        del context
        party = await self._party(request.family)
        return _agreement(party.opinions.agreement(), self._family(party))

    async def DecideLabel(
        self, request: learning_pb2.DecideLabelRequest, context: Context
    ) -> learning_pb2.DecideLabelResponse:
        """See learning.proto."""
        del context
        if bool(request.label) is request.nobody_can_tell:
            raise MissingFieldError("either label or nobody_can_tell is required.")
        said = Said(
            WindowId(require_id("window_id", request.window_id)),
            request.label,
            Digest(request.view_digest),
        )
        await self._plant.teaching.decide(
            request.family,
            said,
            actor_of(request.actor),
            once_of(request),
            note=clean_note(request.note),
        )
        party = await self._party(request.family)
        self._plant.learning[party.family].note_example()
        return learning_pb2.DecideLabelResponse(status=self._status(party))

    # -- small things ----------------------------------------------------------------

    async def _party(self, family: str) -> Party:
        require_id("family", family)
        return await self._plant.teaching.party(family)

    def _family(self, party: Party) -> Family:
        return self._plant.vocabulary.family(party.family)

    def _status(self, party: Party) -> learning_pb2.TeachingStatus:
        return _status(party.status(unread=self._plant.teaching.news.unread))

    async def _shown(
        self, party: Party, window: Stored, lent: Lent | None = None
    ) -> learning_pb2.TeachWindow:
        """A window as a person sees it: no guess, nobody else's word."""
        family = self._family(party)
        samples = await self._plant.store.window(window.window_id)
        clip = await self._plant.store.clip_of(window.window_id)
        usual = self._plant.usual.get(party.family)
        left_ns = lent.until_ns - self._plant.clock.monotonic_ns() if lent else 0
        return learning_pb2.TeachWindow(
            about=_teachable(party, window),
            window=convert.window(samples),
            view_digest=view_digest(window.window_digest, family),
            lease=duration(max(left_ns, 0)),
            weights=[
                channel_weight(w) for w in channel_weights(samples, usual, family)
            ],
            clip_id=clip.clip_id if clip else "",
        )


def _teachable(party: Party, window: Stored) -> learning_pb2.Teachable:
    return learning_pb2.Teachable(
        window_id=window.window_id,
        window_digest=window.window_digest,
        cell_id=window.cell_id,
        cycle=window.cycle,
        part_id=window.part_id,
        opinions=len(party.opinions.said(window.window_digest)),
    )


def _status(term: PartyStatus) -> learning_pb2.TeachingStatus:
    return learning_pb2.TeachingStatus(
        family=term.family,
        left=term.left,
        second=term.second,
        disputed=term.disputed,
        taught=term.taught,
        per_minute=term.per_minute,
        people=term.people,
        percent=term.percent,
        value=term.value,
        unread=term.unread,
    )


def _agreement(term: Agreement, family: Family) -> learning_pb2.GetAgreementResponse:
    return learning_pb2.GetAgreementResponse(
        family=family.family_id,
        windows=term.windows,
        people=term.people,
        percent=term.percent,
        coefficient=term.coefficient,
        value=term.value,
        pairs=[
            learning_pb2.LabelPair(
                one=pair.labels[0], other=pair.labels[1], count=pair.count
            )
            for pair in term.pairs
        ],
        disputes=[
            learning_pb2.Dispute(
                window_id=one.window_id,
                window_digest=one.window_digest,
                view_digest=view_digest(one.window_digest, family),
                said=[
                    learning_pb2.LabelCount(label=label, people=people)
                    for label, people in one.said
                ],
            )
            for one in term.disputes[:MOST_DISPUTES]
        ],
        cannot_tell=term.cannot_tell,
    )
