"""What the journal records of learning; part of terms.events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coordinator.terms.channels import Label
from coordinator.terms.ids import (
    NO_DIGEST,
    Digest,
    ExampleId,
    FamilyId,
    RunId,
)
from coordinator.terms.learning import Example, HeldOutCase, ModelRecord
from coordinator.terms.request import Actor


@dataclass(frozen=True, slots=True)
class ExampleAdded:
    """A label became an example."""

    example: Example


@dataclass(frozen=True, slots=True)
class ExampleQuarantined:
    """An example is kept, and not used."""

    example_id: ExampleId
    reason: str


@dataclass(frozen=True, slots=True)
class ExampleRetracted:
    """A label was taken back."""

    example_id: ExampleId
    actor: Actor
    note: str = ""


@dataclass(frozen=True, slots=True)
class LabelAdded:
    """A family has a new label."""

    family: FamilyId
    label: Label
    actor: Actor


@dataclass(frozen=True, slots=True)
class DatasetImported:
    """A labelled recording was imported.

    Attributes:
        source_digest: SHA-256 over the imported file.
        windows: How many windows it gave.
    """

    family: FamilyId
    dataset: str
    source_digest: Digest
    windows: int
    actor: Actor


@dataclass(frozen=True, slots=True)
class TrainingStarted:
    """A training began."""

    run_id: RunId
    family: FamilyId
    trigger: str
    examples: int
    snapshot_digest: Digest
    parent: Digest


@dataclass(frozen=True, slots=True)
class TrainingEnded:
    """A training ended; outcome is trained, failed or cancelled."""

    run_id: RunId
    family: FamilyId
    outcome: str
    text: str
    model_digest: Digest = NO_DIGEST


@dataclass(frozen=True, slots=True)
class ModelRegistered:
    """A candidate exists and its file is durable."""

    model: ModelRecord


@dataclass(frozen=True, slots=True)
class ModelRefused:
    """A candidate may not serve; cases are what its validation rests on."""

    model_digest: Digest
    family: FamilyId
    reasons: tuple[str, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)
    cases: tuple[HeldOutCase, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelValidated:
    """A candidate may serve; cases are what its validation rests on."""

    model_digest: Digest
    family: FamilyId
    text: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    cases: tuple[HeldOutCase, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPromoted:
    """A model serves from here on; the one before is retired."""

    model_digest: Digest
    family: FamilyId
    previous: Digest
    actor: Actor
    text: str = ""


@dataclass(frozen=True, slots=True)
class ModelRolledBack:
    """The model before serves again; "" means everything is asked."""

    model_digest: Digest
    family: FamilyId
    restored: Digest
    actor: Actor
    text: str = ""
