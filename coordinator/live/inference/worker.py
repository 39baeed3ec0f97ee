"""The thread that owns torch: many cells ask, one batch answers.

Batching is natural: what queued up while the last batch ran is the next batch. Waiting
for more would cost latency when there is time, and is not needed when there is none.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch

from coordinator import log
from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import (
    LiveError,
    ModelFaultError,
    ModelUnavailableError,
    OverloadedError,
)
from coordinator.live.inference.device import Device
from coordinator.model.slot import ModelSlot
from coordinator.seams import Predictor
from coordinator.terms import FamilyId, Prediction, SensorWindow

BATCH: Final = 64
"""Windows of one batch at most."""
QUEUE: Final = 4 * BATCH
"""Windows that may wait; more are refused by name, so that latency stays bounded."""

_log = log.get("inference")


@dataclass(slots=True, eq=False)
class _Asked:
    """One window that waits for its answer."""

    window: SensorWindow
    model: Predictor
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Prediction]


_Answer = Prediction | LiveError


class InferenceWorker:
    """Answers windows with the model that serves their family.

    predict() lives on the event loop; models run on one thread of their own, which this
    object starts and ends. A window is answered by the model that served when it came.
    """

    def __init__(
        self,
        slots: Mapping[FamilyId, ModelSlot],
        *,
        clock: Clock,
        device: Device,
        deadline_s: float = 0.2,
        queue_size: int = QUEUE,
    ) -> None:
        self._slots = slots
        self._clock = clock
        self._device = device
        self._deadline_s = deadline_s
        self._queue_size = queue_size
        self._waiting: deque[_Asked] = deque()
        self._ready = threading.Condition()
        self._running = False
        self._thread: threading.Thread | None = None
        self._busy_since_ns = 0
        self.shed = 0
        """Windows refused because the queue was full."""
        self.late = 0
        """Windows whose deadline passed."""
        self.faults = 0
        """Batches that failed."""
        self.answered = 0
        """Windows that got a prediction."""

    def start(self) -> None:
        """Start the thread; torch computes on one core from here on."""
        # On two cores a second torch thread only steals time from the event loop.
        torch.set_num_threads(1)
        self._running = True
        self._thread = threading.Thread(
            target=self._work, name="inference", daemon=True
        )
        self._thread.start()
        _log.info("inference started", device=self._device.text)

    async def stop(self) -> None:
        """End the thread; windows that still wait get ModelUnavailableError.

        A hung model cannot be ended: the thread is left behind, and dies with the
        process.
        """
        with self._ready:
            self._running = False
            left = list(self._waiting)
            self._waiting.clear()
            self._ready.notify_all()
        for asked in left:
            _refuse(asked.answer, ModelUnavailableError("inference has stopped."))
        thread = self._thread
        if thread is not None:
            await asyncio.to_thread(thread.join, self._deadline_s + 1.0)
            self._thread = None

    def describe(self) -> str:
        """Where models compute, for `doctor` and the journal."""
        return self._device.text

    @property
    def queued(self) -> int:
        """Windows that wait."""
        return len(self._waiting)

    @property
    def hung_s(self) -> float:
        """How long the running batch has been running, in seconds; 0 when none is.

        Much more than the deadline means that the model hangs: only a restart of the
        process helps, and whoever watches this decides it.
        """
        since_ns = self._busy_since_ns
        if since_ns == 0:
            return 0.0
        return (self._clock.monotonic_ns() - since_ns) / SECOND_NS

    async def predict(
        self, window: SensorWindow, family: FamilyId
    ) -> Prediction | None:
        """Predict one window with the model that serves its family.

        Returns:
            The prediction, or None while no model serves and people are asked.

        Raises:
            ModelUnavailableError: the deadline passed, or inference is not running.
            ModelFaultError: the model failed, or its answer is not one.
            OverloadedError: too many windows wait already.
        """
        slot = self._slots.get(family)
        if slot is None:
            raise ModelUnavailableError("this family has no model slot.")
        model = slot.model
        if model is None:
            return None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Prediction] = loop.create_future()
        self._enqueue(_Asked(window, model, loop, answer))
        try:
            async with asyncio.timeout(self._deadline_s):
                return await answer
        except TimeoutError as error:
            self.late += 1
            limit = self._deadline_s
            raise ModelUnavailableError(
                f"the model did not answer within {limit:g} s."
            ) from error

    def _enqueue(self, asked: _Asked) -> None:
        with self._ready:
            if not self._running:
                raise ModelUnavailableError("inference is not running.")
            if len(self._waiting) >= self._queue_size:
                self.shed += 1
                raise OverloadedError(
                    f"{len(self._waiting)} windows wait for the model already."
                )
            self._waiting.append(asked)
            self._ready.notify()

    def _work(self) -> None:
        """Body of the thread."""
        while True:
            with self._ready:
                while self._running and not self._waiting:
                    self._ready.wait()
                if not self._running:
                    return
                batch = self._take()
            # A window whose deadline passed has been held already: not worth computing.
            batch = [asked for asked in batch if not asked.answer.done()]
            if batch:
                self._busy_since_ns = max(self._clock.monotonic_ns(), 1)
                answers = self._compute(batch)
                self._busy_since_ns = 0
                _deliver(batch, answers)

    def _take(self) -> list[_Asked]:
        """Take the longest-waiting windows of one model, at most BATCH."""
        model = self._waiting[0].model
        batch: list[_Asked] = []
        rest: deque[_Asked] = deque()
        while self._waiting:
            asked = self._waiting.popleft()
            mine = asked.model is model and len(batch) < BATCH
            (batch if mine else rest).append(asked)
        self._waiting = rest
        return batch

    def _compute(self, batch: Sequence[_Asked]) -> list[_Answer]:
        """Answer every window of the batch, each with a prediction or a refusal."""
        answers = self._try(batch)
        if len(answers) == 1 and len(batch) > 1:
            # One window can spoil a batch; alone it spoils only its own answer.
            answers = [self._try([asked])[0] for asked in batch]
        self.answered += sum(isinstance(answer, Prediction) for answer in answers)
        return answers

    def _try(self, batch: Sequence[_Asked]) -> list[_Answer]:
        """One answer a window, or one refusal for all of them."""
        model = batch[0].model
        try:
            answers = model.predict([asked.window for asked in batch])
        except LiveError as error:
            self.faults += 1
            _log.error("model failed", model=model.digest, reason=error.text)
            return [error]
        except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError):
            self.faults += 1
            _log.exception("model failed", model=model.digest)
            return [ModelFaultError("the model failed.")]
        if len(answers) != len(batch):
            self.faults += 1
            text = f"{len(batch)} windows got {len(answers)} predictions."
            return [ModelFaultError(text)]
        return [_checked(answer) for answer in answers]


def _checked(answer: Prediction) -> _Answer:
    numbers = (*answer.logits, *answer.probabilities, answer.novelty)
    if len(answer.probabilities) != len(answer.labels) or not answer.labels:
        return ModelFaultError("the model's answer has the wrong shape.")
    if not all(math.isfinite(number) for number in numbers):
        return ModelFaultError("the model's answer is not finite.")
    return answer


def _deliver(batch: Sequence[_Asked], answers: Sequence[_Answer]) -> None:
    """Hand answers to the loops that wait for them, one wake-up a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[int]] = {}
    for i, asked in enumerate(batch):
        by_loop.setdefault(asked.loop, []).append(i)
    for loop, indices in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, batch, answers, indices)
        except RuntimeError:  # the loop closed: nobody waits any more
            _log.warning("answers dropped: their event loop is closed")


def _settle(
    batch: Sequence[_Asked], answers: Sequence[_Answer], indices: Sequence[int]
) -> None:
    for i in indices:
        waiting, answer = batch[i].answer, answers[i]
        if isinstance(answer, LiveError):
            _refuse(waiting, answer)
        elif not waiting.done():
            waiting.set_result(answer)


def _refuse(answer: asyncio.Future[Prediction], error: LiveError) -> None:
    if not answer.done():
        # One error a window: a traceback must not be shared between cells.
        answer.set_exception(type(error)(error.text, error.code))
