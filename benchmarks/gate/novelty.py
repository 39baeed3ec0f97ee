"""How many windows are called novel, like the training and unlike it, by tolerance?

    python benchmarks/gate/novelty.py [--recordings DIR] [--twin FILE]

DIR of the recordings is also taken from ANDON_RECORDINGS; FILE is what
benchmarks/gate/twin_cycles.py made. Nothing is trained: what is familiar is learned
from the first windows of each stream; of later ones those beyond the edge are counted
("novel"), and those at which the watch over a cell's last windows asks ("row").
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from recorded import folder, new_operation, new_person, ur3
from twin_cycles import read

from coordinator.live.gate.lately import EDGE, HIGH, HIGHEST
from coordinator.model import novelty

TOLERANCES: Final = (0.0, 0.05, 0.1, 0.15, 0.2)
SEEDS: Final = 2
TRAINED: Final = (40, 140, 300, 1_200)
"""Cycles of the twin from which is learned what is familiar."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Windows in order, what is learned from them, and what is asked about then.

    Attributes:
        name: Of the row.
        samples: float32, shape (windows, T, channels).
        present: bool, shape (windows, channels).
        groups: int64, shape (windows,).
        learned: So many at the beginning are learned from.
        judged: Index of the windows that are judged.
    """

    name: str
    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    groups: NDArray[np.int64]
    learned: int
    judged: NDArray[np.int64]


def shares(stream: Stream) -> tuple[float, float]:
    """Share called novel, and share at which the watch over the last windows asks."""
    samples = torch.from_numpy(stream.samples)
    present = torch.from_numpy(stream.present)
    groups = torch.from_numpy(stream.groups)
    finite = samples.isfinite().flatten(1).all(dim=1)  # spoilt ones are held, not asked
    known = finite.clone()
    known[stream.learned :] = False
    familiar = novelty.fit(samples[known], present[known], groups[known])
    index = torch.from_numpy(stream.judged)
    index = index[finite[index]]
    found = familiar.novelty(samples[index], present[index]).numpy()
    count, high = HIGH, 0
    for value in found:
        count = min(HIGHEST, max(0, count + (-1 if value < EDGE else 1)))
        high += count >= HIGH
    return float((found > 1.0).mean()), high / len(found)


def recorded(recordings: Path) -> Iterator[Stream]:
    """Streams of real robots."""
    trials = [("Franka: person c after a and b", new_person(recordings))]
    trials += [
        (f"lp2 after lp4, seed {seed}", new_operation(recordings, seed))
        for seed in range(SEEDS)
    ]
    day = ur3(recordings)
    trials.append(("UR3: later the same day", day))
    for name, trial in trials:
        windows = trial.streamed.windows
        later = np.arange(trial.warmup, len(windows))
        yield Stream(
            name,
            windows.samples,
            windows.present,
            windows.group_index,
            trial.warmup,
            later,
        )


def simulated(file: Path) -> Iterator[Stream]:
    """Streams of the twin: the next cycles, and the same after the demo's shift."""
    made = read(file)
    count = len(made.labels)
    present = np.ones((count, made.windows.shape[2]), np.bool_)
    groups = np.arange(count, dtype=np.int64)
    shifted = np.arange(made.first_shifted, min(made.first_shifted + 300, count))
    for learned in TRAINED:
        until = learned + max(20, learned * 15 // 100)
        for what, judged in (
            ("the next", np.arange(learned, until)),
            ("after the shift", shifted),
        ):
            name = f"twin, {learned} cycles: {what}"
            yield Stream(name, made.windows, present, groups, learned, judged)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--twin", type=Path)
    chosen = parser.parse_args()
    recordings = folder(chosen.recordings)
    streams = [] if recordings is None else list(recorded(recordings))
    if chosen.twin is not None:
        streams += simulated(chosen.twin)
    if not streams:
        parser.error("give --recordings or --twin: there is nothing to measure")
    print("| novel / row, by tolerance | " + " | ".join(map(str, TOLERANCES)) + " |")
    print("|---" * (len(TOLERANCES) + 1) + "|")
    for stream in streams:
        cells = []
        for tolerance in TOLERANCES:
            novelty.TOLERANCE = tolerance  # type: ignore[misc]  # what is measured
            novel, row = shares(stream)
            cells.append(f"{novel:.0%} / {row:.0%}")
        print(f"| {stream.name} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
