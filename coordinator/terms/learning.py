"""What is learned from: examples, snapshots, artifacts, reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from coordinator.terms.gate import GateLine
from coordinator.terms.ids import (
    NO_DIGEST,
    CellId,
    Digest,
    ExampleId,
    FamilyId,
    PersonId,
    RunId,
    WindowId,
)


class ExampleSource(Enum):
    """How a label came about."""

    QUESTION = "question"
    """An answer to a question that held a cell."""
    AUDIT = "audit"
    """An answer about a window that was decided alone."""
    TEACH = "teach"
    """A stored window labelled by choice."""
    IMPORT = "import"
    """A recording that brought its labels."""


@dataclass(frozen=True, slots=True)
class ExampleTally:
    """How many examples a family has; counted, not read.

    Attributes:
        usable: Neither taken back nor in quarantine.
        taken_back: When those that were taken back had been labelled, UTC.
    """

    usable: int
    taken_back: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A window with a human label and its provenance.

    Attributes:
        example_id: Unique for the life of the store.
        family: Family it teaches.
        cell_id: Where the window came from.
        window_id: The window.
        window_digest: Its evidence.
        group: Cycle and cell: windows of one group never straddle a split.
        label: What the person said.
        person: Who.
        device: On what.
        labelled_at: UTC.
        source: How the label came about.
        propensity: Probability with which this window could be asked, in (0, 1].
        model_digest: The model that had spoken; "" for none.
        guess: What it had said; "" for nothing.
        retracted: Taken back.
        quarantine: Why it is not used; "" when it is.
    """

    example_id: ExampleId
    family: FamilyId
    cell_id: CellId
    window_id: WindowId
    window_digest: Digest
    group: str
    label: str
    person: PersonId
    device: str
    labelled_at: datetime
    source: ExampleSource
    propensity: float
    model_digest: Digest
    guess: str
    retracted: bool = False
    quarantine: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The examples of one training, frozen, in the order they were labelled.

    Attributes:
        family: Family to train for.
        channel_names: In the order of the samples.
        labels: Label names, most severe first.
        must_never_miss: Labels whose recall may not fall.
        samples: float32, shape (examples, samples, channels).
        present: bool, shape (examples, channels).
        label_index: int64, shape (examples,), into labels.
        weights: float64, shape (examples,): inverse propensities.
        audited: bool, shape (examples,): from an audit sample.
        groups: One group an example.
        digest: SHA-256 over all of it.
        tolerated: Channels that may be absent; the model is trained to miss them.
        window_ids: One an example, so that a report can name its cases; () for none.
    """

    family: FamilyId
    channel_names: tuple[str, ...]
    labels: tuple[str, ...]
    must_never_miss: tuple[str, ...]
    samples: NDArray[np.float32]
    present: NDArray[np.bool_]
    label_index: NDArray[np.int64]
    weights: NDArray[np.float64]
    audited: NDArray[np.bool_]
    groups: tuple[str, ...]
    digest: Digest
    tolerated: tuple[str, ...] = ()
    window_ids: tuple[WindowId, ...] = ()


class ModelState(Enum):
    """Where a model stands on its way."""

    CANDIDATE = "candidate"
    """Trained."""
    VALIDATED = "validated"
    """Passed its validation."""
    SHADOW = "shadow"
    """Compared on live windows."""
    ARMED = "armed"
    """Waits for a safe point."""
    LIVE = "live"
    """Serves."""
    ROLLED_BACK = "rolled_back"
    """Served, and was taken back."""
    RETIRED = "retired"
    """Served, and was replaced."""
    REFUSED = "refused"
    """Did not pass."""


@dataclass(frozen=True, slots=True)
class HeldOutCase:
    """One example that a candidate did not learn from, and what it said.

    Attributes:
        window_id: The example's window.
        truth: What a person said.
        said: The candidate's first guess.
        confidence: Its calibrated probability, in [0, 1].
        novelty: 1.0 is the edge of the familiar.
    """

    window_id: WindowId
    truth: str
    said: str
    confidence: float
    novelty: float


@dataclass(frozen=True, slots=True)
class Report:
    """What validation found.

    Attributes:
        passed: Whether the candidate may serve.
        reasons: Why not, one sentence each; or why it is better.
        metrics: By name; shares in [0, 1]: accuracy, ece, aurc, coverage_at_threshold,
            error_at_threshold, recall.<label>, and the same with the prefix "serving.".
        examples: Held-out examples it was measured on.
        cases: Those examples, so that every number can be looked behind.
    """

    passed: bool
    reasons: tuple[str, ...]
    metrics: Mapping[str, float]
    examples: int
    cases: tuple[HeldOutCase, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A trained model as the store knows it.

    Attributes:
        digest: Its artifact.
        family: Family it serves.
        version: Number in the family, from 1.
        state: Where it stands.
        run_id: The training that made it.
        trained_at: UTC.
        training_s: How long the training took, in seconds.
        examples: Examples it was trained on.
        snapshot_digest: Which ones.
        parent: The model it was started from; "" for none.
        network: Name of the architecture.
        metrics: From its report.
        commit: Code that trained it.
        text: Why it was promoted or refused.
        live_at: UTC it began to serve.
        promoted_by: Person or policy.
    """

    digest: Digest
    family: FamilyId
    version: int
    state: ModelState
    run_id: RunId
    trained_at: datetime
    training_s: float
    examples: int
    snapshot_digest: Digest
    parent: Digest
    network: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    commit: str = ""
    text: str = ""
    live_at: datetime | None = None
    promoted_by: str = ""


class LearningPhase(Enum):
    """Where the learning of a family stands."""

    COLLECTING = "collecting"
    """Answers come in."""
    TRAINING = "training"
    """A child process trains."""
    VALIDATING = "validating"
    """The candidate is measured."""
    SHADOW = "shadow"
    """The candidate answers live windows beside the serving model."""
    ARMED = "armed"
    """The candidate waits for a person, or for a safe point."""


@dataclass(frozen=True, slots=True)
class LearningStatus:
    """The learning of one family, for people.

    Attributes:
        family: Family.
        phase: Where it stands.
        model_digest: Serving artifact; "" when everything is asked.
        model_version: Its number; 0 for none.
        examples: Labelled examples.
        until_training: Answers still missing until the next training.
        progress: Of the phase, in [0, 1].
        seconds_left: Estimate for the phase; None when there is none.
        text: One sentence about the last thing that happened.
        gate: On what the gate rests, and how far its evidence is.
    """

    family: FamilyId
    phase: LearningPhase = LearningPhase.COLLECTING
    model_digest: Digest = NO_DIGEST
    model_version: int = 0
    examples: int = 0
    until_training: int = 0
    progress: float = 0.0
    seconds_left: float | None = None
    text: str = ""
    gate: GateLine = field(default_factory=GateLine)
