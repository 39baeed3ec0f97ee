"""What the coordinator and its training child hand to each other, as files and lines.

Numbers travel as safetensors, everything else as JSON; neither can carry code. The
folder belongs to one training, is readable by this user alone, and is removed with it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_arrays
from safetensors.numpy import save as dump_arrays

from coordinator.errors import TrainingError
from coordinator.seams import Candidate
from coordinator.terms import (
    Digest,
    FamilyId,
    HeldOutCase,
    Report,
    Snapshot,
    WindowId,
)

ARRAYS: Final = "snapshot.safetensors"
ORDERS: Final = "orders.json"
MODELS: Final = "models"
LINE_LIMIT: Final = 262_144
"""Longest line a child may write, bytes."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a child is told besides the snapshot.

    Attributes:
        parent_pid: The process that must live; the child dies with it.
        network: Name of a network, or "auto".
        threads: CPU threads to use.
        threshold: The gate's.
        seed: Makes the training repeatable.
        commit: Code that trains, for the manifest.
        serving: Folder of the serving model; None for none.
    """

    parent_pid: int
    network: str
    threads: int
    threshold: float
    seed: int
    commit: str
    serving: Path | None


def write_orders(folder: Path, snapshot: Snapshot, orders: Orders) -> None:
    """Put everything a training needs into its folder; raises OSError."""
    arrays: dict[str, NDArray[Any]] = {
        "samples": np.ascontiguousarray(snapshot.samples, np.float32),
        "present": np.ascontiguousarray(snapshot.present, np.uint8),
        "label_index": np.ascontiguousarray(snapshot.label_index, np.int64),
        "weights": np.ascontiguousarray(snapshot.weights, np.float64),
        "audited": np.ascontiguousarray(snapshot.audited, np.uint8),
    }
    (folder / ARRAYS).write_bytes(dump_arrays(arrays))
    content = {
        "parent_pid": orders.parent_pid,
        "network": orders.network,
        "threads": orders.threads,
        "threshold": orders.threshold,
        "seed": orders.seed,
        "commit": orders.commit,
        "serving": None if orders.serving is None else str(orders.serving.resolve()),
        "family": snapshot.family,
        "channel_names": snapshot.channel_names,
        "labels": snapshot.labels,
        "must_never_miss": snapshot.must_never_miss,
        "groups": snapshot.groups,
        "digest": snapshot.digest,
        "tolerated": snapshot.tolerated,
        "window_ids": snapshot.window_ids,
    }
    (folder / ORDERS).write_text(json.dumps(content), encoding="utf-8")


def read_orders(folder: Path) -> tuple[Snapshot, Orders]:
    """Read what write_orders() wrote.

    Raises:
        TrainingError: it is not there, or damaged.
    """
    try:
        arrays = parse_arrays((folder / ARRAYS).read_bytes())
        raw: dict[str, Any] = json.loads((folder / ORDERS).read_text(encoding="utf-8"))
        snapshot = Snapshot(
            family=FamilyId(raw["family"]),
            channel_names=tuple(raw["channel_names"]),
            labels=tuple(raw["labels"]),
            must_never_miss=tuple(raw["must_never_miss"]),
            samples=arrays["samples"],
            present=arrays["present"].astype(np.bool_),
            label_index=arrays["label_index"],
            weights=arrays["weights"],
            audited=arrays["audited"].astype(np.bool_),
            groups=tuple(raw["groups"]),
            digest=Digest(raw["digest"]),
            tolerated=tuple(raw["tolerated"]),
            window_ids=tuple(raw["window_ids"]),
        )
        orders = Orders(
            parent_pid=int(raw["parent_pid"]),
            network=str(raw["network"]),
            threads=int(raw["threads"]),
            threshold=float(raw["threshold"]),
            seed=int(raw["seed"]),
            commit=str(raw["commit"]),
            serving=None if raw["serving"] is None else Path(raw["serving"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError("the training's folder is damaged.") from error
    return snapshot, orders


def progress_line(phase: str, share: float, left_s: float | None, text: str) -> str:
    """One line about progress."""
    said = {"phase": phase, "share": share, "left_s": left_s, "text": text}
    return json.dumps({"progress": said})


def failure_line(text: str) -> str:
    """The last line of a training that failed."""
    return json.dumps({"failure": text})


def candidate_line(candidate: Candidate) -> str:
    """The last line of a training that worked."""
    report = candidate.report
    return json.dumps(
        {
            "candidate": {
                "digest": candidate.digest,
                "passed": report.passed,
                "reasons": report.reasons,
                "metrics": dict(report.metrics),
                "examples": report.examples,
                "cases": [
                    (c.window_id, c.truth, c.said, c.confidence, c.novelty)
                    for c in report.cases
                ],
                "training_s": candidate.training_s,
                "network": candidate.network,
            }
        }
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Progress, as the child told it; the fields are those of seams.Progress."""

    phase: str
    share: float
    left_s: float | None
    text: str


def read_line(line: bytes, models: Path) -> Told | Candidate:
    """Understand one line of the child.

    Args:
        line: As it came.
        models: Where the child puts models.

    Raises:
        TrainingError: the child failed and says why, or the line makes no sense.
    """
    try:
        said: dict[str, Any] = json.loads(line)
        if "failure" in said:
            raise TrainingError(str(said["failure"])[:200])
        if "progress" in said:
            raw = said["progress"]
            left = raw["left_s"]
            return Told(
                phase=str(raw["phase"])[:20],
                share=min(max(float(raw["share"]), 0.0), 1.0),
                left_s=None if left is None else max(float(left), 0.0),
                text=str(raw["text"])[:200],
            )
        raw = said["candidate"]
        metrics = {str(name): float(value) for name, value in raw["metrics"].items()}
        if not all(math.isfinite(value) for value in metrics.values()):
            raise TrainingError("the training reports a number that is not finite.")
        digest = Digest(str(raw["digest"]))
        return Candidate(
            digest=digest,
            path=models / digest,
            report=Report(
                passed=raw["passed"] is True,
                reasons=tuple(str(reason)[:400] for reason in raw["reasons"]),
                metrics=metrics,
                examples=int(raw["examples"]),
                cases=tuple(_case(*one) for one in raw.get("cases", ())),
            ),
            training_s=float(raw["training_s"]),
            network=str(raw["network"])[:64],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            "the training said something that makes no sense."
        ) from error


def _case(
    window_id: object, truth: object, said: object, confidence: float, novelty: float
) -> HeldOutCase:
    """One case of the child's report; numbers that are none become 0 and infinity."""
    sure, new = float(confidence), float(novelty)
    return HeldOutCase(
        WindowId(str(window_id)[:63]),
        str(truth)[:63],
        str(said)[:63],
        sure if 0.0 <= sure <= 1.0 else 0.0,
        new if math.isfinite(new) else math.inf,
    )
