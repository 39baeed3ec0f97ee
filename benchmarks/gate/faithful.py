"""Does what is marked really move the model? The deletion test of docs/gate.md.

    python benchmarks/gate/faithful.py DATASET [--windows 60]

DATASET is the folder of an imported dataset. A model of each kind learns from the first
two thirds of the recording. Of windows behind them, parts of channels are taken away
one after the other in the order of their contributions, each replaced by what good
windows show there; what the guessed label loses on average over the first twenty parts
is the number: more is more faithful. Beside it: an order by chance, and by deviation
from the mean, which needs no model.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SystemClock
from coordinator.insight.dataset import open_dataset
from coordinator.insight.windows import LabelledWindows
from coordinator.learning.bench import Bench, make_candidate
from coordinator.learning.training.fit import Plan
from coordinator.learning.validation.promote import Bar
from coordinator.model.attribution import for_label, parts
from coordinator.model.loaded import LoadedModel
from coordinator.terms import Digest, Family, Snapshot

NETWORKS = ("features-forest", "features-mlp", "cnn")
TAKEN = 20
Values = NDArray[np.float64]


def trained(
    windows: LabelledWindows, family: Family, network: str, folder: Path
) -> LoadedModel:
    """A model of the first two thirds."""
    count = len(windows) * 2 // 3
    snapshot = Snapshot(
        family=family.family_id,
        channel_names=tuple(channel.name for channel in family.channels),
        labels=family.label_names,
        must_never_miss=(),
        samples=windows.samples[:count],
        present=windows.present[:count],
        label_index=windows.truth[:count],
        weights=np.ones(count),
        audited=np.zeros(count, np.bool_),
        groups=tuple(str(group) for group in windows.group_index[:count]),
        digest=Digest("00" * 32),
    )
    bench = Bench(Plan(network, 0), Bar(), folder, SystemClock())
    made = make_candidate(bench, snapshot, serving=None, progress=lambda *_: None)
    return LoadedModel.load(made.path, version=1)


def fall(
    model: LoadedModel, window: NDArray[np.float32], order: Values,
    usual: NDArray[np.float32], label: int,
) -> float:  # fmt: skip
    """What the label loses on average over the first parts taken away."""
    rows = parts(len(window))
    scores = np.stack([order[part].sum(axis=0) for part in rows])  # (parts, channels)
    stages, covered = [window], window.copy()
    for place in np.argsort(-scores, axis=None)[:TAKEN]:
        part, channel = np.unravel_index(place, scores.shape)
        covered = covered.copy()
        covered[rows[part], channel] = usual[rows[part], channel]
        stages.append(covered)
    there = np.ones((len(stages), window.shape[1]), np.bool_)
    said = model.evaluate(np.stack(stages), there).probabilities[:, label]
    return float(said[0] - said[1:].mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--windows", type=int, default=60)
    options = parser.parse_args()
    dataset = open_dataset(options.dataset)
    windows, family = dataset.windows(), dataset.family
    first = len(windows) * 2 // 3
    normal = family.label_names.index(family.default_label)
    good = windows.samples[first:][windows.truth[first:] == normal]
    usual = np.median(good, axis=0).astype(np.float32)
    chance = np.random.default_rng(0)
    print("| network | windows | ours | deviation | chance |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for network in NETWORKS:
            model = trained(windows, family, network, Path(folder))
            scale = np.asarray(model.manifest.channel_scale)
            mean = np.asarray(model.manifest.channel_mean)
            all_there = np.flatnonzero(windows.present[first:].all(axis=1)) + first
            outputs = model.evaluate(
                windows.samples[all_there], windows.present[all_there]
            )
            guess = outputs.probabilities.argmax(axis=1)
            chosen = np.flatnonzero(guess != normal)[: options.windows]
            found: dict[str, list[float]] = {"ours": [], "deviation": [], "chance": []}
            for place in chosen:
                window = windows.samples[all_there[place]]
                there = np.ones(window.shape[1], np.bool_)
                label = int(guess[place])
                orders = {
                    "ours": for_label(model, window, there, label).values,
                    "deviation": np.abs(window - mean) / scale,
                    "chance": chance.random(window.shape),
                }
                for name, order in orders.items():
                    found[name].append(fall(model, window, order, usual, label))
            numbers = " | ".join(f"{np.mean(v):.2f}" for v in found.values())
            print(f"| {network} | {len(chosen)} | {numbers} |")


if __name__ == "__main__":
    main()
