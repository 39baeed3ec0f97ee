"""The inference thread: every window gets one answer, and a late one is no answer."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from coordinator.clock import SystemClock
from coordinator.errors import (
    ConfigError,
    ModelFaultError,
    ModelUnavailableError,
    OverloadedError,
)
from coordinator.live.inference import device
from coordinator.live.inference.device import choose
from coordinator.live.inference.worker import BATCH, InferenceWorker
from coordinator.model.slot import ModelSlot
from coordinator.terms import Digest, FamilyId, Prediction, SensorWindow
from tests.coordinator.model_builders import FAMILY, make_window

PEG = FAMILY.family_id
SOME = Digest("ab" * 32)


@dataclass
class FakeModel:
    """Answers with the window's number as novelty; waits while `gate` is closed."""

    version: int = 1
    digest: Digest = SOME
    batches: list[int] = field(default_factory=list)
    probability: float = 0.9
    error: Exception | None = None
    spoilt: int = -1
    short: bool = False

    def __post_init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def predict(self, windows: Sequence[SensorWindow]) -> list[Prediction]:
        self.entered.set()
        self.gate.wait(10)
        self.batches.append(len(windows))
        if self.error is not None:
            raise self.error
        if any(window.seq == self.spoilt for window in windows):
            raise ModelFaultError("the model's answer is not finite.")
        answers = [
            Prediction(
                self.digest,
                ("slip", "ok"),
                (0.0, 1.0),
                (1.0 - self.probability, self.probability),
                float(window.seq),
            )
            for window in windows
        ]
        return answers[:-1] if self.short else answers


def window(number: int) -> SensorWindow:
    return make_window(np.zeros((4, 3), np.float32), number=number)


async def ask(worker: InferenceWorker, number: int) -> Prediction:
    """One window's prediction."""
    answer = await worker.predict(window(number), PEG)
    assert answer is not None
    return answer


@dataclass
class Bench:
    worker: InferenceWorker
    slot: ModelSlot
    model: FakeModel


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    slot, model = ModelSlot(), FakeModel()
    slot.replace(model)
    worker = InferenceWorker(
        {PEG: slot}, clock=SystemClock(), device=choose("cpu"), deadline_s=5.0
    )
    worker.start()
    yield Bench(worker, slot, model)
    model.gate.set()
    await worker.stop()


async def test_every_window_gets_its_own_answer(bench: Bench) -> None:
    answers = await asyncio.gather(*(ask(bench.worker, i) for i in range(100)))

    assert [answer.novelty for answer in answers] == [i + 1 for i in range(100)]
    assert bench.worker.answered == 100


async def test_what_queues_up_while_a_batch_runs_is_the_next_batch(
    bench: Bench,
) -> None:
    bench.model.gate.clear()
    first = asyncio.create_task(ask(bench.worker, 0))
    await asyncio.to_thread(bench.model.entered.wait, 5)
    rest = [asyncio.create_task(ask(bench.worker, i)) for i in range(1, 81)]
    await asyncio.sleep(0)
    bench.model.gate.set()
    await asyncio.gather(first, *rest)

    assert bench.model.batches == [1, BATCH, 80 - BATCH]


async def test_without_a_model_there_is_no_prediction_and_no_fault(
    bench: Bench,
) -> None:
    bench.slot.restore(None)

    assert await bench.worker.predict(window(0), PEG) is None
    with pytest.raises(ModelUnavailableError):
        await bench.worker.predict(window(0), FamilyId("other"))


async def test_a_window_is_answered_by_the_model_that_served_when_it_came(
    bench: Bench,
) -> None:
    bench.model.gate.clear()
    busy = asyncio.create_task(ask(bench.worker, 0))
    await asyncio.to_thread(bench.model.entered.wait, 5)
    old = asyncio.create_task(ask(bench.worker, 1))
    await asyncio.sleep(0)
    bench.slot.replace(FakeModel(digest=Digest("cd" * 32)))
    new = asyncio.create_task(ask(bench.worker, 2))
    await asyncio.sleep(0)
    bench.model.gate.set()
    await busy

    assert (await old).model_digest == "ab" * 32
    assert (await new).model_digest == "cd" * 32


async def test_a_late_answer_is_no_answer_and_the_next_window_is_fine() -> None:
    slot, model = ModelSlot(), FakeModel()
    slot.replace(model)
    worker = InferenceWorker(
        {PEG: slot}, clock=SystemClock(), device=choose("cpu"), deadline_s=0.05
    )
    worker.start()
    model.gate.clear()

    with pytest.raises(ModelUnavailableError, match=r"within 0\.05 s"):
        await ask(worker, 0)

    assert worker.late == 1
    assert worker.hung_s > 0.0
    model.gate.set()
    worker._deadline_s = 30.0  # how long the next one takes is the machine's affair
    assert (await ask(worker, 1)).novelty == 2.0
    assert worker.hung_s == 0.0
    await worker.stop()


async def test_too_many_windows_are_refused_by_name() -> None:
    slot, model = ModelSlot(), FakeModel()
    slot.replace(model)
    worker = InferenceWorker(
        {PEG: slot},
        clock=SystemClock(),
        device=choose("cpu"),
        deadline_s=5.0,
        queue_size=2,
    )
    worker.start()
    model.gate.clear()
    running = asyncio.create_task(ask(worker, 0))
    await asyncio.to_thread(model.entered.wait, 5)
    waiting = [asyncio.create_task(ask(worker, i)) for i in (1, 2)]
    await asyncio.sleep(0)

    with pytest.raises(OverloadedError):
        await ask(worker, 3)

    assert worker.shed == 1
    assert worker.queued == 2
    model.gate.set()
    await asyncio.gather(running, *waiting)
    await worker.stop()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"error": RuntimeError("CUDA error")}, id="raises"),
        pytest.param({"probability": float("nan")}, id="nan"),
        pytest.param({"probability": float("inf")}, id="infinite"),
        pytest.param({"short": True}, id="wrong-count"),
    ],
)
async def test_nonsense_from_a_model_is_a_fault(
    bench: Bench, spoil: dict[str, object]
) -> None:
    for name, value in spoil.items():
        setattr(bench.model, name, value)

    with pytest.raises(ModelFaultError):
        await ask(bench.worker, 0)


async def test_one_bad_window_does_not_spoil_its_neighbours(bench: Bench) -> None:
    bench.model.spoilt = 2
    bench.model.gate.clear()
    busy = asyncio.create_task(ask(bench.worker, 8))
    await asyncio.to_thread(bench.model.entered.wait, 5)
    together = [asyncio.create_task(ask(bench.worker, i)) for i in range(4)]
    await asyncio.sleep(0)
    bench.model.gate.set()
    await busy
    answers = await asyncio.gather(*together, return_exceptions=True)

    assert isinstance(answers[1], ModelFaultError)
    assert [a.novelty for a in answers if isinstance(a, Prediction)] == [1.0, 3.0, 4.0]


async def test_stopping_answers_everybody_who_waits(bench: Bench) -> None:
    bench.model.gate.clear()
    running = asyncio.create_task(ask(bench.worker, 0))
    await asyncio.to_thread(bench.model.entered.wait, 5)
    waiting = asyncio.create_task(ask(bench.worker, 1))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(bench.worker.stop())
    await asyncio.sleep(0)
    bench.model.gate.set()
    await stopping

    assert (await running).novelty == 1.0
    with pytest.raises(ModelUnavailableError):
        await waiting
    with pytest.raises(ModelUnavailableError):
        await ask(bench.worker, 2)


def test_auto_says_why_it_computes_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_cuda_problem", lambda: "a CUDA kernel failed: x")

    chosen = choose("auto")

    assert chosen.torch_device.type == "cpu"
    assert "a CUDA kernel failed" in chosen.text
    with pytest.raises(ConfigError):
        choose("cuda")
