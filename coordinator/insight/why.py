"""Why the gate asked: computed when a person looks, never in the path of a permit.

A thread of its own has its own copy of the model, so that the one that owns torch for
the cells is never waited for. A look that takes too long, or fails, leaves the question
as it is and says so; what it was about to find is there at the next look.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from coordinator import log
from coordinator.errors import AndonError, NotFoundError
from coordinator.insight.shelf import MOST, Shelves
from coordinator.live.request.view import channel_weights
from coordinator.terms import (
    DecisionId,
    Example,
    ExampleId,
    Family,
    FamilyId,
    ModelRecord,
    SensorWindow,
    events,
)
from coordinator.terms.why import Why

PATIENCE_S: Final = 1.5
"""Longest wait of a person for the reason, s; the question is shown without it then."""
REMEMBERED: Final = 256
"""Decisions whose reasons are kept, the newest ones."""
READ_AT_ONCE: Final = 100
"""Examples read from the store at a time."""
LATE: Final = "What moved the model takes too long to find out. Look again in a moment."

_log = log.get("why")
T = TypeVar("T")


class Examples(Protocol):
    """What is read of a store."""

    async def models(self, family: FamilyId) -> Sequence[ModelRecord]:
        """Return every model of a family, newest first."""

    async def usable_examples(
        self, family: FamilyId, limit: int
    ) -> Sequence[ExampleId]:
        """Return the newest usable examples of a family, oldest first."""

    async def examples_named(
        self, ids: Sequence[ExampleId]
    ) -> Sequence[tuple[Example, SensorWindow]]:
        """Return these examples with their windows, oldest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is to be explained.

    Attributes:
        window: The evidence.
        decided: What the gate said of it.
        family: With every label known now.
        usual: Mean and standard deviation of windows with the default label, shape
            (2, samples, channels); None while there are too few of them.
    """

    window: SensorWindow
    decided: events.WindowDecided
    family: Family
    usual: NDArray[np.float32] | None = None


class Explainer:
    """Explains decisions. Lives on the event loop; the work is done on its thread."""

    def __init__(
        self, store: Examples, models_dir: Path, *, patience_s: float = PATIENCE_S
    ) -> None:
        """Begin with nothing explained.

        Args:
            store: For the examples.
            models_dir: Where artifacts are, each in a folder of its digest.
            patience_s: Longest wait of one look, s.
        """
        self._store = store
        self._patience_s = patience_s
        self._shelves = Shelves(models_dir)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="why")
        self._known: OrderedDict[DecisionId, Why] = OrderedDict()
        self._under_way: dict[DecisionId, asyncio.Task[Why]] = {}

    async def close(self) -> None:
        """End whatever is under way; nobody waits for it any more."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def why(self, question: Question) -> Why:
        """Return why the gate asked; the same again for the same decision.

        Never raises for what goes wrong on the way: the question must be shown.
        """
        decision_id = question.decided.decision_id
        known = self._known.get(decision_id)
        if known is not None:
            return known
        if question.decided.verdict.prediction is None:
            return self._keep(decision_id, plain(question))
        task = self._under_way.get(decision_id)
        if task is None:
            task = asyncio.create_task(self._find(question), name=f"why:{decision_id}")
            self._under_way[decision_id] = task
        await asyncio.wait({task}, timeout=self._patience_s)
        if not task.done():
            _log.warning("why_is_late", decision=decision_id)
            return plain(question, LATE)
        self._under_way.pop(decision_id, None)
        failure = task.exception()
        if failure is None:
            return self._keep(decision_id, task.result())
        # Whatever it was, it is no reason not to show the question.
        _log.warning("why_failed", decision=decision_id, text=str(failure)[:200])
        return self._keep(decision_id, plain(question, _cannot(failure)))

    async def _find(self, question: Question) -> Why:
        """Read what is new, and let the thread look."""
        prediction = question.decided.verdict.prediction
        if prediction is None:
            return plain(question)
        digest, family_id = prediction.model_digest, question.family.family_id
        models = await self._store.models(family_id)
        record = next((model for model in models if model.digest == digest), None)
        if record is None:
            raise NotFoundError(f"model {digest[:12]} is not on record.")
        usable = await self._store.usable_examples(family_id, MOST)
        unknown = self._shelves.unknown(digest, usable)
        for start in range(0, len(unknown), READ_AT_ONCE):
            some = unknown[start : start + READ_AT_ONCE]
            read = await self._store.examples_named(some)
            await self._on_thread(self._shelves.add, record, read)
        known = frozenset(usable)
        return await self._on_thread(self._look, question, record, known)

    async def _on_thread(self, work: Callable[..., T], *facts: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *facts)

    def _look(
        self, question: Question, record: ModelRecord, usable: frozenset[ExampleId]
    ) -> Why:
        """On the thread: what moved the model, what is alike, what is plausible."""
        shelf = self._shelves.shelf(record)
        window, verdict = question.window, question.decided.verdict
        about, method, weights = shelf.weights(window, verdict, question.family)
        plausible = shelf.plausible(verdict, question.family, usable)
        level = plausible.level
        return Why(
            about=about,
            method=method,
            weights=weights,
            nearest=shelf.nearest(window, usable),
            plausible=plausible.labels,
            whole=plausible.whole,
            coverage=level.coverage,
            held_out=level.held_out,
            needed=level.needed,
        )

    def _keep(self, decision_id: DecisionId, why: Why) -> Why:
        self._known[decision_id] = why
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return why


def plain(question: Question, *lacks: str) -> Why:
    """What can be said without the model: how far the window is from usual ones."""
    weights = channel_weights(question.window, question.usual, question.family)
    return replace(Why(weights=weights), lacks=tuple(lacks))


def _cannot(failure: BaseException) -> str:
    text = failure.text if isinstance(failure, AndonError) else "andon failed here."
    return f"What moved the model could not be found out: {text}"
