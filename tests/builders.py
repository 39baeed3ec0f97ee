"""Valid terms by default; a test names only what it is about."""

import hashlib
import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS
from coordinator.terms import (
    Action,
    Actor,
    CellId,
    Channel,
    ChannelPolicy,
    DecisionId,
    Digest,
    Family,
    FamilyId,
    IdempotencyKey,
    Label,
    OperatorRequest,
    PersonId,
    Prediction,
    RequestId,
    RequestKind,
    SensorWindow,
    WindowId,
    WindowKind,
    window_digest,
)

CELL = CellId("press-1")
PEG = FamilyId("peg")
ANA = Actor(PersonId("ana"), "panel-1")
BEN = Actor(PersonId("ben"), "tablet-2")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MODEL = Digest("5e" * 32)
ROWS = 16

CHANNELS = (
    Channel("joint_pos", "rad", -6.3, 6.3),
    Channel("joint_effort", "N*m", -330.0, 330.0, stuck_rows=8),
    Channel("force_z", "N", -500.0, 500.0, policy=ChannelPolicy.ASK),
    Channel("gripper_pos", "m", -0.05, 0.2, policy=ChannelPolicy.TOLERATE),
)
LABELS = (
    Label("collision", Action.STOP, must_never_miss=True),
    Label("misaligned", Action.REWORK),
    Label("missing_part", Action.REJECT),
    Label("ok", Action.CONTINUE),
)

_numbers = itertools.count(1)


def make_digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def make_family(**changes: Any) -> Family:
    facts: dict[str, Any] = {
        "family_id": PEG,
        "channels": CHANNELS,
        "labels": LABELS,
        "default_label": "ok",
        "rows": ROWS,
        "monitor_rows": 4,
    }
    return Family(**{**facts, **changes})


FAMILY = make_family()


def make_samples(rows: int = ROWS, seed: int = 0) -> NDArray[np.float32]:
    """Every channel well inside its range, no value twice: (rows, channels)."""
    noise = np.random.default_rng(seed).uniform(0.1, 0.9, (rows, len(CHANNELS)))
    lows = np.array([c.minimum for c in CHANNELS])
    highs = np.array([c.maximum for c in CHANNELS])
    return np.asarray(lows + (highs - lows) * noise, dtype=np.float32)


def make_window(**changes: Any) -> SensorWindow:
    number = next(_numbers)
    kind = changes.get("kind", WindowKind.DECISION)
    rows = ROWS if kind is WindowKind.DECISION else FAMILY.monitor_rows
    facts: dict[str, Any] = {
        "window_id": WindowId(f"w-{number}"),
        "cell_id": CELL,
        "kind": kind,
        "session_epoch": 1,
        "seq": number,
        "cycle": number,
        "step": "insert",
        "part_id": f"part-{number}",
        "start_ns": 1_000,
        "period_ns": 10_000_000,
        "samples": make_samples(rows, seed=number),
        "present": np.ones(len(CHANNELS), dtype=np.bool_),
        "age_ns": 0,
        "received_ns": 0,
        "cut_at": NOON,
    }
    facts |= changes
    facts.setdefault(
        "digest",
        window_digest(FAMILY.schema_digest, facts["samples"], facts["present"]),
    )
    return SensorWindow(**facts)


def make_prediction(
    label: str = "ok",
    confidence: float = 0.99,
    novelty: float = 0.5,
    labels: Sequence[str] = FAMILY.label_names,
) -> Prediction:
    """A sound prediction: what is left is shared by the other labels."""
    rest = (1.0 - confidence) / max(len(labels) - 1, 1)
    probabilities = tuple(confidence if name == label else rest for name in labels)
    logits = tuple(
        math.log(p) if math.isfinite(p) and p > 0.0 else 0.0 for p in probabilities
    )
    return Prediction(MODEL, tuple(labels), logits, probabilities, novelty)


def make_request(**changes: Any) -> OperatorRequest:
    number = next(_numbers)
    facts: dict[str, Any] = {
        "request_id": RequestId(f"r-{number}"),
        "cell_id": CELL,
        "family": PEG,
        "kind": RequestKind.QUESTION,
        "decision_id": DecisionId(f"d-{number}"),
        "window_id": WindowId(f"w-{number}"),
        "window_digest": make_digest(f"window {number}"),
        "session_epoch": 1,
        "cycle": number,
        "part_id": f"part-{number}",
        "guess": "ok",
        "reason": "not sure it is ok.",
        "propensity": 1.0,
        "raised_at": NOON,
        "deadline_ns": 120 * SECOND_NS,
        "time_allowed_ns": 120 * SECOND_NS,
    }
    return OperatorRequest(**{**facts, **changes})


def make_key(
    content: str = "", *, key: str | None = None, by: Actor = ANA
) -> IdempotencyKey:
    """A key nobody used before, unless one is named."""
    name = key or f"key-{next(_numbers)}"
    return IdempotencyKey(by.person, name, make_digest(content or name))
