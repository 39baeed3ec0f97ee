"""What a cell's sensors and answers mean: channels, labels, families."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from coordinator.terms.ids import Digest, FamilyId


class ChannelPolicy(Enum):
    """What the absence of a channel means."""

    REQUIRED = "required"
    """The window is not usable: HOLD."""
    ASK = "ask"
    """An operator decides."""
    TOLERATE = "tolerate"
    """The channel is masked; the model is trained for it."""


class Action(Enum):
    """What a label lets the robot do."""

    CONTINUE = "continue"
    """Accept the part, go on."""
    REWORK = "rework"
    """Do the operation again on the same part."""
    REJECT = "reject"
    """Put the part aside, go on with the next."""
    STOP = "stop"
    """Never a permit: the cell is held and a person looks."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One sensor signal.

    Attributes:
        name: Unique in the family.
        unit: SI unit, for example "N*m".
        minimum: Least plausible value, in unit.
        maximum: Greatest plausible value, in unit.
        policy: What its absence means.
        stuck_rows: So many equal rows in a row mean a dead sensor; 0 means never.
        source: Where a node finds it: topic name, message field, joint or axis.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    policy: ChannelPolicy = ChannelPolicy.REQUIRED
    stuck_rows: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that can be said of a window.

    Attributes:
        name: Unique in the family.
        action: What it lets the robot do.
        must_never_miss: A model that misses it more than the serving one is refused.
        text: What people read.
        urgent: An answer with it is final at once: nothing waits for an undo.
        second_opinion: An answer with it counts when a second person agrees.
    """

    name: str
    action: Action
    must_never_miss: bool = False
    text: str = ""
    urgent: bool = False
    second_opinion: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Cells of one kind: they share channels, labels, examples and the model.

    Attributes:
        family_id: Unique.
        channels: In the order of the samples.
        labels: Most severe first.
        default_label: Said of a window of which nothing else is said.
        rows: Samples of a decision window.
        monitor_rows: Samples of a monitor window.
        text: What people read.
    """

    family_id: FamilyId
    channels: tuple[Channel, ...]
    labels: tuple[Label, ...]
    default_label: str
    rows: int = 128
    monitor_rows: int = 32
    text: str = ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels, most severe first."""
        return tuple(label.name for label in self.labels)

    def label(self, name: str) -> Label | None:
        """Return the label of this name, or None if the family has none."""
        return next((label for label in self.labels if label.name == name), None)

    @property
    def schema_digest(self) -> Digest:
        """Identity of the channel order and units."""
        return schema_digest([(c.name, c.unit) for c in self.channels])


def schema_digest(names_and_units: Sequence[tuple[str, str]]) -> Digest:
    """SHA-256 over channel names and units in order, one line "name<TAB>unit" each.

    A node computes the same from its own configuration; sessions with another digest
    are refused, because swapped channels would go unnoticed.
    """
    text = "".join(f"{name}\t{unit}\n" for name, unit in names_and_units)
    return Digest(hashlib.sha256(text.encode()).hexdigest())
