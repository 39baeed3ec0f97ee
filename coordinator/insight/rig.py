"""Everything of a coordinator that a backtest needs, put together in one process.

The counterpart of app.py: the same objects, but no task of their own. What happens by
itself there is done here when it is asked for, so that a run can be repeated.
"""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coordinator import software
from coordinator.clock import ManualClock, seconds_to_ns
from coordinator.config import LearningSection
from coordinator.insight.recorded_cell import CELL, PERSON, SESSION, RecordedCell
from coordinator.insight.simulated_person import SimulatedPerson
from coordinator.learning.bench import inline_trainer
from coordinator.learning.correction.accept import accept
from coordinator.learning.path import LearningPath
from coordinator.learning.swap.hot_swap import load_warm
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.gate.desk import FixedDesk, GateDesk
from coordinator.live.gate.judge import Judge
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import GatePlan
from coordinator.live.inference.device import choose
from coordinator.live.inference.worker import InferenceWorker
from coordinator.live.path import LivePath, PathSettings
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.model.slot import ModelSlot
from coordinator.seams import Candidate, CellRow, Progress, Trainer
from coordinator.store import Store
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    CellStatus,
    Digest,
    Example,
    Family,
    GateStatus,
    LearningStatus,
    ModelRecord,
    ModelState,
    OperatorRequest,
    Prediction,
    RunId,
    SensorWindow,
    Snapshot,
    TimeoutOutcome,
    events,
)

PATIENCE_S: Final = 600.0
"""Deadlines of threads, s: a busy machine must not change what comes out."""
YEAR_S: Final = 31_536_000.0
"""Time to answer and length of a claim, s: nobody is late in a backtest."""
MAXIMUM_STEP_S: Final = 60.0
SEEDS_APART: Final = 10_000
"""More trainings than a backtest has, so that no two seeds train alike."""


@dataclass(frozen=True, slots=True)
class RigPlan:
    """The numbers of both paths.

    Attributes:
        first_after: Labels before the first training.
        every_answers: Labels from one training to the next, at least.
        every_share: The same as a share of the labels; whichever is more counts.
        audit_share: Share of the windows also shown to a person, in [0, 1]; a gate that
            proves itself has its own.
        threshold: Confidence from which a candidate is measured as acting alone.
        network: To train, or "auto".
        seed: Of the training and of the audit coin.
        model: Folder of the one model that serves throughout, and nothing is trained;
            None begins without a model and learns.
    """

    first_after: int = 40
    every_answers: int = 50
    every_share: float = 0.0
    audit_share: float = 0.0
    threshold: float = 0.9
    network: str = "auto"
    seed: int = 0
    model: Path | None = None


class SeededTrainer:
    """A trainer whose every training also depends on the seed of the backtest."""

    def __init__(self, trainer: Trainer, seed: int) -> None:
        self._trainer = trainer
        self._first_seed = seed * SEEDS_APART

    async def train(
        self,
        snapshot: Snapshot,
        *,
        serving: Path | None,
        seed: int,
        progress: Progress,
    ) -> Candidate:
        """See seams.Trainer."""
        seed += self._first_seed
        return await self._trainer.train(
            snapshot, serving=serving, seed=seed, progress=progress
        )


class Rig:
    """One cell, one family, both paths. Use it with `async with`.

    Attributes:
        store: In memory, gone at the end.
        cell: Where windows are shown; only inside `async with`.
    """

    store: Store
    cell: RecordedCell

    def __init__(
        self,
        family: Family,
        plan: RigPlan,
        gate: Judge | GatePlan,
        person: SimulatedPerson,
        clock: ManualClock,
    ) -> None:
        """Put it together, not yet open.

        Args:
            family: Channels and labels.
            plan: The numbers.
            gate: One rule for the whole run, or what a gate has to prove first.
            person: Who answers.
            clock: Moved by hand.
        """
        self._family = family
        self._plan = plan
        self._gate = gate
        self._keeper: GateKeeper | None = None
        self._person = person
        self._clock = clock
        self._slot = ModelSlot()
        self._device = choose("cpu")
        self._worker = InferenceWorker(
            {family.family_id: self._slot},
            clock=clock,
            device=self._device,
            deadline_s=PATIENCE_S,
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the store, start the inference, connect and start the cell."""
        async with AsyncExitStack() as opening:
            folder = opening.enter_context(
                tempfile.TemporaryDirectory(prefix="andon-backtest-")
            )
            self.store = await Store.open(
                None, clock=self._clock, commit_deadline_s=PATIENCE_S, claim_s=YEAR_S
            )
            opening.push_async_callback(self.store.close)
            self._worker.start()
            opening.push_async_callback(self._worker.stop)
            if self._plan.model is not None:
                await self._serve_throughout(self._plan.model)
            desk = await self._desk()
            self._learning = self._learning_path(Path(folder))
            await self._connect(desk)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything, in the other order."""
        await self._open.aclose()

    async def learn(self) -> None:
        """Train, validate and promote, if it is due."""
        if self._plan.model is None:
            await self._learning.learn_if_due()

    async def prove(self) -> GateStatus | None:
        """Record what the gate has come to, and say it; None for one fixed rule."""
        if self._keeper is None:
            return None
        self._keeper.tick()
        await self._keeper.catch_up()
        return self._keeper.status()

    async def trainings(self) -> tuple[int, int]:
        """Return how many trainings gave a candidate, and how many of these served."""
        models = await self.store.models(self._family.family_id)
        return len(models), sum(model.live_at is not None for model in models)

    async def _serve_throughout(self, folder: Path) -> None:
        """Let one model serve from the first window on.

        Raises:
            ArtifactError: it does not verify, or reads other windows than these.
        """
        model = load_warm(
            folder,
            version=1,
            expected=Digest(folder.name),
            family=self._family,
            device=self._device.torch_device,
        )
        record = ModelRecord(
            digest=model.digest,
            family=self._family.family_id,
            version=1,
            state=ModelState.CANDIDATE,
            run_id=RunId("given"),
            trained_at=self._clock.utc_now(),
            training_s=0.0,
            examples=model.manifest.examples,
            snapshot_digest=Digest(model.manifest.snapshot),
            parent=NO_DIGEST,
            network=model.manifest.network,
        )
        await self.store.commit(
            events.ModelRegistered(record),
            events.ModelValidated(model.digest, record.family, "given.", {}),
            events.ModelPromoted(model.digest, record.family, NO_DIGEST, PERSON),
        )
        self._slot.replace(model)

    async def _desk(self) -> GateDesk:
        if not isinstance(self._gate, GatePlan):
            return FixedDesk(self._gate, self._plan.audit_share)
        self._keeper = GateKeeper(
            family_now=lambda: self._family,
            plan=self._gate,
            store=self.store,
            clock=self._clock,
            serving=self._serving,
            changed=lambda: None,
        )
        await self._keeper.begin()
        return self._keeper

    def _serving(self) -> Digest:
        return NO_DIGEST if self._slot.model is None else self._slot.model.digest

    def _heard(self, request: OperatorRequest) -> None:
        if self._keeper is not None:
            self._keeper.heard(request)

    async def _connect(self, desk: GateDesk) -> None:
        requests = RequestQueue(
            store=self.store,
            clock=self._clock,
            publish=self._heard,
            family_of=lambda _family_id: self._family,
            make_example=self._make_example,
            times=Times(claim_lease_ns=seconds_to_ns(YEAR_S)),
        )
        self.cell = RecordedCell(
            path=self._live_path(requests, desk),
            requests=requests,
            person=self._person,
            family=self._family,
        )
        opened = events.SessionOpened(
            CELL, SESSION, "recording", "backtest", software.describe()
        )
        await self.store.commit(opened)
        await self.cell.start()

    def _live_path(self, requests: RequestQueue, desk: GateDesk) -> LivePath:
        return LivePath(
            cell=CellRecord(
                CELL,
                self._family.family_id,
                clock=self._clock,
                remembered=CellRow(epoch=SESSION),
                publish=_nobody_watches,
            ),
            family_now=lambda: self._family,
            predict=self._predict,
            gate=desk,
            requests=requests,
            permits=PermitMaker(CELL, maximum_step_ns=seconds_to_ns(MAXIMUM_STEP_S)),
            store=self.store,
            clock=self._clock,
            settings=PathSettings(
                maximum_age_ns=seconds_to_ns(1.0),
                audit_seed=f"backtest {self._plan.seed}",
                time_allowed_ns=seconds_to_ns(YEAR_S),
                audit_allowed_ns=seconds_to_ns(YEAR_S),
                on_timeout=TimeoutOutcome.HOLD,
                autostart=False,
            ),
        )

    def _learning_path(self, models_dir: Path) -> LearningPath:
        trainer = inline_trainer(
            models_dir,
            network=self._plan.network,
            threshold=self._plan.threshold,
            clock=self._clock,
        )
        return LearningPath(
            family_now=lambda: self._family,
            store=self.store,
            trainer=SeededTrainer(trainer, self._plan.seed),
            slot=self._slot,
            device=self._device,
            clock=self._clock,
            settings=LearningSection(
                first_after=self._plan.first_after,
                every_answers=self._plan.every_answers,
                every_share=self._plan.every_share,
                cooldown_s=0.0,
                network=self._plan.network,
            ),
            auto_promote=True,
            models_dir=models_dir,
            publish=_nobody_watches,
            gate=self._keeper,
        )

    async def _predict(self, window: SensorWindow) -> Prediction | None:
        if self._slot.model is None:
            return None
        return await self._worker.predict(window, self._family.family_id)

    def _make_example(
        self, request: OperatorRequest, actor: Actor, label: str
    ) -> Example | None:
        return accept(request, actor, label, clock=self._clock)


def _nobody_watches(_change: CellStatus | OperatorRequest | LearningStatus) -> None:
    """A backtest has no terminal."""
