"""Studies of the models behind the gate, as docs/gate.md tells them.

    python benchmarks/gate/models.py PART... [--recordings DIR]

calibration  What brings a model's probabilities nearest to the truth. On UR3 a model is
             trained after every 50 labels of the stream, with two seeds, and scored on
             the 150 windows after them.
promotion    What the rule of promotion costs on UR3: the gate on a word from 0.9 on,
             five seeds, with the rule and with every candidate serving.
networks     Networks on three presses of the twin: 600 cycles are learned from, the
             rest is scored.

DIR of the recordings is also taken from ANDON_RECORDINGS. Each part takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from outcomes import andon
from recorded import folder, ur3
from scipy.special import softmax

from coordinator import log
from coordinator.insight.backtest import BacktestPlan, Streamed
from coordinator.insight.windows import LabelledWindows
from coordinator.learning import bench
from coordinator.learning.training.fit import RECIPES, Fitted, Plan, fit
from coordinator.learning.validation.metrics import aurc, ece, losses
from coordinator.model.artifact import read_artifact
from coordinator.model.calibration import fit_calibration, fit_temperature
from coordinator.model.loaded import LoadedModel
from coordinator.terms import Digest, Family, FamilyId, Snapshot
from ros_nodes.twin.dataset import CHANNELS, cycles

FIRST, EVERY, AHEAD, SEEDS = 98, 50, 150, 2
PRESSES: Final = ("press-1", "press-2", "press-3")
LEARNED, SCORED = 200, 200
"""Cycles of each press; those with a reading that is no number are left out."""
STEPS: Final = 400
NETWORKS: Final = ("features-forest", "tcn", "cnn", "tcn+attention")
Values = NDArray[np.float64]
Calibrator = Callable[[Values, NDArray[np.int64]], Callable[[Values], Values]]
"""From out-of-fold logits and truths to a map from logits to probabilities."""


def trained(snapshot: Snapshot, plan: Plan, where: Path) -> Fitted:
    """A training without a parent."""
    return fit(snapshot, plan, where, parent=None, tick=lambda _share: None)


def snapshot_of(family: Family, windows: LabelledWindows, count: int) -> Snapshot:
    """The first windows of a stream, all labelled by people."""
    return _snapshot(
        family.family_id,
        tuple(channel.name for channel in family.channels),
        family.label_names,
        (windows.samples[:count], windows.present[:count], windows.truth[:count]),
        tuple(f"{group}" for group in windows.group_index[:count]),
    )


def _snapshot(
    family_id: FamilyId,
    channels: tuple[str, ...],
    labels: tuple[str, ...],
    said: tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]],
    groups: tuple[str, ...],
) -> Snapshot:
    samples, present, label_index = said
    return Snapshot(
        family=family_id,
        channel_names=channels,
        labels=labels,
        must_never_miss=(),
        samples=samples,
        present=present,
        label_index=label_index,
        weights=np.ones(len(label_index)),
        audited=np.zeros(len(label_index), np.bool_),
        groups=groups,
        digest=Digest("00" * 32),
    )


# -- calibration ---------------------------------------------------------------------


def untouched(_logits: Values, _truth: NDArray[np.int64]) -> Callable[[Values], Values]:
    """What the trees said."""
    return lambda logits: np.asarray(softmax(logits, axis=1))


def temperature(logits: Values, truth: NDArray[np.int64]) -> Callable[[Values], Values]:
    """One temperature."""
    heat = fit_temperature(logits, truth, np.ones(len(truth)))
    return lambda new: np.asarray(softmax(new / heat, axis=1))


def biased(logits: Values, truth: NDArray[np.int64]) -> Callable[[Values], Values]:
    """One temperature and a bias for each label: what is in use."""
    found = fit_calibration(logits, truth, np.ones(len(truth)))
    return lambda new: np.asarray(
        softmax((new + found.bias) / found.temperature, axis=1)
    )


def isotonic(logits: Values, truth: NDArray[np.int64]) -> Callable[[Values], Values]:
    """A rising step function for each label, and their sum made 1."""
    from sklearn.isotonic import IsotonicRegression

    shares, labels = np.asarray(softmax(logits, axis=1)), logits.shape[1]
    maps = [
        IsotonicRegression(y_min=1e-3, y_max=1 - 1e-3, out_of_bounds="clip").fit(
            shares[:, label], truth == label
        )
        for label in range(labels)
    ]

    def use(new: Values) -> Values:
        said = np.asarray(softmax(new, axis=1))
        found = np.stack([maps[i].predict(said[:, i]) for i in range(labels)], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    return use


def beta(logits: Values, truth: NDArray[np.int64]) -> Callable[[Values], Values]:
    """A beta calibration for each label, and their sum made 1."""
    from sklearn.linear_model import LogisticRegression

    def inputs(logits: Values, label: int) -> Values:
        said = np.clip(softmax(logits, axis=1)[:, label], 1e-4, 1 - 1e-4)
        return np.stack([np.log(said), -np.log(1 - said)], axis=1)

    labels = logits.shape[1]
    maps = [
        LogisticRegression().fit(inputs(logits, label), truth == label)
        for label in range(labels)
    ]

    def use(new: Values) -> Values:
        found = np.stack(
            [maps[i].predict_proba(inputs(new, i))[:, 1] for i in range(labels)], axis=1
        )
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    return use


CALIBRATORS: Final[dict[str, Calibrator]] = {
    "as the trees said": untouched,
    "a temperature": temperature,
    "**a temperature and biases**": biased,
    "isotonic, label by label": isotonic,
    "beta, label by label": beta,
}


def calibration(recordings: Path) -> None:
    """Print the table of calibrations."""
    streamed = ur3(recordings).streamed
    windows = streamed.windows
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CALIBRATORS}
    sure: list[tuple[float, bool]] = []
    for seed in range(SEEDS):
        for count in range(FIRST, len(windows) - AHEAD, EVERY):
            chances = _after(streamed, count, seed)
            truth = windows.truth[count : count + AHEAD]
            for name, said in chances.items():
                right = said.argmax(axis=1) == truth
                ranked = aurc(said.max(axis=1), right)
                found[name].append((float(losses(said, truth).mean()), ranked))
            used = chances["**a temperature and biases**"]
            right = used.argmax(axis=1) == truth
            sure += list(zip(used.max(axis=1).tolist(), right.tolist(), strict=True))
    trainings = len(found["a temperature"])
    print(f"\n| {trainings} trainings | log loss | AURC |\n|---|---|---|")
    for name, pairs in found.items():
        loss, ranked = np.mean(pairs, axis=0)
        print(f"| {name} | {loss:.3f} | {ranked:.4f} |")
    above = [pair for pair in sure if pair[0] > 0.8]
    says, is_right = np.mean(above, axis=0)
    print(f"\nabove 0.8: says {says:.1%}, is right in {is_right:.1%} of {len(above)}")


def _after(streamed: Streamed, count: int, seed: int) -> dict[str, Values]:
    """What each calibration makes of the windows after the first ones."""
    family, windows = streamed.family, streamed.windows
    snapshot = snapshot_of(family, windows, count)
    with tempfile.TemporaryDirectory() as home:
        fitted = trained(snapshot, Plan(seed=seed * 10_000 + count), Path(home))
        model = LoadedModel.load(fitted.path, version=1)
        bias = read_artifact(fitted.path).tensors["calibration.bias"].numpy()
    ahead = slice(count, count + AHEAD)
    new = model.evaluate(windows.samples[ahead], windows.present[ahead]).logits - bias
    known = fitted.out_of_fold.logits - bias
    truth = snapshot.label_index[fitted.out_of_fold.rows]
    return {name: make(known, truth)(new) for name, make in CALIBRATORS.items()}


# -- promotion -----------------------------------------------------------------------


def promotion(recordings: Path) -> None:
    """Print what the rule refuses, and what it costs."""
    trial, real = ur3(recordings), bench.judge

    def let_all_pass(*given: Any) -> Any:
        return replace(real(*given), passed=True)

    print("\n| | candidates | serve | decided alone | wrong | AURC |")
    print("|---" * 6 + "|")
    for name, rule in (("with the rule", real), ("all serve", let_all_pass)):
        bench.judge = rule  # what is measured
        rows = []
        for seed in range(5):
            plan = BacktestPlan("gate", trial.warmup, seed=seed, threshold=0.9)
            outcome, done = andon(trial, plan)
            numbers = outcome.numbers()
            scores = done.scores
            rows.append(
                (
                    scores.retrains,
                    scores.promotions,
                    numbers["automated"],
                    numbers["wrong"],
                    numbers["aurc"],
                )
            )
        made, served, alone, wrong, ranked = np.mean(np.array(rows, float), axis=0)
        print(
            f"| {name} | {made:.1f} | {served:.1f} | {alone:.1%} | {wrong:.1f} "
            f"| {ranked:.3f} |",
            flush=True,
        )
    bench.judge = real


# -- networks ------------------------------------------------------------------------


def networks(_recordings: Path) -> None:
    """Print the table of networks."""
    known, asked = _presses(0, LEARNED), _presses(LEARNED, SCORED)
    labels = tuple(sorted({*known[1], *asked[1]}))
    snapshot = _snapshot(
        FamilyId("peg"),
        tuple(f"c{i}" for i in range(CHANNELS)),
        labels,
        (
            known[0],
            np.ones((len(known[0]), CHANNELS), np.bool_),
            np.array([labels.index(label) for label in known[1]], np.int64),
        ),
        known[2],
    )
    truth = np.array([labels.index(label) for label in asked[1]])
    print(f"\n{len(known[1])} cycles learned from, {len(truth)} scored\n")
    print("| network | right | AURC | calibration error | above 0.9 | wrong | CPU, s |")
    print("|---" * 7 + "|")
    recipes = {
        name: replace(recipe, steps=STEPS) if name in NETWORKS else recipe
        for name, recipe in RECIPES.items()
    }
    for name in NETWORKS:
        began_s = time.process_time()
        with tempfile.TemporaryDirectory() as home:
            fitted = trained(snapshot, Plan(name, recipes=recipes), Path(home))
            took_s = time.process_time() - began_s
            model = LoadedModel.load(fitted.path, version=1)
        there = np.ones((len(truth), CHANNELS), np.bool_)
        said = model.evaluate(asked[0], there).probabilities
        right, sure = said.argmax(axis=1) == truth, said.max(axis=1)
        alone = sure >= 0.9
        print(
            f"| `{name}` | {right.mean():.1%} | {aurc(sure, right):.3f} | "
            f"{ece(sure, right):.3f} | {alone.mean():.0%} | "
            f"{(~right[alone]).mean():.1%} | {took_s:.0f} |",
            flush=True,
        )


def _presses(
    first: int, count: int
) -> tuple[NDArray[np.float32], tuple[str, ...], tuple[str, ...]]:
    """Windows, labels and groups of all presses; what a sensor spoilt is left out."""
    samples, labels, groups = [], [], []
    for press in PRESSES:
        made = cycles(0, press, count, first=first)
        whole = np.flatnonzero(np.isfinite(made.windows).all(axis=(1, 2)))
        samples.append(made.windows[whole])
        labels += [made.labels[i] for i in whole]
        groups += [f"{press} {first + i}" for i in whole]
    return np.concatenate(samples), tuple(labels), tuple(groups)


PARTS: Final[dict[str, Callable[[Path], None]]] = {
    "calibration": calibration,
    "promotion": promotion,
    "networks": networks,
}


def main() -> int:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=tuple(PARTS))
    parser.add_argument("--recordings", type=Path)
    given = parser.parse_args()
    recordings = folder(given.recordings)
    if recordings is None and set(given.parts) != {"networks"}:
        parser.error("no recordings: name their folder with --recordings")
    log.configure(level="ERROR")
    for part in given.parts:
        PARTS[part](recordings or Path())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
