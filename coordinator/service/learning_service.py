"""LearningService: examples, training runs and models."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import grpc

from andon.v1 import learning_pb2
from coordinator.errors import InputError, NotFoundError
from coordinator.service import convert
from coordinator.service.gates import gate_status
from coordinator.service.looking_back import model_report, validation_report
from coordinator.service.operator_service import page
from coordinator.service.plant import require_id
from coordinator.service.teach_service import TeachCalls
from coordinator.service.words import (
    actor_of,
    clean,
    clean_note,
    from_wire,
    once_of,
    timestamp,
)
from coordinator.terms import (
    Action,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    FamilyId,
    Label,
    LearningStatus,
    ModelRecord,
    RunId,
    events,
    is_id,
)

Context = grpc.aio.ServicerContext[Any, Any]
SHORTEST_DIGEST = 8
"""Characters of a digest that must be given."""


class LearningService(TeachCalls):
    """Serves engineers' clients and the command line."""

    async def ListExamples(
        self, request: learning_pb2.ListExamplesRequest, context: Context
    ) -> learning_pb2.ListExamplesResponse:
        """See learning.proto."""
        del context
        self._plant.teacher(request.family)
        start, size = page(request.page_size, request.page_token)
        found = await self._plant.store.examples(FamilyId(request.family))
        newest = list(reversed(found))
        usable = Counter(e.label for e in found if not e.retracted and not e.quarantine)
        more = len(newest) > start + size
        return learning_pb2.ListExamplesResponse(
            examples=[_example(e) for e in newest[start : start + size]],
            next_page_token=str(start + size) if more else "",
            count=dict(usable),
        )

    async def RetractExample(
        self, request: learning_pb2.RetractExampleRequest, context: Context
    ) -> learning_pb2.RetractExampleResponse:
        """See learning.proto."""
        del context
        store = self._plant.store
        example_id = require_id("example_id", request.example_id)
        once = once_of(request)
        if await store.replied(once) is None:
            retracted = events.ExampleRetracted(
                ExampleId(example_id),
                actor_of(request.actor),
                clean_note(request.note),
            )
            await store.commit(retracted, once=once, reply="retracted")
        for family, teacher in self._plant.learning.items():
            for example in await store.examples(family):
                if example.example_id == example_id:
                    # A taught window was chosen, not drawn: no case of the gate's.
                    if example.source is not ExampleSource.TEACH:
                        self._plant.gates[family].taken_back(example.window_id)
                    teacher.note_example()
                    return learning_pb2.RetractExampleResponse(
                        example=_example(example)
                    )
        raise NotFoundError(f"there is no example {example_id}.")

    async def AddLabel(
        self, request: learning_pb2.AddLabelRequest, context: Context
    ) -> learning_pb2.AddLabelResponse:
        """See learning.proto."""
        del context
        plant = self._plant
        teacher = plant.teacher(request.family)
        family_id, once = FamilyId(request.family), once_of(request)
        action = from_wire(Action, request.label.action)
        if action is None or not is_id(request.label.name):
            raise InputError("a label needs an id as name, and an action.", "BAD_LABEL")
        if await plant.store.replied(once) is None:
            label = Label(
                request.label.name,
                action,
                must_never_miss=request.label.must_never_miss,
                text=clean("label.text", request.label.text),
            )
            plant.vocabulary.require_new(family_id, label)
            added = events.LabelAdded(family_id, label, actor_of(request.actor))
            await plant.store.commit(added, once=once, reply=label.name)
            plant.vocabulary.extend(family_id, [label])
            teacher.note_example()
        labels = plant.vocabulary.family(family_id).labels
        return learning_pb2.AddLabelResponse(labels=[convert.label(x) for x in labels])

    async def StartTraining(
        self, request: learning_pb2.StartTrainingRequest, context: Context
    ) -> learning_pb2.StartTrainingResponse:
        """See learning.proto."""
        del context
        teacher = self._plant.teacher(request.family)
        once = once_of(request)
        run_id = await self._plant.store.replied(once)
        if run_id is None:
            run_id = await teacher.request_training(actor_of(request.actor))
        return learning_pb2.StartTrainingResponse(run_id=RunId(run_id))

    async def WatchLearning(  # type: ignore[override]  # writes to the context instead
        self, request: learning_pb2.WatchLearningRequest, context: Context
    ) -> None:
        """See learning.proto."""
        if request.family:
            self._plant.teacher(request.family)
        with self._plant.feed.watch() as watcher:
            for teacher in self._plant.learning.values():
                await self._say(context, request.family, teacher.status)
            while not context.cancelled():
                change = await watcher.next()
                if isinstance(change, LearningStatus):
                    await self._say(context, request.family, change)

    @staticmethod
    async def _say(context: Context, family: str, status: LearningStatus) -> None:
        if family in ("", status.family):
            message = convert.learning_status(status)
            await context.write(learning_pb2.WatchLearningResponse(status=message))

    async def ListModels(
        self, request: learning_pb2.ListModelsRequest, context: Context
    ) -> learning_pb2.ListModelsResponse:
        """See learning.proto."""
        del context
        self._plant.teacher(request.family)
        found = await self._plant.store.models(FamilyId(request.family))
        return learning_pb2.ListModelsResponse(models=[convert.model(m) for m in found])

    async def GetModel(
        self, request: learning_pb2.GetModelRequest, context: Context
    ) -> learning_pb2.GetModelResponse:
        """See learning.proto."""
        del context
        record = await self._find(request.model_digest)
        teacher = self._plant.learning[record.family]
        report = {"text": record.text, "metrics": dict(record.metrics)}
        store = self._plant.store
        labels = self._plant.vocabulary.family(record.family).label_names
        kept = await store.validation(record.digest)
        live = await store.live_cases(record.family, record.digest)
        return learning_pb2.GetModelResponse(
            model=convert.model(record),
            manifest_json=await teacher.manifest_json(record.digest),
            report_json=json.dumps(report, sort_keys=True),
            held_out=validation_report(kept, labels) if kept else None,
            live=model_report(live, labels) if live else None,
        )

    async def Promote(
        self, request: learning_pb2.PromoteRequest, context: Context
    ) -> learning_pb2.PromoteResponse:
        """See learning.proto."""
        del context
        actor = actor_of(request.actor)
        once = once_of(request)
        record = await self._find(request.model_digest)
        await self._plant.learning[record.family].promote(record.digest, actor, once)
        return learning_pb2.PromoteResponse(
            model=convert.model(await self._find(record.digest))
        )

    async def Rollback(
        self, request: learning_pb2.RollbackRequest, context: Context
    ) -> learning_pb2.RollbackResponse:
        """See learning.proto."""
        del context
        teacher = self._plant.teacher(request.family)
        await teacher.rollback(actor_of(request.actor), once_of(request))
        serving = await self._plant.store.serving(FamilyId(request.family))
        return learning_pb2.RollbackResponse(
            model=None if serving is None else convert.model(serving)
        )

    async def GetGate(
        self, request: learning_pb2.GetGateRequest, context: Context
    ) -> learning_pb2.GetGateResponse:
        """See learning.proto."""
        del context
        status = self._plant.gate(request.family).status()
        return learning_pb2.GetGateResponse(gate=gate_status(status))

    async def GrantProvisional(
        self, request: learning_pb2.GrantProvisionalRequest, context: Context
    ) -> learning_pb2.GrantProvisionalResponse:
        """See learning.proto."""
        del context
        status = await self._plant.gate(request.family).grant(
            actor_of(request.actor),
            threshold=request.threshold,
            duration=request.duration.ToTimedelta(),
            note=clean_note(request.note),
            once=once_of(request),
        )
        return learning_pb2.GrantProvisionalResponse(gate=gate_status(status))

    async def CloseGate(
        self, request: learning_pb2.CloseGateRequest, context: Context
    ) -> learning_pb2.CloseGateResponse:
        """See learning.proto."""
        del context
        status = await self._plant.gate(request.family).close(
            actor_of(request.actor),
            note=clean_note(request.note),
            once=once_of(request),
        )
        return learning_pb2.CloseGateResponse(gate=gate_status(status))

    async def _find(self, digest: str) -> ModelRecord:
        if len(digest) < SHORTEST_DIGEST:
            raise InputError(
                f"give at least {SHORTEST_DIGEST} characters of the digest.",
                "MISSING_FIELD",
            )
        for family in self._plant.learning:
            for record in await self._plant.store.models(family):
                if record.digest.startswith(digest):
                    return record
        raise NotFoundError(f"there is no model {digest[:16]}.", "UNKNOWN_MODEL")


def _example(term: Example) -> learning_pb2.Example:
    return learning_pb2.Example(
        example_id=term.example_id,
        family=term.family,
        window_id=term.window_id,
        window_digest=Digest(term.window_digest),
        label=term.label,
        person=term.person,
        device=term.device,
        labelled_at=timestamp(term.labelled_at),
        source=term.source.value,
        propensity=term.propensity,
        model_digest=term.model_digest,
        guess=term.guess,
        retracted=term.retracted,
        quarantine=term.quarantine,
    )
