"""A store with labelled windows and a model that learned from the first of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np

from coordinator.clock import ManualClock
from coordinator.insight.why import Question
from coordinator.live.gate.judge import Gate
from coordinator.model.loaded import LoadedModel
from coordinator.store import Store
from coordinator.terms import (
    AuditCoin,
    CellId,
    DecisionId,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    ModelRecord,
    ModelState,
    PersonId,
    RunId,
    SensorWindow,
    WindowKind,
    events,
    window_digest,
)
from tests.coordinator.model_builders import (
    FAMILY,
    make_snapshot,
    make_window,
    samples_of,
    train_model,
)

TAUGHT_AT = datetime(2025, 1, 1, 6, tzinfo=UTC)
TRAINED_AT = datetime(2025, 1, 1, 12, tzinfo=UTC)
TAUGHT = 60


@dataclass
class WhyWorld:
    """The store, the model and its folder; windows are numbered."""

    store: Store
    models: Path
    model: LoadedModel
    number: int = 0

    @classmethod
    async def open(cls, folder: Path, network: str = "features-forest") -> Self:
        store = await Store.open(None, clock=ManualClock(TRAINED_AT))
        path = train_model(
            folder / "models", snapshot=make_snapshot(TAUGHT), network=network
        )
        model = LoadedModel.load(path, version=1)
        await store.commit(events.ModelRegistered(_record(model)))
        world = cls(store, path.parent, model)
        for number in range(TAUGHT):
            # Group names as in make_snapshot: the same rule keeps the same ones back.
            await world.label(
                samples_of(number % 3, number),
                FAMILY.label_names[number % 3],
                labelled_at=TAUGHT_AT,
                group=f"press-1/0-{number}",
            )
        return world

    def window(self, samples: np.ndarray, **changes: object) -> SensorWindow:
        self.number += 1
        return make_window(samples, number=self.number)

    async def label(
        self,
        samples: np.ndarray,
        label: str,
        *,
        labelled_at: datetime = TRAINED_AT + timedelta(hours=1),
        group: str = "",
    ) -> ExampleId:
        """A person says what a new window is."""
        window = self.window(samples)
        example_id = ExampleId(f"x-{self.number}")
        example = Example(
            example_id,
            FAMILY.family_id,
            CellId("press-1"),
            window.window_id,
            window.digest,
            group or f"press-1/{self.number}",
            label,
            PersonId("ana"),
            "panel",
            labelled_at,
            ExampleSource.QUESTION,
            1.0,
            self.model.digest,
            "ok",
        )
        await self.store.commit(events.ExampleAdded(example), window=window)
        return example_id

    def question(
        self,
        samples: np.ndarray,
        *,
        gate: Gate | None = None,
        digest: Digest | None = None,
        usual: np.ndarray | None = None,
    ) -> Question:
        """What the gate decides about a window, with the model's answer."""
        window = self.window(samples)
        (said,) = self.model.predict([window])
        if digest is not None:
            said = replace(said, model_digest=digest)
        verdict = (gate or Gate(1.0))(said, (), FAMILY)
        decided = events.WindowDecided(
            DecisionId(f"d-{self.number}"),
            window.window_id,
            CellId("press-1"),
            FAMILY.family_id,
            1,
            WindowKind.DECISION,
            self.number,
            "insert",
            f"part-{self.number}",
            window_digest(FAMILY.schema_digest, window.samples, window.present),
            verdict,
            AuditCoin(0.0, False),
            Digest("00" * 32),
            0,
        )
        return Question(window, decided, FAMILY, usual)


def _record(model: LoadedModel) -> ModelRecord:
    return ModelRecord(
        digest=model.digest,
        family=FAMILY.family_id,
        version=1,
        state=ModelState.CANDIDATE,
        run_id=RunId("run-1"),
        trained_at=TRAINED_AT,
        training_s=1.0,
        examples=TAUGHT,
        snapshot_digest=Digest("ab" * 32),
        parent=Digest(""),
        network=model.manifest.network,
    )
