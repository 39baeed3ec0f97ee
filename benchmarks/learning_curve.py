"""Replay labelled windows through training and gate; print questions and errors.

Prequential: each window is judged by the model that serves when it comes, and labels
come only from windows that were asked about or audited. No store, no gRPC, no event
loop: this measures the learning alone.

    python benchmarks/learning_curve.py peg CELL1.npz CELL2.npz CELL3.npz
    python benchmarks/learning_curve.py ur3 RECORDING.csv

A cell's .npz holds `windows` (count, rows, channels) and `labels`; the cells' cycles
are interleaved. The UR3 CobotOps recording is cut into windows of 10 rows of one
cycle-run, stride 5; the first 98 are all asked. Seconds are CPU time of this process.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from coordinator.clock import SystemClock
from coordinator.learning.bench import Bench, make_candidate
from coordinator.learning.training.fit import Plan
from coordinator.learning.training.trigger import Trigger
from coordinator.learning.validation.metrics import aurc, ece
from coordinator.learning.validation.promote import Bar
from coordinator.model.loaded import LoadedModel
from coordinator.terms import Digest, FamilyId, Snapshot

PEG = ("collision", "misaligned", "grip_slip", "missing_part", "ok")
UR3 = ("protective_stop", "grip_lost", "normal")
UR3_CHANNELS = (
    *(f"Current_J{i}" for i in range(6)),
    *(f"Speed_J{i}" for i in range(6)),
    "Tool_current",
)


@dataclass(frozen=True, eq=False)
class Stream:
    """Labelled windows in the order they came; the last label means "no fault"."""

    samples: NDArray[np.float32]
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """How to replay.

    Attributes:
        trigger: When to train.
        warmup: Windows at the start that are all asked.
        threshold: Least confidence to act.
        audit: Share of the windows whose label becomes known anyway.
        weight_cap: Greatest weight of an audit.
        latency: Windows that pass while a training runs.
        network: Name, or "auto".
    """

    trigger: Trigger
    warmup: int = 0
    threshold: float = 0.9
    audit: float = 0.05
    weight_cap: float = 5.0
    latency: int = 15
    network: str = "auto"


@dataclass
class Course:
    """What happened, one entry a window; and what the trainings were like."""

    predicted: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0


def peg(paths: list[Path], limit: int, turn: int) -> Stream:
    """Cycles of several cells, interleaved; another turn starts somewhere else."""
    cells = [np.load(path) for path in paths]
    cycles = min(len(cell["labels"]) for cell in cells)
    samples, truth, groups = [], [], []
    for i in range(cycles):
        cycle = (i + turn * limit // len(cells)) % cycles
        for number, cell in enumerate(cells, start=1):
            window = cell["windows"][cycle]
            if np.isfinite(window).all():  # the checks hold these before any model
                samples.append(window)
                truth.append(PEG.index(str(cell["labels"][cycle])))
                groups.append(f"press-{number}/{cycle}")
    return Stream(
        np.stack(samples)[:limit], np.array(truth)[:limit], PEG, tuple(groups[:limit])
    )


def ur3(path: Path) -> Stream:
    """Windows of a recording; a window's class is the most severe of its rows."""
    runs: dict[str, list[dict[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            runs.setdefault(row["cycle_run"], []).append(row)
    samples, truth, groups = [], [], []
    for run, rows in runs.items():
        for start in range(0, len(rows) - 9, 5):
            part = rows[start : start + 10]
            values = np.array(
                [[float(row[name] or "nan") for name in UR3_CHANNELS] for row in part]
            )
            if np.isfinite(values).all():
                samples.append(values.astype(np.float32))
                truth.append(min(_severity(row) for row in part))
                groups.append(f"ur3/{run}")
    return Stream(np.stack(samples), np.array(truth), UR3, tuple(groups))


def _severity(row: dict[str, str]) -> int:
    if row["Robot_ProtectiveStop"] not in {"0", "0.0", ""}:
        return 0
    return 1 if row["grip_lost"].lower() in {"1", "true"} else 2


def snapshot(stream: Stream, rows: list[int], weights: list[float]) -> Snapshot:
    """The labels that are known by now."""
    channels = stream.samples.shape[2]
    return Snapshot(
        family=FamilyId("replay"),
        channel_names=tuple(f"c{i}" for i in range(channels)),
        labels=stream.labels,
        must_never_miss=stream.labels[:1],
        samples=stream.samples[rows],
        present=np.ones((len(rows), channels), np.bool_),
        label_index=stream.truth[rows].astype(np.int64),
        weights=np.array(weights),
        audited=np.array(weights) > 1.0,
        groups=tuple(stream.groups[row] for row in rows),
        digest=Digest(hashlib.sha256(repr(rows).encode()).hexdigest()),
    )


def replay(stream: Stream, options: Options, seed: int, folder: Path) -> Course:
    """Replay one stream."""
    coins = np.random.default_rng(seed).random(len(stream.truth)) < options.audit
    bench = Bench(
        Plan(options.network, seed), Bar(options.threshold), folder, SystemClock()
    )
    there = np.ones((1, stream.samples.shape[2]), np.bool_)
    course = Course()
    rows: list[int] = []
    weights: list[float] = []
    model: LoadedModel | None = None
    serving: Path | None = None
    coming: tuple[int, Path] | None = None
    trained_on = 0
    for i, window in enumerate(stream.samples):
        if coming is not None and i >= coming[0]:
            serving, coming = coming[1], None
            model = LoadedModel.load(serving, version=1)
        sure = False
        said, confidence, novelty = -1, 0.0, np.inf
        if model is not None:
            outputs = model.evaluate(window[None], there)
            said = int(outputs.probabilities[0].argmax())
            confidence = float(outputs.probabilities[0, said])
            novelty = float(outputs.novelty[0])
            sure = confidence >= options.threshold and novelty <= 1.0
        asked = not sure or i < options.warmup
        course.predicted.append(said)
        course.confidence.append(confidence)
        course.novelty.append(novelty)
        course.asked.append(asked)
        if asked or coins[i]:
            rows.append(i)
            weights.append(1.0 if asked else min(1 / options.audit, options.weight_cap))
        if coming is None and not options.trigger.until_training(len(rows), trained_on):
            trained_on = len(rows)
            began = time.process_time()
            found = make_candidate(
                bench,
                snapshot(stream, rows, weights),
                serving=serving,
                progress=lambda *_: None,
            )
            course.seconds.append(time.process_time() - began)
            if found.report.passed:
                coming = (i + 1 + options.latency, found.path)
            else:
                course.refused += 1
    return course


def lines(stream: Stream, course: Course, block: int = 100) -> Iterator[str]:
    """The course in words."""
    asked = np.array(course.asked)
    wrong = np.array(course.predicted) != stream.truth
    passed = wrong & (np.array(course.predicted) == len(stream.labels) - 1)
    spoken = np.array(course.predicted) >= 0
    confidence = np.array(course.confidence)

    def error(part: slice) -> str:
        acted = ~asked[part]
        return f"{100 * wrong[part][acted].mean():.1f}" if acted.any() else "none"

    blocks = [slice(a, a + block) for a in range(0, len(asked), block)]
    last = slice(2 * len(asked) // 3, None)
    yield f"  questions per 100: {[round(100 * asked[b].mean()) for b in blocks]}"
    yield f"  automated error %: {[error(b) for b in blocks]}"
    yield (
        f"  last third: {100 * asked[last].mean():.1f} questions per 100, automated "
        f"error {error(last)} %, missed faults {(passed & ~asked)[last].sum()}"
    )
    yield (
        f"  whole: {asked.sum()} questions, {(~asked).sum()} automated, error "
        f"{error(slice(None))} %, missed faults {(passed & ~asked).sum()}"
    )
    yield (
        f"  model: aurc {aurc(confidence[spoken], ~wrong[spoken]):.3f}, ece "
        f"{ece(confidence[spoken], ~wrong[spoken]):.3f}, only novel "
        f"{((np.array(course.novelty) > 1) & (confidence >= 0.9)).sum()}"
    )
    yield (
        f"  {len(course.seconds)} trainings, {course.refused} refused, CPU s "
        f"{np.mean(course.seconds):.2f} mean, {max(course.seconds):.2f} most"
    )


def main() -> None:
    """Run the replays and print them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=("peg", "ur3"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--network", default="auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=600, help="windows of peg")
    parser.add_argument("--latency", type=int, default=15, help="in windows, of peg")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(given.seeds):
        if given.kind == "peg":
            stream = peg(given.files, given.limit, seed)
            options = Options(
                Trigger(40, 20, 0.15, 0), latency=given.latency, network=given.network
            )
        else:
            stream = ur3(given.files[0])
            options = Options(
                Trigger(98, 50, 0.0, 0),
                warmup=98,
                audit=0.0,
                latency=0,
                network=given.network,
            )
        print(f"seed {seed}: {len(stream.truth)} windows")
        with tempfile.TemporaryDirectory(prefix="learning-curve-") as folder:
            for line in lines(stream, replay(stream, options, seed, Path(folder))):
                print(line)


if __name__ == "__main__":
    main()
