"""Why the gate asked: from a real store, with a real artifact, and never in the way."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coordinator.insight.why import Explainer
from coordinator.live.gate.judge import Gate
from coordinator.terms import Actor, Digest, PersonId, events
from tests.coordinator.insight.why_world import WhyWorld
from tests.coordinator.model_builders import FAMILY, samples_of

pytestmark = pytest.mark.slow

PATIENT_S = 60.0
"""Of a test: no machine is so slow."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WhyWorld]:
    opened = await WhyWorld.open(tmp_path)
    yield opened
    await opened.store.close()


@pytest.fixture
async def explainer(world: WhyWorld) -> AsyncIterator[Explainer]:
    made = Explainer(world.store, world.models, patience_s=PATIENT_S)
    yield made
    await made.close()


async def test_the_channel_that_moved_the_guess_comes_first(world, explainer) -> None:
    why = await explainer.why(world.question(samples_of(0, 901)))

    assert (why.about, why.method) == ("collision", "occlusion")
    assert why.weights[0].channel == "force"
    assert sum(w.weight for w in why.weights) == pytest.approx(1.0)
    assert max(why.weights[0].rows) == 1.0
    assert why.lacks == ()


async def test_the_nearest_example_is_mostly_of_the_same_kind(world, explainer) -> None:
    found = []
    for seed in range(920, 932):
        why = await explainer.why(world.question(samples_of(1, seed)))
        found.append(why.nearest[0].label)
        distances = [near.distance for near in why.nearest]
        assert distances == sorted(distances)
        window = await world.store.window(why.nearest[0].window_id)
        assert window.samples.shape == (24, 3)

    assert found.count("slip") >= 9


async def test_the_window_itself_is_not_its_own_neighbour(world, explainer) -> None:
    samples = samples_of(2, 903)
    example_id = await world.label(samples, "ok")

    why = await explainer.why(world.question(samples))

    assert example_id not in [near.example_id for near in why.nearest]
    assert why.nearest[0].distance > 0.0


async def test_nothing_is_ruled_out_before_there_are_enough_held_out_answers(
    world, explainer
) -> None:
    why = await explainer.why(world.question(samples_of(2, 904)))

    assert 0 < why.held_out < why.needed == 19  # those that no model learns from
    assert set(why.plausible) == set(FAMILY.label_names)


async def test_answers_after_the_training_make_the_set_small(world, explainer) -> None:
    for number in range(30):
        label = number % 3
        await world.label(samples_of(label, 2000 + number), FAMILY.label_names[label])

    why = await explainer.why(world.question(samples_of(2, 905)))

    assert why.held_out > 30
    assert why.coverage == 0.95
    assert why.plausible[0] == "ok"
    assert why.whole == len(why.plausible) < 3


async def test_a_new_answer_is_known_at_the_next_question(world, explainer) -> None:
    await explainer.why(world.question(samples_of(2, 906)))
    samples = samples_of(2, 907)
    example_id = await world.label(samples + np.float32(0.001), "slip")

    why = await explainer.why(world.question(samples))

    assert (why.nearest[0].example_id, why.nearest[0].label) == (example_id, "slip")


async def test_a_label_that_was_taken_back_is_no_neighbour(world, explainer) -> None:
    samples = samples_of(2, 908)
    example_id = await world.label(samples + np.float32(0.001), "slip")
    question = world.question(samples)
    assert (await explainer.why(question)).nearest[0].example_id == example_id
    taken_back = events.ExampleRetracted(example_id, Actor(PersonId("ana")), "")
    await world.store.commit(taken_back)

    why = await explainer.why(world.question(samples + np.float32(0.002)))

    assert example_id not in [near.example_id for near in why.nearest]


async def test_what_is_new_is_explained_as_new(world, explainer) -> None:
    samples = samples_of(2, 909)
    samples[:, 2] += 60.0

    why = await explainer.why(world.question(samples, gate=Gate(0.9)))

    assert why.about == "novelty"
    assert why.weights[0].channel == "grip"


async def test_the_same_decision_is_explained_in_the_same_words(
    world, explainer
) -> None:
    question = world.question(samples_of(0, 910))

    first = await explainer.why(question)
    await world.label(samples_of(0, 911), "collision")
    second = await explainer.why(question)

    assert second.digest == first.digest


async def test_without_a_model_only_the_deviation_is_told(world, explainer) -> None:
    question = world.question(samples_of(0, 912))
    verdict = replace(question.decided.verdict, prediction=None)
    bare = replace(question, decided=replace(question.decided, verdict=verdict))

    why = await explainer.why(bare)

    assert (why.about, why.method, why.plausible) == ("", "deviation", ())
    assert why.weights[0].channel == "force"


async def test_a_model_that_is_gone_is_said_and_the_question_is_shown(
    world, explainer
) -> None:
    why = await explainer.why(
        world.question(samples_of(0, 913), digest=Digest("f" * 64))
    )

    assert why.weights  # how far it is from usual windows needs no model
    assert why.lacks[0].startswith("What moved the model could not be found out")


async def test_an_artifact_that_was_changed_is_not_believed(world, explainer) -> None:
    weights = world.models / world.model.digest / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")

    why = await explainer.why(world.question(samples_of(0, 914)))

    assert "does not match the manifest" in why.lacks[0]


async def test_a_person_waits_no_longer_than_the_patience(world) -> None:
    explainer = Explainer(world.store, world.models, patience_s=0.05)
    gate = threading.Event()
    explainer._thread.submit(gate.wait)  # its thread is busy with something else
    question = world.question(samples_of(0, 915))

    late = await explainer.why(question)
    gate.set()
    explainer._patience_s = PATIENT_S
    in_time = await explainer.why(question)
    await explainer.close()

    assert late.about == ""
    assert late.lacks[0].endswith("Look again in a moment.")
    assert in_time.about == "collision"
