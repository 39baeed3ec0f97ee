"""Windows that can be told apart in a second, and models trained on them."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from coordinator.clock import SystemClock
from coordinator.learning.bench import Bench, make_candidate
from coordinator.learning.training.fit import Plan
from coordinator.learning.training.loop import Recipe
from coordinator.learning.validation.promote import Bar
from coordinator.terms import (
    Action,
    CellId,
    Channel,
    ChannelPolicy,
    Digest,
    Family,
    FamilyId,
    Label,
    SensorWindow,
    Snapshot,
    WindowId,
    WindowKind,
    window_digest,
)

ROWS, CHANNELS = 24, 3
FAMILY = Family(
    family_id=FamilyId("peg"),
    channels=(
        Channel("force", "N", -100.0, 100.0),
        Channel("effort", "N*m", -100.0, 100.0),
        Channel("grip", "N", -100.0, 100.0, policy=ChannelPolicy.TOLERATE),
    ),
    labels=(
        Label("collision", Action.STOP, must_never_miss=True),
        Label("slip", Action.REWORK),
        Label("ok", Action.CONTINUE),
    ),
    default_label="ok",
    rows=ROWS,
)
QUICK = {
    name: Recipe(steps=40, learning_rate=1e-2, weight_decay=0.1)
    for name in ("features-mlp", "features-linear", "cnn", "tcn", "tcn+attention")
}


def samples_of(label: int, seed: int, *, shift: float = 0.0) -> np.ndarray:
    """One window of a class: (ROWS, CHANNELS); 0 has a spike, 1 a step, 2 neither."""
    rng = np.random.default_rng((seed, label))
    samples = rng.normal(shift, 0.3, (ROWS, CHANNELS))
    start = int(rng.integers(4, ROWS - 8))
    if label == 0:
        samples[start : start + 2, 0] += 6.0
    if label == 1:
        samples[start:, 1] -= 3.0
    return samples.astype(np.float32)


def make_snapshot(
    count: int = 60, *, seed: int = 0, noise: float = 0.0, family: Family = FAMILY
) -> Snapshot:
    """A snapshot of balanced classes; `noise` is the share of wrong labels."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 3
    samples = np.stack(
        [samples_of(int(c), 1000 * seed + i) for i, c in enumerate(truth)]
    )
    said = np.where(rng.random(count) < noise, rng.integers(0, 3, count), truth)
    return Snapshot(
        family=family.family_id,
        channel_names=tuple(c.name for c in family.channels),
        labels=family.label_names,
        must_never_miss=("collision",),
        samples=samples,
        present=np.ones((count, CHANNELS), np.bool_),
        label_index=said.astype(np.int64),
        weights=np.ones(count),
        audited=np.zeros(count, np.bool_),
        groups=tuple(f"press-1/{seed}-{i}" for i in range(count)),
        digest=Digest(hashlib.sha256(f"{count} {seed} {noise}".encode()).hexdigest()),
        tolerated=("grip",),
    )


def make_window(
    samples: np.ndarray, *, number: int = 0, present: np.ndarray | None = None
) -> SensorWindow:
    """A decision window of press-1 with these samples."""
    there = np.ones(samples.shape[1], np.bool_) if present is None else present
    return SensorWindow(
        window_id=WindowId(f"w-{number}"),
        cell_id=CellId("press-1"),
        kind=WindowKind.DECISION,
        session_epoch=1,
        seq=number + 1,
        cycle=number + 1,
        step="insert",
        part_id=f"part-{number}",
        start_ns=0,
        period_ns=1_000_000,
        samples=samples,
        present=there,
        digest=window_digest(FAMILY.schema_digest, samples, there),
        age_ns=0,
        received_ns=0,
        cut_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def make_bench(folder: Path, *, network: str = "features-mlp", seed: int = 0) -> Bench:
    """A bench that trains in tenths of a second."""
    return Bench(Plan(network, seed, recipes=QUICK), Bar(), folder, SystemClock())


def train_model(
    folder: Path, *, snapshot: Snapshot | None = None, network: str = "features-mlp"
) -> Path:
    """Train a small model below folder; return its own folder."""
    return make_candidate(
        make_bench(folder, network=network),
        snapshot or make_snapshot(),
        serving=None,
        progress=lambda *_: None,
    ).path
