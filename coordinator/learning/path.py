"""READ SECOND: correction -> training -> validation -> swap, one loop a family.

    an answer becomes an example       (correction, in the transaction of the answer)
    enough new ones start a training   (training, in a child process)
    the candidate must prove itself    (validation, on examples no model learned from)
    and serves, without a gap          (swap, by a named person or policy)

Everything here may fail, and then the serving model goes on: nothing in this loop can
change what a cell does until a promotion is durable. Times are minutes; the live loop
never waits for anything here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from coordinator import log
from coordinator.clock import Clock, seconds_to_ns
from coordinator.config import LearningSection
from coordinator.errors import (
    AndonError,
    ArtifactError,
    NotFoundError,
    PromotionRefusedError,
    TrainingError,
)
from coordinator.learning.swap.hot_swap import HotSwap
from coordinator.learning.swap.patience import GateNews, NoGate, waiting
from coordinator.learning.swap.record import record_of
from coordinator.learning.telling import Telling
from coordinator.learning.training.dataset import sift, snapshot
from coordinator.learning.training.process import sweep
from coordinator.learning.training.trigger import Trigger, unlearned
from coordinator.live.inference.device import Device
from coordinator.model.slot import ModelSlot
from coordinator.seams import Candidate, Store, Trainer
from coordinator.terms import (
    NO_DIGEST,
    Actor,
    Digest,
    Family,
    IdempotencyKey,
    LearningPhase,
    LearningStatus,
    PersonId,
    RunId,
    Snapshot,
    events,
    new_id,
)

AUTO_PROMOTE: Final = Actor(PersonId("policy:auto_promote"))
LOOK_S: Final = 0.5
"""Time between two looks while a cooldown runs, s."""
RETRY_S: Final = 1.0
"""Time until the store is asked again that could not tell, s."""
AGAIN: Final = "andon tries again."
FAILED: Final = "learning failed here; see andon's log. The serving model goes on."

_log = log.get("learning")


class LearningPath:
    """The learning of one family. Not thread-safe: it lives on the event loop."""

    def __init__(  # noqa: PLR0913 - collaborators, each named at the call
        self,
        *,
        family_now: Callable[[], Family],
        store: Store,
        trainer: Trainer,
        slot: ModelSlot,
        device: Device,
        clock: Clock,
        settings: LearningSection,
        auto_promote: bool,
        models_dir: Path,
        publish: Callable[[LearningStatus], None],
        gate: GateNews | None = None,
    ) -> None:
        self._family_now = family_now
        self._store = store
        self._trainer = trainer
        self._slot = slot
        self._clock = clock
        self._weight_cap = settings.audit_weight_cap
        self._trigger = Trigger(
            first_after=settings.first_after,
            every_answers=settings.every_answers,
            every_share=settings.every_share,
            cooldown_ns=seconds_to_ns(settings.cooldown_s),
        )
        self._auto_promote = auto_promote
        self._models_dir = models_dir
        self._gate = gate or NoGate()
        self._swap = HotSwap(
            family_now=family_now,
            slot=slot,
            store=store,
            device=device.torch_device,
            models_dir=models_dir,
        )
        self._woken = asyncio.Event()
        self._resumed = False
        self._asked_for: tuple[RunId, Actor] | None = None
        self._running: RunId | None = None
        self._taught: tuple[object, ...] | None = None
        self._trained_on = 0
        self._moved = self._gate.moved()
        self._waits = NO_DIGEST
        self._frozen_at = clock.utc_now()
        self._ended_ns: int | None = None
        self._telling = Telling(
            family_now().family_id, slot=slot, gate=self._gate, publish=publish
        )

    # -- for others ------------------------------------------------------------------

    @property
    def status(self) -> LearningStatus:
        """Where the learning stands."""
        return self._telling.status

    def note_example(self) -> None:
        """An example was added or taken back, or a label was added: look again."""
        self._woken.set()

    def gate_changed(self) -> None:
        """On what the gate rests has changed, or how far its evidence is."""
        self._telling.gate_changed()
        if self._waits or self._gate.moved() != self._moved:
            self._woken.set()

    async def request_training(self, actor: Actor) -> RunId:
        """Train as soon as nothing else is training, whatever the trigger says.

        Returns:
            The run; the one that waits or runs already, when there is one.

        Raises:
            TrainingError: there are no examples.
        """
        if self._running is not None:
            return self._running
        tally = await self._store.example_tally(self._family_now().family_id)
        if not tally.usable:
            raise TrainingError("there is nothing to learn from: no examples yet.")
        if self._asked_for is None:
            self._asked_for = (RunId(new_id("run")), actor)
        self._woken.set()
        return self._asked_for[0]

    async def promote(
        self, digest: Digest, actor: Actor, once: IdempotencyKey | None = None
    ) -> None:
        """Let a model serve, by a named person or policy; raises like HotSwap."""
        said = await self._swap.promote(digest, actor, once)
        self._waits = NO_DIGEST
        self._telling.say(LearningPhase.COLLECTING, said)

    async def rollback(self, actor: Actor, once: IdempotencyKey | None = None) -> None:
        """Let the model before serve again; raises like HotSwap."""
        said = await self._swap.roll_back(actor, once)
        self._waits = NO_DIGEST
        self._telling.say(LearningPhase.COLLECTING, said)

    async def manifest_json(self, digest: Digest) -> str:
        """Return what a model says about itself; raises NotFoundError."""
        return await self._swap.manifest_json(digest)

    # -- the loop --------------------------------------------------------------------

    async def run(self) -> None:
        """Learn from what people say, for ever."""
        while not self._resumed:
            try:
                await self.resume()
            except AndonError as error:
                _log.error("not_resumed", code=error.code, text=error.text)
                self._telling.say(LearningPhase.COLLECTING, f"{error.text} {AGAIN}")
                await self._clock.sleep(RETRY_S)
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._promote_waiting()
                while await self._is_due():
                    await self._cool_down()
                    await self.learn()
            except AndonError as error:
                _log.error("examples_unreadable", code=error.code, text=error.text)
                await self._clock.sleep(RETRY_S)
                self._woken.set()

    def fail(self) -> None:
        """Tell that there was a fault in here; what serves goes on."""
        self._telling.say(LearningPhase.COLLECTING, FAILED)

    async def learn_if_due(self) -> bool:
        """Do one round of the loop at once, if it is due; for backtests."""
        await self._promote_waiting()
        due = await self._is_due()
        if due:
            await self.learn()
        return due

    async def resume(self) -> None:
        """Serve again what the store says is serving, verified once more."""
        removed = await asyncio.to_thread(sweep, self._models_dir)
        if removed:
            _log.warning("unfinished_trainings_removed", count=removed)
        known = await self._store.models(self._family_now().family_id)
        self._trained_on = known[0].examples if known else 0
        self._telling.say(LearningPhase.COLLECTING, await self._swap.resume())
        self._waits = (
            waiting(known, self._serving()) if self._auto_promote else NO_DIGEST
        )
        self._resumed = True
        self._woken.set()

    async def learn(self) -> None:
        """Train once, validate, and let the candidate serve if it may."""
        asked_for, self._asked_for = self._asked_for, None
        run_id = asked_for[0] if asked_for else RunId(new_id("run"))
        self._running = run_id
        try:
            frozen = await self._freeze()
            why = f"asked for by {asked_for[1].person}" if asked_for else "examples"
            candidate = await self._train(run_id, frozen, why)
            if candidate is not None:
                await self._decide(run_id, frozen, candidate)
        except AndonError as error:
            # The serving model goes on; the next examples, or a person, try again.
            _log.error("learning_failed", run=run_id, code=error.code, text=error.text)
            self._telling.say(
                LearningPhase.COLLECTING, f"{error.text} The serving model goes on."
            )
        finally:
            self._running = None
            self._ended_ns = self._clock.monotonic_ns()

    # -- the steps -------------------------------------------------------------------

    async def _is_due(self) -> bool:
        """Whether to train; and tell how many answers are missing."""
        family = self._family_now()
        tally = await self._store.example_tally(family.family_id)
        missing = self._trigger.until_training(
            tally.usable, self._trained_on, moved=self._gate.moved() != self._moved
        )
        said = (family.label_names, unlearned(tally.taken_back, self._frozen_at))
        if self._taught is None or self._trained_on == 0:
            self._taught = said
        changed = said != self._taught and tally.usable > 0
        self._telling.count(tally.usable, missing)
        return missing == 0 or changed or self._asked_for is not None

    async def _cool_down(self) -> None:
        """Let a cooldown pass; a person who asks does not wait."""
        while self._asked_for is None and self._trigger.wait_ns(
            self._clock.monotonic_ns(), self._ended_ns
        ):
            await self._clock.sleep(LOOK_S)

    async def _freeze(self) -> Snapshot:
        """Correction: the usable examples of now, conflicts put aside by name."""
        family = self._family_now()
        tally = await self._store.example_tally(family.family_id)
        self._frozen_at = self._clock.utc_now()
        self._moved = self._gate.moved()
        self._taught = (
            family.label_names,
            unlearned(tally.taken_back, self._frozen_at),
        )
        self._trained_on = tally.usable
        usable = await self._store.example_windows(family.family_id)
        kept, conflicts = sift(usable, family)
        if conflicts:
            await self._store.commit(
                *(events.ExampleQuarantined(c.example_id, c.reason) for c in conflicts)
            )
        return snapshot(kept, family, weight_cap=self._weight_cap)

    async def _train(
        self, run_id: RunId, frozen: Snapshot, why: str
    ) -> Candidate | None:
        """Training: a candidate with its report; None when it exists already."""
        family = frozen.family
        parent = self._serving()
        count = len(frozen.groups)
        await self._store.commit(
            events.TrainingStarted(run_id, family, why, count, frozen.digest, parent)
        )
        self._telling.say(LearningPhase.TRAINING, f"learning from {count} examples.")
        try:
            candidate = await self._trainer.train(
                frozen,
                serving=self._models_dir / parent if parent else None,
                seed=await self._next_version(),
                progress=self._telling.progress,
            )
        except TrainingError as error:
            ended = events.TrainingEnded(run_id, family, "failed", error.text)
            await self._store.commit(ended)
            raise
        except asyncio.CancelledError:
            ended = events.TrainingEnded(run_id, family, "cancelled", "andon stops.")
            await asyncio.shield(self._store.commit(ended))
            raise
        known = await self._store.models(family)
        if any(record.digest == candidate.digest for record in known):
            text = "the training gave a model that exists already."
            await self._store.commit(
                events.TrainingEnded(run_id, family, "trained", text, candidate.digest)
            )
            self._telling.say(LearningPhase.COLLECTING, text)
            return None
        return candidate

    async def _decide(
        self, run_id: RunId, frozen: Snapshot, candidate: Candidate
    ) -> None:
        """Validation and swap: what the report says, and who lets it serve."""
        family, report = frozen.family, candidate.report
        version = await self._next_version()
        text = " ".join(report.reasons)
        record = record_of(
            candidate,
            frozen,
            run_id=run_id,
            version=version,
            trained_at=self._clock.utc_now(),
            parent=self._serving(),
        )
        judged: events.ModelValidated | events.ModelRefused
        if report.passed:
            judged = events.ModelValidated(
                record.digest, family, text, report.metrics, report.cases
            )
        else:
            judged = events.ModelRefused(
                record.digest, family, report.reasons, report.metrics, report.cases
            )
        await self._store.commit(
            events.TrainingEnded(run_id, family, "trained", text, record.digest),
            events.ModelRegistered(record),
            judged,
        )
        _log.info("candidate", version=version, passed=report.passed, text=text)
        if not report.passed:
            refused = f"version {version} is refused: {text}"
            self._telling.say(LearningPhase.COLLECTING, refused)
        elif self._auto_promote:
            self._waits = record.digest
            await self._promote_waiting()
        else:
            waits = f"version {version} passed and waits for a person to promote it."
            self._telling.say(LearningPhase.ARMED, waits, progress=1.0)

    async def _promote_waiting(self) -> None:
        """Let the policy's candidate serve, unless the gate loses more by it."""
        if not self._waits:
            return
        if reason := self._gate.stays():
            text = f"a better model waits: {reason}. A person may promote it now."
            self._telling.say(LearningPhase.ARMED, text, progress=1.0)
            return
        try:
            await self.promote(self._waits, AUTO_PROMOTE)
        except (ArtifactError, NotFoundError, PromotionRefusedError) as error:
            self._waits = NO_DIGEST
            _log.error("promotion_failed", code=error.code, text=error.text)
            said = f"{error.text} The serving model goes on."
            self._telling.say(LearningPhase.COLLECTING, said)

    # -- small things ----------------------------------------------------------------

    def _serving(self) -> Digest:
        return NO_DIGEST if self._slot.model is None else self._slot.model.digest

    async def _next_version(self) -> int:
        known = await self._store.models(self._family_now().family_id)
        return 1 + max((record.version for record in known), default=0)
