"""A better model waits while the gate would lose by it, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.learning.path import LearningPath
from coordinator.learning.swap.patience import NoGate, waiting
from coordinator.learning.training.trigger import Trigger
from coordinator.store import Store
from coordinator.terms import (
    Digest,
    GateLine,
    LearningPhase,
    ModelRecord,
    ModelState,
    RunId,
)
from tests.builders import NOON, PEG
from tests.coordinator.learning.test_learning_path import ANA, World

WHY = "the serving model is certified"


@dataclass
class ScriptedGate:
    """What the gate tells the learning, set by hand."""

    reason: str = ""
    times: int = 0

    def line(self) -> GateLine:
        return GateLine()

    def stays(self) -> str:
        return self.reason

    def moved(self) -> int:
        return self.times


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock()
    store = await Store.open(None, clock=clock)
    yield World(store, tmp_path / "models", clock, gate=ScriptedGate())
    await store.close()


def gate_of(world: World) -> ScriptedGate:
    assert isinstance(world.gate, ScriptedGate)
    return world.gate


async def one_waits(world: World) -> tuple[LearningPath, Digest]:
    """A first model serves, and a better one waits behind a gate that stays."""
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    first = world.serves()
    gate_of(world).reason = WHY
    await world.answer(20)
    assert await path.learn_if_due()
    assert world.serves() == first
    return path, first


async def test_a_better_model_waits_and_says_why_and_for_whom(world: World) -> None:
    path, first = await one_waits(world)

    assert path.status.phase is LearningPhase.ARMED
    assert path.status.text == (
        f"a better model waits: {WHY}. A person may promote it now."
    )
    assert not await path.learn_if_due()
    assert world.serves() == first


async def test_it_serves_as_soon_as_the_gate_loses_nothing_by_it(world: World) -> None:
    path, first = await one_waits(world)
    gate_of(world).reason = ""

    await path.learn_if_due()

    assert world.serves() not in ("", first)
    assert (await world.recorded())[1] == "policy:auto_promote"


async def test_the_loop_hears_that_the_gate_has_changed(world: World) -> None:
    path, first = await one_waits(world)
    loop = asyncio.create_task(path.run())
    gate_of(world).reason = ""
    path.gate_changed()
    async with asyncio.timeout(60):
        while world.serves() == first:  # noqa: ASYNC110 - the loop has no event for it
            await asyncio.sleep(0.01)

    loop.cancel()
    assert (await world.recorded())[0] == world.serves()


async def test_a_person_does_not_have_to_wait(world: World) -> None:
    path, _ = await one_waits(world)
    newest = (await world.store.models(world.family.family_id))[0]

    await path.promote(newest.digest, ANA)
    gate_of(world).reason = ""
    await path.learn_if_due()

    assert await world.recorded() == (newest.digest, "ana")


async def test_what_waits_is_remembered_over_a_restart(world: World) -> None:
    _, first = await one_waits(world)
    again = world.path()
    await again.resume()
    await again.learn_if_due()
    assert world.serves() == first
    gate_of(world).reason = ""

    await again.learn_if_due()

    assert world.serves() not in ("", first)


async def test_without_the_policy_nothing_is_promoted_after_a_restart(
    world: World,
) -> None:
    _, first = await one_waits(world)
    gate_of(world).reason = ""
    again = world.path(auto_promote=False)
    await again.resume()

    await again.learn_if_due()

    assert world.serves() == first


async def test_what_waits_and_is_damaged_meanwhile_does_not_serve(world: World) -> None:
    path, first = await one_waits(world)
    newest = (await world.store.models(world.family.family_id))[0]
    (world.folder / newest.digest / "extra.pt").write_bytes(b"\x80\x04")
    gate_of(world).reason = ""

    await path.learn_if_due()

    assert world.serves() == first
    assert "The serving model goes on." in path.status.text
    said = path.status
    await path.learn_if_due()
    assert path.status == said


async def test_a_world_that_moved_needs_fewer_answers_once(world: World) -> None:
    world.every_share = 1.0
    path = world.path()
    await world.answer(42)
    await path.learn_if_due()
    await world.answer(20)
    assert not await path.learn_if_due()
    gate_of(world).times += 1

    assert await path.learn_if_due()
    await world.answer(20)
    assert not await path.learn_if_due()


def test_of_the_models_only_the_newest_better_than_the_serving_one_waits() -> None:
    models = [
        ModelRecord(
            digest=Digest(f"m{version}"),
            family=PEG,
            version=version,
            state=state,
            run_id=RunId("run-1"),
            trained_at=NOON,
            training_s=1.0,
            examples=40,
            snapshot_digest=Digest("5"),
            parent=Digest(parent),
            network="features-forest",
        )
        for version, state, parent in (
            (5, ModelState.REFUSED, "a"),
            (4, ModelState.VALIDATED, "b"),
            (3, ModelState.VALIDATED, "a"),
            (2, ModelState.VALIDATED, "a"),
            (1, ModelState.LIVE, ""),
        )
    ]

    assert waiting(models, Digest("a")) == "m3"
    assert waiting(models[3:], Digest("b")) == ""


def test_a_trigger_forgets_the_share_when_the_world_moved() -> None:
    trigger = Trigger(first_after=40, every_answers=20, every_share=0.15, cooldown_ns=0)

    assert trigger.until_training(1_000, 1_000) == 150
    assert trigger.until_training(1_000, 1_000, moved=True) == 20
    assert trigger.until_training(10, 0, moved=True) == 30


def test_without_a_gate_nothing_waits() -> None:
    gate = NoGate()

    assert (gate.stays(), gate.moved(), gate.line()) == ("", 0, GateLine())
