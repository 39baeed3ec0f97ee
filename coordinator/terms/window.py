"""The evidence, what the model makes of it, and what the gate says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from coordinator.terms.cell import HoldReason
from coordinator.terms.ids import CellId, DecisionId, Digest, WindowId


class WindowKind(Enum):
    """Which question a window answers."""

    DECISION = "decision"
    """The end of a step: the step waits for a permit."""
    MONITOR = "monitor"
    """While the cell works: it can only withdraw permission."""


@dataclass(frozen=True, slots=True, eq=False)
class SensorWindow:
    """The samples of one decision, on a fixed grid.

    Attributes:
        window_id: Unique for the life of the store.
        cell_id: The cell whose sensors these are.
        kind: Which question it answers.
        session_epoch: The session it came in.
        seq: Rises by one a window within a session, both kinds together.
        cycle: Number of the cycle on its cell.
        step: The step that ended, or is running.
        part_id: Serial number of the part.
        start_ns: First sample, monotonic clock of the node.
        period_ns: Time between rows, node clock.
        samples: float32, shape (samples, channels), units as in the family's channels;
            absent channels are zero.
        present: bool, shape (channels,): which channels are there.
        digest: SHA-256 over schema digest, samples and presence.
        age_ns: Age of the scene on arrival, at most: by the node's clock when it was
            sent, and what it was on its way.
        received_ns: Monotonic clock of the coordinator.
        cut_at: UTC at the node, a record only.
        gap_rows: Rows of the grid for which no sample arrived.
        offered_again: The same evidence under a new session, scene checked again.
    """

    window_id: WindowId
    cell_id: CellId
    kind: WindowKind
    session_epoch: int
    seq: int
    cycle: int
    step: str
    part_id: str
    start_ns: int
    period_ns: int
    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    digest: Digest
    age_ns: int
    received_ns: int
    cut_at: datetime
    gap_rows: int = 0
    offered_again: bool = False


def window_digest(
    schema: Digest, samples: NDArray[np.float32], present: NDArray[np.bool_]
) -> Digest:
    """SHA-256 over the schema digest, the sample bytes and one byte a channel.

    Args:
        schema: Schema digest, 64 hexadecimal characters.
        samples: float32, shape (samples, channels), row-major.
        present: bool, shape (channels,).
    """
    content = hashlib.sha256(bytes.fromhex(schema))
    content.update(np.ascontiguousarray(samples, dtype="<f4").tobytes())
    content.update(np.ascontiguousarray(present, dtype=np.uint8).tobytes())
    return Digest(content.hexdigest())


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the serving model makes of one window.

    Attributes:
        model_digest: The artifact that answered.
        labels: Label names, in the order of the numbers below.
        logits: Raw outputs, one a label; the gate recomputes from them bit-exactly.
        probabilities: Calibrated, in [0, 1], one a label.
        novelty: Distance from the training windows; 1.0 is the edge of the familiar.
    """

    model_digest: Digest
    labels: tuple[str, ...]
    logits: tuple[float, ...]
    probabilities: tuple[float, ...]
    novelty: float

    @property
    def first(self) -> int:
        """Index of the most probable label; 0 when a probability is not finite."""
        return int(np.argmax(self.probabilities))

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[self.first]

    @property
    def confidence(self) -> float:
        """Calibrated probability of the first guess, in [0, 1], or NaN."""
        return float(self.probabilities[self.first])


class Decision(Enum):
    """What the gate lets the cell do with a window."""

    ACT = "act"
    """Confident and familiar: the cell acts without asking."""
    ASK = "ask"
    """Doubtful: an operator decides; the cell waits."""
    HOLD = "hold"
    """Not usable: the cell holds, and an operator is told why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has against a window.

    Attributes:
        decision: ASK or HOLD.
        code: Stable token, for example "NONFINITE".
        text: One sentence that names the channel and the row.
        hold_reason: Why the cell is held, when decision is HOLD.
    """

    decision: Decision
    code: str
    text: str
    hold_reason: HoldReason | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision about one window, and why.

    Attributes:
        decision: Act, ask or hold.
        code: Stable token of the reason, for example ACT, LOW_CONFIDENCE, NONFINITE.
        reason: One sentence for people.
        prediction: What it rests on; None when a check refused or nothing serves yet.
        hold_reason: Why the cell is held, when decision is HOLD.
        measured: The number that decided; None when none did.
        limit: The limit that it did not keep.
    """

    decision: Decision
    code: str
    reason: str
    prediction: Prediction | None = None
    hold_reason: HoldReason | None = None
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class AuditCoin:
    """The audit toss of one window, made before the gate looked.

    Attributes:
        probability: Probability with which it could be drawn, in [0, 1].
        drawn: Whether it was.
    """

    probability: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the identity under which the journal knows it.

    Attributes:
        decision_id: Unique for the life of the store.
        verdict: What the gate said.
        coin: The audit toss.
        gate_digest: The rule that said it, with its numbers.
    """

    decision_id: DecisionId
    verdict: Verdict
    coin: AuditCoin
    gate_digest: Digest
