"""Whether one operator who flips labels can move the model (failsafe: label poisoning).

    python -m benchmarks.flipping_operator STREAM [--cycles 900] [--people 5]

STREAM is a file of `benchmarks/gate/twin_cycles.py`. The first half of the cycles is
labelled by honest people in equal parts and gives the model that serves. The second
half is labelled by the same people, but one of them says "ok" of every misaligned
window, or of 30 % of them. The candidate is trained and validated against the serving
model exactly as in a plant; then both are measured on cycles nobody labelled. Either
the candidate is refused, or its error is less than one point above that of a candidate
from honest labels.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate.twin_cycles import TwinCycles, read
from coordinator.clock import SystemClock
from coordinator.config import load, template
from coordinator.learning.bench import Bench, make_candidate
from coordinator.learning.training.dataset import sift, snapshot
from coordinator.learning.training.fit import Plan
from coordinator.learning.validation.promote import Bar
from coordinator.model.loaded import LoadedModel
from coordinator.terms import (
    NO_DIGEST,
    CellId,
    Example,
    ExampleId,
    ExampleSource,
    Family,
    PersonId,
    SensorWindow,
    WindowId,
    WindowKind,
    window_digest,
)

FLIPPED = {"misaligned": "ok"}
Labelled = list[tuple[Example, SensorWindow]]


def family() -> Family:
    """The twin's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "andon.toml"
        file.write_text(template())
        return next(iter(load(file).family_terms().values()))


def labelled(  # noqa: PLR0913 - one play, told in full
    cycles: TwinCycles,
    kind: Family,
    rows: range,
    people: int,
    share: float,
    rng: np.random.Generator,
    model: LoadedModel | None = None,
) -> Labelled:
    """What people say of cycles; person 0 flips a share of one class."""
    found = []
    guesses = first_guesses(model, cycles, rows) if model else [""] * len(rows)
    clock = SystemClock()
    for i, guess in zip(rows, guesses, strict=True):
        samples, present = cycles.windows[i], np.ones(len(kind.channels), np.bool_)
        who, said = f"person-{i % people}", cycles.labels[i]
        if i % people == 0 and rng.random() < share:
            said = FLIPPED.get(said, said)
        digest = window_digest(kind.schema_digest, samples, present)
        window = SensorWindow(
            WindowId(f"w-{i}"), CellId("press-1"), WindowKind.DECISION, 1, i, i,
            "insert", f"part-{i}", 0, 10_000_000, samples, present, digest, 0, 0,
            clock.utc_now(),
        )  # fmt: skip
        example = Example(
            ExampleId(f"e-{i}"), kind.family_id, window.cell_id, window.window_id,
            digest, f"press-1/{i}", said, PersonId(who), "desk", clock.utc_now(),
            ExampleSource.TEACH, 1.0, NO_DIGEST, guess,
        )  # fmt: skip
        found.append((example, window))
    return found


def first_guesses(model: LoadedModel, cycles: TwinCycles, rows: range) -> list[str]:
    """What a model says of cycles."""
    windows = cycles.windows[list(rows)]
    present = np.ones((len(rows), windows.shape[2]), np.bool_)
    first: NDArray[np.int64] = model.evaluate(windows, present).probabilities.argmax(1)
    return [model.labels[i] for i in first]


def error(model: LoadedModel, cycles: TwinCycles, rows: range) -> float:
    """Share of wrong first guesses on cycles that nobody labelled."""
    said = first_guesses(model, cycles, rows)
    return float(
        np.mean([a != cycles.labels[i] for a, i in zip(said, rows, strict=True)])
    )


def main() -> None:
    """Train, validate, measure and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("stream", type=Path)
    ask.add_argument("--cycles", type=int, default=900)
    ask.add_argument("--people", type=int, default=5)
    options = ask.parse_args()
    run(whole(read(options.stream)), options.cycles, options.people)


def whole(cycles: TwinCycles) -> TwinCycles:
    """The cycles before the shift whose windows a plant would not hold."""
    windows = cycles.windows[: cycles.first_shifted]
    kept = np.flatnonzero(np.isfinite(windows).all(axis=(1, 2)))
    return TwinCycles(windows[kept], tuple(cycles.labels[i] for i in kept), len(kept))


def run(cycles: TwinCycles, count: int, people: int) -> None:
    """One serving model, then candidates from honest and from flipped labels."""
    kind, half = family(), count // 2
    test = range(count, min(cycles.first_shifted, count + 4000))
    before = labelled(cycles, kind, range(half), people, 0.0, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Plan("auto", 1), Bar(), Path(folder), SystemClock())

        def make(examples: Labelled, serving: Path | None, seed: int):
            kept, _ = sift(examples, kind)
            frozen = snapshot(kept, kind, weight_cap=5.0)
            told = replace(bench, plan=Plan("auto", seed))
            return make_candidate(
                told, frozen, serving=serving, progress=lambda *_: None
            )

        serving = make(before, None, 1)
        model = LoadedModel.load(serving.path, version=1)
        print(f"serving: {error(model, cycles, test):.2%} wrong of {len(test)}")
        honest = None
        for share in (0.0, 0.3, 1.0):
            rng = np.random.default_rng(2)
            after = labelled(
                cycles, kind, range(half, count), people, share, rng, model
            )
            candidate = make([*before, *after], serving.path, 2)
            wrong = error(LoadedModel.load(candidate.path, version=1), cycles, test)
            honest = wrong if honest is None else honest
            verdict = "passed" if candidate.report.passed else "refused"
            print(
                f"one of {people} flips {share:.0%} of a class: {verdict}, "
                f"{wrong:.2%} wrong, {100 * (wrong - honest):+.2f} points. "
                f"{candidate.report.reasons[0]}"
            )


if __name__ == "__main__":
    main()
