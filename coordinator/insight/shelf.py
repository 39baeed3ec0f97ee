"""The labelled examples as one model sees them: what is alike, what it was never told.

Everything here blocks and belongs to one thread, the explainer's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.learning.training.dataset import SPLIT, frozen
from coordinator.live.gate.lately import CODE as UNFAMILIAR
from coordinator.live.request.view import MOST_CHOICES, weights_of
from coordinator.model.answer_set import UNKNOWN, Level, answers, depth, level_of
from coordinator.model.attribution import for_label, for_novelty
from coordinator.model.loaded import LoadedModel
from coordinator.terms import (
    Digest,
    Example,
    ExampleId,
    Family,
    ModelRecord,
    SensorWindow,
    Verdict,
    WindowId,
)
from coordinator.terms.why import NOVELTY, ChannelWeight, NearExample

MOST: Final = 2000
"""Examples that are looked at, the newest ones."""
NEAREST: Final = 5
MODELS: Final = 4
"""Models that are kept ready: a family's serving one, and those of open questions."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One example as the model sees it.

    Attributes:
        window_id: Its window.
        window_digest: Its evidence.
        label: What was said.
        place: Where it lies in the feature space, float32, shape (axes,).
        probabilities: What the model says of it, float64, shape (labels,).
        held_out: The model did not learn from it.
    """

    window_id: WindowId
    window_digest: Digest
    label: str
    place: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Plausible:
    """The plausible answers by name, before the cap `whole` of them."""

    labels: tuple[str, ...]
    whole: int
    level: Level


class Shelf:
    """The examples of a family, seen by one model."""

    def __init__(self, model: LoadedModel, trained_at: datetime) -> None:
        self._model = model
        self._trained_at = trained_at
        self._shape = (model.rows, len(model.manifest.channels))
        self._frozen_rule = model.manifest.split == SPLIT
        self.kept: dict[ExampleId, Kept | None] = {}
        """None for an example that this model cannot read."""

    def add(self, read: Sequence[tuple[Example, SensorWindow]]) -> None:
        """Look at some examples."""
        model = self._model
        fitting = [(e, w) for e, w in read if w.samples.shape == self._shape]
        self.kept.update({example.example_id: None for example, _ in read})
        if not fitting:
            return
        samples = np.stack([w.samples for _, w in fitting]).astype(np.float32)
        present = np.stack([w.present for _, w in fitting])
        places = model.places(samples, present)
        said = model.evaluate(samples, present).probabilities
        for i, (example, window) in enumerate(fitting):
            self.kept[example.example_id] = Kept(
                window.window_id,
                window.digest,
                example.label,
                places[i],
                said[i],
                self._is_held_out(example),
            )

    def _is_held_out(self, example: Example) -> bool:
        """Labelled after the training, or of the share that nobody learns from."""
        if example.labelled_at > self._trained_at:
            return True
        return self._frozen_rule and bool(frozen([example.group])[0])

    def weights(
        self, window: SensorWindow, verdict: Verdict, family: Family
    ) -> tuple[str, str, tuple[ChannelWeight, ...]]:
        """What moved the model: about what, found how, and how much each channel."""
        said = verdict.prediction
        if said is None or window.samples.shape != self._shape:
            return "", "", ()
        if verdict.code in {"NOVEL", UNFAMILIAR}:
            about, found = (
                NOVELTY,
                for_novelty(self._model, window.samples, window.present),
            )
        else:
            about, found = (
                said.label,
                for_label(self._model, window.samples, window.present, said.first),
            )
        names = [channel.name for channel in family.channels]
        return about, found.method.value, weights_of(found.values, names)

    def nearest(
        self, window: SensorWindow, usable: frozenset[ExampleId]
    ) -> tuple[NearExample, ...]:
        """The most alike examples, the nearest first; not the window itself."""
        others = [
            (example_id, kept)
            for example_id, kept in self.kept.items()
            if kept is not None
            and example_id in usable
            and kept.window_digest != window.digest
        ]
        if not others or window.samples.shape != self._shape:
            return ()
        here = self._model.places(window.samples[None], window.present[None])[0]
        places = np.stack([kept.place for _, kept in others])  # (N, axes)
        distance = np.linalg.norm(places - here, axis=1)  # (N,)
        order = np.argsort(distance, kind="stable")[:NEAREST]
        return tuple(
            NearExample(
                others[i][0],
                others[i][1].window_id,
                others[i][1].label,
                float(distance[i]),
            )
            for i in order
        )

    def plausible(
        self, verdict: Verdict, family: Family, usable: frozenset[ExampleId]
    ) -> Plausible:
        """The plausible answers, at most MOST_CHOICES."""
        level = self._level(usable)
        said = verdict.prediction
        if said is None:
            return Plausible((), 0, level)
        known = [i for i, name in enumerate(said.labels) if family.label(name)]
        chances = np.asarray(said.probabilities, np.float64)[known]
        if not known or not np.isfinite(chances).all():
            return Plausible((), 0, level)
        found = answers(chances, level, MOST_CHOICES)
        labels = tuple(said.labels[known[column]] for column in found.columns)
        return Plausible(labels, found.whole, level)

    def _level(self, usable: frozenset[ExampleId]) -> Level:
        """On the examples that the model never learned from."""
        kept = [
            (example_id, one)
            for example_id, one in self.kept.items()
            if one is not None and example_id in usable
        ]
        # The same evidence, learned from under another id, is not held out.
        learned = {one.window_digest for _, one in kept if not one.held_out}
        held_out = [
            one for _, one in kept if one.held_out and one.window_digest not in learned
        ]
        if not held_out:
            return level_of(np.zeros(0))
        labels = list(self._model.labels)
        truth = [
            labels.index(one.label) if one.label in labels else UNKNOWN
            for one in held_out
        ]
        said = np.stack([one.probabilities for one in held_out])
        return level_of(depth(said, truth))


class Shelves:
    """One shelf a model, the last used ones.

    unknown() is called from elsewhere: it only looks up.
    """

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._shelves: OrderedDict[Digest, Shelf] = OrderedDict()

    def unknown(self, model: Digest, usable: Sequence[ExampleId]) -> list[ExampleId]:
        """Which of these examples the shelf of a model does not hold yet."""
        shelf = self._shelves.get(model)
        return [one for one in usable if shelf is None or one not in shelf.kept]

    def add(
        self, record: ModelRecord, read: Sequence[tuple[Example, SensorWindow]]
    ) -> None:
        """Put examples on the shelf of a model; raises like shelf()."""
        self.shelf(record).add(read)

    def shelf(self, record: ModelRecord) -> Shelf:
        """Return the shelf of a model.

        Raises:
            ArtifactError: its artifact is not there, or does not verify.
        """
        shelf = self._shelves.get(record.digest)
        if shelf is None:
            model = LoadedModel.load(
                self._models_dir / record.digest,
                version=record.version,
                expected=record.digest,
            )
            shelf = self._shelves[record.digest] = Shelf(model, record.trained_at)
        self._shelves.move_to_end(record.digest)
        while len(self._shelves) > MODELS:
            self._shelves.popitem(last=False)
        return shelf
