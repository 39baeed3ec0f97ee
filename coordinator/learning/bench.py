"""One training from snapshot to report: training -> validation, in one process.

learning/path.py sees this as one step, a Trainer. In a plant the child process carries
it out (learning/child.py); in a backtest the calling process does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS, Clock
from coordinator.learning.training.dataset import SPLIT, frozen
from coordinator.learning.training.fit import Fitted, Plan, estimate_s, fit
from coordinator.learning.training.inline import InlineTrainer
from coordinator.learning.validation.promote import Bar, HeldOut, judge, judge_first
from coordinator.learning.validation.report import Trial, aligned, cases
from coordinator.model.artifact import read_artifact
from coordinator.model.calibration import probabilities
from coordinator.model.loaded import LoadedModel
from coordinator.seams import Candidate, Progress
from coordinator.terms import Report, Snapshot


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how candidates are made.

    Attributes:
        plan: What and how to train.
        bar: What a candidate must reach.
        folder: Where models live.
        clock: Measures how long it took.
    """

    plan: Plan
    bar: Bar
    folder: Path
    clock: Clock


def make_candidate(
    bench: Bench, snapshot: Snapshot, *, serving: Path | None, progress: Progress
) -> Candidate:
    """Train a candidate and measure it against the serving model.

    Args:
        bench: Where and how.
        snapshot: The examples.
        serving: The serving model's folder: start and opponent.
        progress: Told about every step; may raise to stop.

    Raises:
        TrainingError: too few examples, or the training diverged.
        ArtifactError: the serving model does not verify, or the disk refused.
    """
    clock = bench.clock
    began_ns = clock.monotonic_ns()
    parent = None if serving is None else read_artifact(serving)

    def tick(share: float) -> None:
        left = estimate_s((clock.monotonic_ns() - began_ns) / SECOND_NS, share)
        text = f"learning from {len(snapshot.groups)} examples"
        progress("training", share, left, text)

    fitted = fit(snapshot, bench.plan, bench.folder, parent=parent, tick=tick)
    progress("validating", 0.0, None, "measuring on held-out examples")
    candidate = LoadedModel.load(fitted.path, version=1)
    opponent = None if serving is None else LoadedModel.load(serving, version=1)
    report = validate(snapshot, fitted, candidate, opponent, bench.bar)
    progress("validating", 1.0, 0.0, report.reasons[0])
    return Candidate(
        digest=candidate.digest,
        path=fitted.path,
        report=report,
        training_s=(clock.monotonic_ns() - began_ns) / SECOND_NS,
        network=fitted.network,
    )


def validate(
    snapshot: Snapshot,
    fitted: Fitted,
    candidate: LoadedModel,
    serving: LoadedModel | None,
    bar: Bar,
) -> Report:
    """Measure a fresh candidate, against the serving model where there is one."""
    kept = np.flatnonzero(frozen(snapshot.groups))
    said = _trial(candidate, snapshot, kept)
    own = candidate.manifest.metrics
    if serving is None or not _comparable(serving, snapshot):
        report, said, kept = _first(snapshot, fitted, said, kept, bar)
    else:
        held_out = _held_out(snapshot, kept)
        report = judge(said, _trial(serving, snapshot, kept), held_out, bar)
    return replace(
        report,
        metrics={**own, **report.metrics},
        cases=cases(said, snapshot, kept),
    )


def _comparable(serving: LoadedModel, snapshot: Snapshot) -> bool:
    """Whether the serving model reads these windows and never saw the held-out ones."""
    manifest = serving.manifest
    return (
        tuple(manifest.channels) == snapshot.channel_names
        and manifest.rows == snapshot.samples.shape[1]
        and manifest.split == SPLIT
    )


def _first(
    snapshot: Snapshot, fitted: Fitted, said: Trial, kept: NDArray[np.int64], bar: Bar
) -> tuple[Report, Trial, NDArray[np.int64]]:
    # With a few dozen answers the frozen share alone is too small to prove anything;
    # each training example is judged as well, by the member that never saw it.
    spoken = fitted.out_of_fold
    calibrated = probabilities(spoken.logits, fitted.temperature)
    trial = Trial(
        np.concatenate([said.probabilities, calibrated]),
        np.concatenate([said.novelty, np.zeros(len(calibrated))]),
    )
    rows = np.concatenate([kept, spoken.rows])
    return judge_first(trial, _held_out(snapshot, rows), bar), trial, rows


def _trial(model: LoadedModel, snapshot: Snapshot, rows: NDArray[np.int64]) -> Trial:
    outputs = model.evaluate(snapshot.samples[rows], snapshot.present[rows])
    spoken = aligned(outputs.probabilities, model.labels, snapshot.labels)
    return Trial(spoken, outputs.novelty)


def _held_out(snapshot: Snapshot, rows: NDArray[np.int64]) -> HeldOut:
    return HeldOut(
        truth=snapshot.label_index[rows],
        weights=snapshot.weights[rows],
        labels=snapshot.labels,
        must_never_miss=snapshot.must_never_miss,
    )


def inline_trainer(
    models_dir: Path, *, network: str, threshold: float, clock: Clock
) -> InlineTrainer:
    """Return a trainer that does all this in the calling process."""

    def make(
        snapshot: Snapshot, serving: Path | None, seed: int, progress: Progress
    ) -> Candidate:
        bench = Bench(Plan(network, seed), Bar(threshold), models_dir, clock)
        return make_candidate(bench, snapshot, serving=serving, progress=progress)

    return InlineTrainer(make)
