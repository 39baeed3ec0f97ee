"""Makes a long stream of the twin's cycles, once: the file other benchmarks read.

    python benchmarks/gate/twin_cycles.py FOLDER [--cycles 20000] [--after-shift 800]

Every cycle comes from its seed, its cell and its number alone, so the stream is the
same however many processes make it. The last cycles are made under the demo's shift
(heavier parts, a dry fixture), which nobody tells the coordinator.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from ros_nodes.twin.cell import Shift
from ros_nodes.twin.dataset import cycles

CELL: Final = "press-1"
ROWS: Final = 128
SHIFT: Final = Shift(payload_kg=1.25, friction=0.4)
"""The demo's: simulated_cell_node has the same."""
PIECE: Final = 200
"""Cycles made in one go."""


@dataclass(frozen=True, slots=True, eq=False)
class TwinCycles:
    """A stream of cycles in order.

    Attributes:
        windows: float32, shape (cycles, rows, channels).
        labels: What an honest person calls each cycle.
        first_shifted: Index of the first cycle under the shift.
    """

    windows: NDArray[np.float32]
    labels: tuple[str, ...]
    first_shifted: int


def read(file: Path) -> TwinCycles:
    """Read a stream that make() wrote."""
    with safe_open(file, framework="numpy") as kept:
        said = kept.metadata()
        windows = kept.get_tensor("windows")
    return TwinCycles(
        windows, tuple(said["labels"].split()), int(said["first_shifted"])
    )


def make(folder: Path, seed: int, count: int, shifted: int) -> Path:
    """Make the stream if it is not there yet; return its file."""
    file = folder / f"twin-seed{seed}-{count}-{shifted}.safetensors"
    if file.is_file():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [
        (seed, first, min(PIECE, end - first), shift)
        for begin, end, shift in (
            (0, count, Shift.none()),
            (count, count + shifted, SHIFT),
        )
        for first in range(begin, end, PIECE)
    ]
    windows: dict[int, NDArray[np.float32]] = {}
    labels: dict[int, tuple[str, ...]] = {}
    began_s = time.monotonic()
    with ProcessPoolExecutor() as workers:
        for done in as_completed([workers.submit(_piece, *piece) for piece in pieces]):
            first, samples, said = done.result()
            windows[first], labels[first] = samples, said
            made = sum(len(piece) for piece in labels.values())
            left_s = (time.monotonic() - began_s) * (count + shifted - made) / made
            print(
                f"\r{made} of {count + shifted} cycles, {left_s / 60:.0f} min left ",
                end="",
                flush=True,
            )
    print()
    order = sorted(windows)
    part = file.with_suffix(".part")
    save_file(
        {"windows": np.concatenate([windows[first] for first in order])},
        part,
        metadata={
            "labels": " ".join(label for first in order for label in labels[first]),
            "first_shifted": str(count),
        },
    )
    part.rename(file)
    return file


def _piece(
    seed: int, first: int, count: int, shift: Shift
) -> tuple[int, NDArray[np.float32], tuple[str, ...]]:
    made = cycles(seed, CELL, count, rows=ROWS, first=first, shift=shift)
    return first, made.windows, made.labels


def main() -> int:
    """Make the stream and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cycles", type=int, default=20_000)
    parser.add_argument("--after-shift", type=int, default=800)
    chosen = parser.parse_args()
    made = make(chosen.folder, chosen.seed, chosen.cycles, chosen.after_shift)
    print(f"{made.name}: {len(read(made).labels)} cycles")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
