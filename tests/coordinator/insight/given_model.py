"""A model that somebody trained before, for a backtest that trains nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coordinator.insight.dataset import find_dataset, open_dataset
from coordinator.terms import Digest, Snapshot
from tests.coordinator.model_builders import train_model


def given_model(data_dir: Path) -> Path:
    """Train on the dataset "bumps" itself; the model's own folder under `models`."""
    dataset = open_dataset(find_dataset("bumps", data_dir))
    windows, family = dataset.windows(), dataset.family
    count = len(windows)
    snapshot = Snapshot(
        family=family.family_id,
        channel_names=tuple(channel.name for channel in family.channels),
        labels=family.label_names,
        must_never_miss=(),
        samples=windows.samples,
        present=windows.present,
        label_index=windows.truth,
        weights=np.ones(count),
        audited=np.zeros(count, np.bool_),
        groups=tuple(f"press-1/{group}" for group in windows.group_index),
        digest=Digest("ab" * 32),
    )
    folder = data_dir / "models"
    return train_model(folder, snapshot=snapshot, network="features-linear")
