"""A question on the wire carries why it was asked: a real model, a real store."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from andon.v1 import operator_pb2 as o
from coordinator.live.request.queue import RequestQueue
from coordinator.model.loaded import LoadedModel
from coordinator.terms import (
    CellId,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    ModelRecord,
    ModelState,
    PersonId,
    Prediction,
    RunId,
    Snapshot,
    events,
)
from tests.builders import FAMILY, NOON, PEG, make_samples, make_window
from tests.coordinator.model_builders import train_model
from tests.coordinator.service.service_world import ServiceWorld, actor, refused

pytestmark = pytest.mark.slow
LABELS = FAMILY.label_names
TAUGHT = 40


def samples_of(label: str, seed: int) -> np.ndarray:
    samples = make_samples(seed=seed)
    if label == "misaligned":
        samples[4:12, 2] = FAMILY.channels[2].maximum * 0.98  # force_z
    return samples


def taught(number: int) -> str:
    return ("ok", "misaligned")[number % 2]


@pytest.fixture
async def model(world: ServiceWorld, tmp_path: Path) -> LoadedModel:
    """A forest that tells ok from misaligned, registered, with its examples."""
    samples = [samples_of(taught(n), n) for n in range(TAUGHT)]
    snapshot = Snapshot(
        family=PEG,
        channel_names=tuple(c.name for c in FAMILY.channels),
        labels=LABELS,
        must_never_miss=(),
        samples=np.stack(samples),
        present=np.ones((TAUGHT, len(FAMILY.channels)), np.bool_),
        label_index=np.array([LABELS.index(taught(n)) for n in range(TAUGHT)]),
        weights=np.ones(TAUGHT),
        audited=np.zeros(TAUGHT, np.bool_),
        groups=tuple(f"press-1/{n}" for n in range(TAUGHT)),
        digest=Digest("ab" * 32),
    )
    path = train_model(
        tmp_path / "models", snapshot=snapshot, network="features-forest"
    )
    found = LoadedModel.load(path, version=1)
    record = ModelRecord(
        digest=found.digest,
        family=PEG,
        version=1,
        state=ModelState.CANDIDATE,
        run_id=RunId("run-1"),
        trained_at=NOON,
        training_s=1.0,
        examples=TAUGHT,
        snapshot_digest=snapshot.digest,
        parent=Digest(""),
        network="features-forest",
    )
    await world.real.commit(events.ModelRegistered(record))
    for number in range(TAUGHT):
        window = make_window(samples=samples[number])
        example = Example(
            ExampleId(f"x-{number}"),
            PEG,
            CellId("press-1"),
            window.window_id,
            window.digest,
            f"press-1/{number}",
            taught(number),
            PersonId("ana"),
            "panel-1",
            NOON - timedelta(hours=1),
            ExampleSource.QUESTION,
            1.0,
            Digest(""),
            "",
        )
        await world.real.commit(events.ExampleAdded(example), window=window)
    world.plant.explainer._patience_s = 60.0  # no test depends on a machine's speed
    return found


async def ask(world: ServiceWorld, model: LoadedModel) -> str:
    """A window that the model doubts, offered by a node; the question's id."""
    node = await world.working()
    samples = samples_of("misaligned", 99)
    window = make_window(samples=samples)
    (said,) = model.predict([window])
    world.prediction = Prediction(
        said.model_digest, said.labels, said.logits, said.probabilities, 0.4
    )
    if said.confidence >= 0.9:  # doubtful, whatever the forest says
        place = said.first
        doubt = [0.4 / (len(LABELS) - 1)] * len(LABELS)
        doubt[place] = 0.6
        world.prediction = Prediction(
            said.model_digest, said.labels, said.logits, tuple(doubt), 0.4
        )
    await node.offer(
        node.window(samples=samples.tobytes(), window_digest=window.digest)
    )
    outcome = await node.heard("window_outcome")
    return str(outcome.request_id)


async def look(world: ServiceWorld, request_id: str, who: str = "ana"):
    return await world.operators.GetRequest(
        o.GetRequestRequest(request_id=request_id, actor=actor(who))
    )


async def answer(world: ServiceWorld, request_id: str, view: str) -> None:
    claimed = await world.operators.Claim(
        o.ClaimRequest(
            request_id=request_id, actor=actor(), idempotency_key=f"claim {view}"
        )
    )
    await world.operators.Answer(
        o.AnswerRequest(
            request_id=request_id,
            actor=actor(),
            claim_epoch=claimed.claim_epoch,
            idempotency_key=f"answer {view}",
            view_digest=view,
            label="misaligned",
        )
    )


async def test_a_question_says_what_moved_the_model_and_what_is_alike(world, model):
    got = await look(world, await ask(world, model))

    assert got.why.about == "misaligned"
    assert got.why.method == "occlusion"
    assert not got.why.lacks
    top = got.weights[0]
    assert top.channel == "force_z"
    assert len(top.rows) == 16
    assert top.first_row <= 9
    assert top.last_row >= 6
    assert max(top.rows) == 1.0
    assert got.nearest[0].label == "misaligned"
    assert len(got.nearest[0].window.samples) == 16 * 4 * 4
    assert [bool(near.window.samples) for near in got.nearest[:3]] == [
        True,
        True,
        False,
    ]
    assert got.verdict.code == "LOW_CONFIDENCE"
    assert got.verdict.measured < got.verdict.limit == 0.9
    assert got.choices[0].label == "misaligned"


async def test_nobody_learns_from_the_nearest_examples_who_labelled_them(world, model):
    got = await look(world, await ask(world, model))

    assert b"ana" not in b"".join(near.SerializeToString() for near in got.nearest)


async def test_an_answer_to_what_was_shown_is_taken_and_on_record(world, model):
    request_id = await ask(world, model)
    got = await look(world, request_id)
    again = await look(world, request_id, "bo")

    await answer(world, request_id, got.view_digest)

    assert again.view_digest == got.view_digest
    (explained,) = await world.journal(events.RequestExplained)
    assert explained.request_id == request_id
    assert explained.why.weights[0].channel == "force_z"
    (answered,) = await world.journal(events.RequestAnswered)
    assert answered.view_digest == got.view_digest


async def test_after_a_restart_an_answer_still_fits_what_was_shown(world, model):
    request_id = await ask(world, model)
    got = await look(world, request_id)
    requests: RequestQueue = world.plant.requests
    requests.views._shown.clear()  # what a new process knows

    late = await refused(answer(world, request_id, got.view_digest))
    await requests.load()
    await answer(world, request_id, got.view_digest)

    assert [late.token] == ["VIEW_CHANGED"]


async def test_without_its_model_a_question_is_shown_and_says_what_is_missing(world):
    _, summary = await world.asked()

    got = await look(world, summary.request_id)
    await answer(world, summary.request_id, got.view_digest)

    assert got.why.lacks
    assert got.why.method == "deviation"
    assert not got.nearest
    assert got.choices
    assert await world.journal(events.RequestAnswered)
