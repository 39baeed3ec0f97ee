"""The learning loop: answers in, better model out, and nothing lost when it fails."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from coordinator.clock import ManualClock
from coordinator.config import LearningSection
from coordinator.errors import (
    ArtifactError,
    PromotionRefusedError,
    StoreLateError,
    TrainingError,
)
from coordinator.learning.bench import make_candidate
from coordinator.learning.path import LearningPath
from coordinator.learning.swap.patience import GateNews
from coordinator.live.inference.device import choose
from coordinator.model.slot import ModelSlot
from coordinator.seams import Candidate, Progress
from coordinator.store import Store
from coordinator.terms import (
    Action,
    Actor,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    Family,
    GateState,
    IdempotencyKey,
    Label,
    LearningPhase,
    LearningStatus,
    ModelState,
    PersonId,
    Snapshot,
    events,
)
from tests.coordinator.model_builders import (
    FAMILY,
    make_bench,
    make_window,
    samples_of,
)
from tests.still_disk import StillDisk

ANA = Actor(PersonId("ana"))


@dataclass
class QuickTrainer:
    """The real training with few steps; `fails` and `refuses` make it misbehave."""

    folder: Path
    fails: bool = False
    refuses: bool = False
    runs: list[Snapshot] = field(default_factory=list)

    async def train(
        self, snapshot: Snapshot, *, serving: Path | None, seed: int, progress: Progress
    ) -> Candidate:
        self.runs.append(snapshot)
        if self.fails:
            raise TrainingError("the training ended without a model (exit -9).")
        found = make_candidate(
            make_bench(self.folder, seed=seed),
            snapshot,
            serving=serving,
            progress=progress,
        )
        if self.refuses:
            report = replace(found.report, passed=False, reasons=("It is worse.",))
            return replace(found, report=report)
        return found


@dataclass
class World:
    """One family's learning on a store in memory."""

    store: Store
    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    slot: ModelSlot = field(default_factory=ModelSlot)
    family: Family = FAMILY
    said: list[LearningStatus] = field(default_factory=list)
    answers: int = 0
    gate: GateNews | None = None
    every_share: float = 0.0

    def __post_init__(self) -> None:
        self.trainer = QuickTrainer(self.folder)

    def path(self, *, auto_promote: bool = True) -> LearningPath:
        return LearningPath(
            family_now=lambda: self.family,
            store=self.store,
            trainer=self.trainer,
            slot=self.slot,
            device=choose("cpu"),
            clock=self.clock,
            settings=LearningSection(
                first_after=40,
                every_answers=20,
                every_share=self.every_share,
                cooldown_s=0.0,
            ),
            auto_promote=auto_promote,
            models_dir=self.folder,
            publish=self.said.append,
            gate=self.gate,
        )

    async def answer(self, count: int, *, label: str = "", same: bool = False) -> None:
        for _ in range(count):
            number = self.answers
            truth = number % 3
            window = make_window(
                samples_of(truth, 0 if same else number), number=number
            )
            example = Example(
                example_id=ExampleId(f"e-{number}"),
                family=FAMILY.family_id,
                cell_id=window.cell_id,
                window_id=window.window_id,
                window_digest=window.digest,
                group=f"press-1/{number}",
                label=label or FAMILY.label_names[truth],
                person=ANA.person,
                device="panel-1",
                labelled_at=self.clock.utc_now(),
                source=ExampleSource.QUESTION,
                propensity=1.0,
                model_digest=Digest(""),
                guess="",
            )
            await self.store.commit(events.ExampleAdded(example), window=window)
            self.answers += 1

    def serves(self) -> Digest:
        """The model in the slot; "" for none."""
        model = self.slot.model
        return Digest("") if model is None else model.digest

    async def recorded(self) -> tuple[Digest, str]:
        """The serving model on record and who promoted it; "" for none."""
        record = await self.store.serving(FAMILY.family_id)
        return (
            (Digest(""), "") if record is None else (record.digest, record.promoted_by)
        )

    async def kinds(self) -> list[str]:
        return [e.kind for e in await self.store.entries(0, 1000)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock()
    store = await Store.open(None, clock=clock)
    yield World(store, tmp_path / "models", clock)
    await store.close()


async def test_nothing_is_trained_before_there_are_enough_answers(world: World) -> None:
    path = world.path()
    await world.answer(39)

    assert not await path.learn_if_due()
    assert path.status.until_training == 1
    assert world.slot.model is None


async def test_answers_become_a_model_that_serves(world: World) -> None:
    path = world.path()
    await world.answer(42)

    assert await path.learn_if_due()

    serving = await world.store.serving(FAMILY.family_id)
    assert world.slot.model is not None
    assert serving is not None
    assert serving.digest == world.slot.model.digest == path.status.model_digest
    assert serving.promoted_by == "policy:auto_promote"
    assert (await world.kinds())[-4:] == [
        "TrainingEnded",
        "ModelRegistered",
        "ModelValidated",
        "ModelPromoted",
    ]
    phases = [status.phase for status in world.said]
    assert LearningPhase.TRAINING in phases
    assert LearningPhase.VALIDATING in phases


async def test_without_the_policy_a_model_waits_for_a_person(world: World) -> None:
    path = world.path(auto_promote=False)
    await world.answer(42)
    await path.learn_if_due()

    assert world.serves() == ""
    assert path.status.phase is LearningPhase.ARMED

    waiting = (await world.store.models(FAMILY.family_id))[0]
    await path.promote(waiting.digest, ANA)

    assert world.serves() == waiting.digest
    assert await world.recorded() == (waiting.digest, "ana")


async def test_a_refused_candidate_leaves_the_serving_model_where_it_is(
    world: World,
) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    before = world.slot.model
    world.trainer.refuses = True
    await world.answer(20)

    assert await path.learn_if_due()

    newest = (await world.store.models(FAMILY.family_id))[0]
    assert world.slot.model is before
    assert newest.state is ModelState.REFUSED
    assert "It is worse." in path.status.text
    with pytest.raises(PromotionRefusedError):
        await path.promote(newest.digest, ANA)


async def test_a_failed_training_keeps_the_serving_model_and_says_so(
    world: World,
) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    before = world.slot.model
    world.trainer.fails = True
    await world.answer(20)

    await path.learn_if_due()

    ended = (await world.store.entries(0, 1000))[-1]
    assert world.slot.model is before
    assert "exit -9" in path.status.text
    assert "serving model goes on" in path.status.text
    assert ended.kind == "TrainingEnded"
    assert '"failed"' in ended.payload_json
    assert not await path.learn_if_due()


async def test_a_person_can_ask_for_a_training(world: World) -> None:
    path = world.path()
    await world.answer(30)
    run = await path.request_training(ANA)

    assert await path.request_training(ANA) == run
    assert await path.learn_if_due()
    assert (await world.store.models(FAMILY.family_id))[0].run_id == run


async def test_there_is_no_training_without_examples(world: World) -> None:
    with pytest.raises(TrainingError, match="nothing to learn from"):
        await world.path().request_training(ANA)


async def test_contradicting_answers_are_put_aside_by_name(world: World) -> None:
    path = world.path()
    await world.answer(42)
    truth = world.answers % 3
    await world.answer(1, same=True)
    world.answers -= 1
    twin = make_window(samples_of(truth, 0), number=900)
    said = (await world.store.examples(FAMILY.family_id))[-1]
    other = next(x for x in FAMILY.label_names if x != said.label)
    against = replace(
        said,
        example_id=ExampleId("e-against"),
        window_id=twin.window_id,
        label=other,
        person=PersonId("ben"),
    )
    await world.store.commit(events.ExampleAdded(against), window=twin)

    await path.learn_if_due()

    put_aside = [
        e for e in await world.store.examples(FAMILY.family_id) if e.quarantine
    ]
    assert {e.example_id for e in put_aside} >= {said.example_id, against.example_id}
    assert any("ben" in e.quarantine for e in put_aside)
    assert len(world.trainer.runs[0].groups) <= 42


async def test_a_new_label_starts_a_training(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    new = Label("scratch", Action.REJECT)
    world.family = replace(FAMILY, labels=(*FAMILY.labels[:2], new, FAMILY.labels[2]))

    assert await path.learn_if_due()
    assert not await path.learn_if_due()
    assert world.trainer.runs[-1].labels == ("collision", "slip", "scratch", "ok")


async def test_a_label_taken_back_starts_a_training_without_it(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    await world.store.commit(events.ExampleRetracted(ExampleId("e-7"), ANA))

    assert await path.learn_if_due()
    assert "press-1/7" not in world.trainer.runs[-1].groups


async def test_after_a_restart_the_promoted_model_serves_again(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    digest = path.status.model_digest
    world.slot = ModelSlot()

    again = world.path()
    await again.resume()

    assert world.slot.model is not None
    assert world.slot.model.digest == digest
    assert "serves again" in again.status.text
    assert not await again.learn_if_due()


async def test_a_damaged_model_does_not_serve_after_a_restart(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    weights = world.folder / path.status.model_digest / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    world.slot = ModelSlot()

    again = world.path()
    await again.resume()

    assert world.slot.model is None
    assert "does not verify" in again.status.text
    assert again.status.gate.state is GateState.ASK_ALL


async def test_a_damaged_candidate_is_not_promoted(world: World) -> None:
    path = world.path(auto_promote=False)
    await world.answer(42)
    await path.learn_if_due()
    candidate = (await world.store.models(FAMILY.family_id))[0]
    (world.folder / candidate.digest / "extra.pt").write_bytes(b"\x80\x04")

    with pytest.raises(ArtifactError):
        await path.promote(candidate.digest, ANA)

    assert world.slot.model is None
    assert await world.store.serving(FAMILY.family_id) is None


async def test_rolling_back_serves_the_model_before_then_nobody(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    first = world.serves()
    await world.answer(20)
    await path.learn_if_due()
    assert world.serves() != first

    await path.rollback(ANA)

    assert world.serves() == first
    assert (await world.recorded())[0] == first

    await path.rollback(ANA)

    assert world.serves() == ""
    assert (await world.recorded())[0] == ""
    with pytest.raises(PromotionRefusedError):
        await path.rollback(ANA)


async def test_a_repeated_roll_back_goes_back_once(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    first = world.serves()
    await world.answer(20)
    await path.learn_if_due()
    once = IdempotencyKey(ANA.person, "k-1", Digest("f" * 64))

    await path.rollback(ANA, once)
    await path.rollback(ANA, once)

    assert world.serves() == first


async def test_the_swap_leaves_no_window_without_a_model(world: World) -> None:
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    await world.answer(20)
    seen = []
    stop = False

    async def watch() -> None:
        while not stop:
            seen.append(world.slot.model)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await path.learn_if_due()
    stop = True
    await watching

    assert None not in seen
    assert len({id(model) for model in seen}) <= 2


async def test_the_loop_trains_when_it_is_woken(world: World) -> None:
    path = world.path()
    running = asyncio.create_task(path.run())
    await world.answer(42)
    path.note_example()
    async with asyncio.timeout(30):
        while world.slot.model is None:  # noqa: ASYNC110 - the loop has no event
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    model = world.slot.model
    right = [
        model.predict([make_window(samples_of(label, 5000 + i))])[0].label
        == FAMILY.label_names[label]
        for i in range(10)
        for label in range(3)
    ]
    assert np.mean(right) > 0.8


async def test_a_model_promoted_late_serves_before_a_restart_and_after(world: World):
    path = world.path(auto_promote=False)
    await world.answer(42)
    await path.learn_if_due()
    (candidate, *_) = await world.store.models(FAMILY.family_id)

    with StillDisk(world.store), pytest.raises(StoreLateError):
        await path.promote(candidate.digest, ANA)
    await world.store.commit(events.CoordinatorStopped("a later commit"))
    serving = await world.store.serving(FAMILY.family_id)
    now = world.slot.model
    world.slot = ModelSlot()
    await world.path().resume()

    assert serving is not None
    assert now is not None
    assert world.slot.model is not None
    assert serving.digest == now.digest == world.slot.model.digest
