"""Recordings of real robots as streams of labelled windows.

The folder is given by --recordings or ANDON_RECORDINGS; nothing of it is part of andon.
Each stream is in the order in which the windows came; where the order means nothing, it
is shuffled by the seed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.insight.backtest import Streamed
from coordinator.insight.dataset import import_dataset
from coordinator.insight.windows import LabelledWindows
from coordinator.terms import Action, Channel, Family, FamilyId, Label

UR3_SCHEMA: Final = Path(__file__).parents[2] / "docs/examples/ur3_cobotops.toml"
UR3_WARMUP: Final = 98
KNOWN_PEOPLE: Final = ("a4", "a5", "a6", "b6", "b8", "b9")
NEW_PERSON: Final = ("c12", "c2", "c3", "c5", "c6")
FRANKA_ROWS, FRANKA_STRIDE, FRANKA_BLOCK = 28, 14, 10
"""Windows of 140 ms; ten of them are a group, and no window crosses into the next."""
FORCES: Final = ("Fx", "Fy", "Fz", "Tx", "Ty", "Tz")
PERIOD_NS: Final = 1_000_000_000
"""Between windows of streams that have no clock of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A stream, and how many windows at its beginning are all answered by people."""

    streamed: Streamed
    warmup: int


def folder(given: Path | None) -> Path | None:
    """Where the recordings are; None when nobody said so."""
    named = given or (
        Path(os.environ["ANDON_RECORDINGS"])
        if os.environ.get("ANDON_RECORDINGS")
        else None
    )
    return named if named is not None and named.is_dir() else None


def ur3(recordings: Path) -> Trial:
    """UR3 pick and place in time order."""
    (table,) = sorted((recordings / "ur3_cobotops").glob("*.csv"))
    with tempfile.TemporaryDirectory(prefix="recorded-") as home:
        dataset = import_dataset(table, UR3_SCHEMA, data_dir=Path(home), name="ur3")
    return Trial(
        Streamed(dataset.family, dataset.windows(), dataset.recording.groups),
        UR3_WARMUP,
    )


def new_person(recordings: Path) -> Trial:
    """A Franka arm that two people touched or not, and then a third one does."""
    parts = [_session(recordings, name) for name in (*KNOWN_PEOPLE, *NEW_PERSON)]
    known = sum(len(truth) for _, truth, _ in parts[: len(KNOWN_PEOPLE)])
    names = [
        f"{kind}-{joint}"
        for kind in ("torque", "external", "error", "speed")
        for joint in range(1, 8)
    ]
    family = _family("franka", names, ("touch", "none"), FRANKA_ROWS)
    samples, truth, groups = (
        np.concatenate([part[i] for part in parts]) for i in range(3)
    )
    return Trial(_streamed(family, samples, truth, list(groups)), known)


def _session(
    recordings: Path, name: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]:
    with np.load(recordings / "franka_touch_mindlab" / f"{name}.npz") as file:
        columns = [str(column).rstrip("0123456789") for column in file["columns"]]
        data, touched = file["data"], file["label"].astype(bool)
    of = {kind: data[:, [c == kind for c in columns]] for kind in set(columns)}
    rows = np.concatenate(
        [of["tau_J"], of["tau_ext"], of["q_d"] - of["q"], of["dq"]], axis=1
    ).astype(np.float32)
    block = FRANKA_ROWS + (FRANKA_BLOCK - 1) * FRANKA_STRIDE
    samples, truth, groups = [], [], []
    for number, start in enumerate(range(0, len(rows) - block + 1, block)):
        for i in range(FRANKA_BLOCK):
            part = slice(
                start + i * FRANKA_STRIDE, start + i * FRANKA_STRIDE + FRANKA_ROWS
            )
            samples.append(rows[part])
            truth.append(0 if touched[part].any() else 1)
            groups.append(f"{name}-{number}")
    return np.stack(samples), np.array(truth, np.int64), np.array(groups)


def new_operation(recordings: Path, seed: int) -> Trial:
    """Failures of one operation (lp4), and then the distinct ones of another (lp2)."""
    seen: set[bytes] = set()
    draws = np.random.default_rng(seed)
    samples, truth, groups, sizes = [], [], [], []
    for name in ("lp4", "lp2"):
        read = _failures(recordings / "uci_robot_execution_failures" / f"{name}.data")
        fresh = [
            pair
            for pair in read
            if not (pair[1].tobytes() in seen or seen.add(pair[1].tobytes()))  # type: ignore[func-returns-value]
        ]
        order = draws.permutation(len(fresh))
        sizes.append(len(order))
        for i in order:
            truth.append(("obstruction", "collision", "normal").index(fresh[i][0]))
            samples.append(fresh[i][1])
            groups.append(f"{name}-{i}")
    family = _family(
        "failures", FORCES, ("obstruction", "collision", "normal"), len(samples[0])
    )
    stream = _streamed(family, np.stack(samples), np.array(truth, np.int64), groups)
    return Trial(stream, sizes[0])


def _failures(path: Path) -> list[tuple[str, NDArray[np.float32]]]:
    found = []
    for block in path.read_text(encoding="ascii").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if len(lines) < 2:
            continue
        name = lines[0].strip()
        said = "normal" if name in {"normal", "ok"} else "collision"
        said = "obstruction" if "obstruction" in name else said
        rows = [[float(word) for word in line.split()] for line in lines[1:]]
        found.append((said, np.array(rows, np.float32)))
    return found


def _family(
    name: str, channels: Sequence[str], labels: tuple[str, ...], rows: int
) -> Family:
    """A family whose last label is the harmless one."""
    return Family(
        family_id=FamilyId(name),
        channels=tuple(Channel(c.lower(), "1", -1e6, 1e6) for c in channels),
        labels=tuple(
            Label(label, Action.CONTINUE if label == labels[-1] else Action.REWORK)
            for label in labels
        ),
        default_label=labels[-1],
        rows=rows,
    )


def _streamed(
    family: Family,
    samples: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: list[str],
) -> Streamed:
    count = len(truth)
    names = list(dict.fromkeys(groups))
    number = {name: i for i, name in enumerate(names)}
    ends_ns = np.arange(1, count + 1, dtype=np.int64) * PERIOD_NS
    windows = LabelledWindows(
        samples=samples,
        present=np.ones((count, samples.shape[2]), np.bool_),
        truth=truth,
        group_index=np.array([number[group] for group in groups], np.int64),
        first_row=np.arange(count, dtype=np.int64),
        start_ns=ends_ns - PERIOD_NS // 2,
        end_ns=ends_ns,
        gap_rows=np.zeros(count, np.int64),
        period_ns=PERIOD_NS // (2 * samples.shape[1]),
    )
    return Streamed(family, windows, names)
