"""What people say of stored windows, one after another, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType

from coordinator.terms.ids import (
    Digest,
    ExampleId,
    FamilyId,
    PersonId,
    WindowId,
)
from coordinator.terms.request import Actor

OpinionId = NewType("OpinionId", str)
NO_EXAMPLE = ExampleId("")
NO_WINDOW = WindowId("")


class Pick(Enum):
    """Why this window was handed to a person, and not another one."""

    MOST = "most"
    """It teaches most: the model doubts, and nothing like it is labelled."""
    TIME = "time"
    """It is the oldest."""
    SECOND = "second"
    """Another person has labelled it; drawn at random among those."""
    DISPUTED = "disputed"
    """People contradict each other about it."""
    ALIKE = "alike"
    """It is nearly the same as one that was shown."""
    AGAIN = "again"
    """This person took back what they had said of it."""
    LATE = "late"
    """Not known: its lease had run out when the person spoke."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person says of one stored window.

    Attributes:
        opinion_id: Unique for the life of the store.
        family: Family it teaches.
        window_id: The window.
        window_digest: Its evidence.
        person: Who.
        device: On what.
        said_at: UTC.
        label: What the person said; "" for "cannot tell".
        view_digest: What was shown.
        pick: Why this window was handed out.
        chance: Probability with which the pick fell on it, in (0, 1]; 1 by rule.
        example_id: The example that was made of it; "" for none.
        like: The window that was shown in its place; "" when it was shown itself.
    """

    opinion_id: OpinionId
    family: FamilyId
    window_id: WindowId
    window_digest: Digest
    person: PersonId
    device: str
    said_at: datetime
    label: str
    view_digest: Digest
    pick: Pick
    chance: float
    example_id: ExampleId = NO_EXAMPLE
    like: WindowId = NO_WINDOW

    @property
    def looked(self) -> bool:
        """Whether the person saw this very window."""
        return self.like == NO_WINDOW


@dataclass(frozen=True, slots=True)
class LabelPair:
    """How often two labels were said of the same window by two people.

    Attributes:
        labels: The two, in the order of the alphabet; twice the same: they agreed.
        count: Pairs of people, over all windows.
    """

    labels: tuple[str, str]
    count: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A window about which people contradict each other; nothing of it is learned.

    Attributes:
        window_id: The window.
        window_digest: Its evidence.
        said: Label and how many people said it, most first.
    """

    window_id: WindowId
    window_digest: Digest
    said: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree about the windows that two or more of them saw.

    Attributes:
        windows: Windows with two opinions or more.
        people: Who gave them.
        percent: Share of pairs of opinions that are alike, in [0, 1]; None for none.
        coefficient: "cohen" for two people, "krippendorff" for more; "" for none.
        value: Agreement beyond chance, at most 1; None when chance alone explains all.
        pairs: Pairs of labels, the commonest disagreement first, then the agreements.
        disputes: Open contradictions, oldest first.
        cannot_tell: Opinions that named no label.
    """

    windows: int = 0
    people: int = 0
    percent: float | None = None
    coefficient: str = ""
    value: float | None = None
    pairs: tuple[LabelPair, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    cannot_tell: int = 0


@dataclass(frozen=True, slots=True)
class PartyStatus:
    """How far the labelling of stored windows is.

    Attributes:
        family: Whose windows.
        left: Windows that nobody has labelled and that may be.
        second: Windows that wait for a second opinion.
        disputed: Windows that wait for a third, or for an engineer.
        taught: Opinions that stand.
        per_minute: Opinions a minute, over the last minutes.
        people: Who is here now.
        percent: Share of pairs of opinions that are alike; None before the first.
        value: Agreement beyond chance; None when it is not known.
        unread: Whether stored windows are still being read.
    """

    family: FamilyId
    left: int = 0
    second: int = 0
    disputed: int = 0
    taught: int = 0
    per_minute: float = 0.0
    people: tuple[PersonId, ...] = ()
    percent: float | None = None
    value: float | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class OpinionGiven:
    """A person said what a stored window is. Guard: this person's first about it."""

    opinion: Opinion
    actor: Actor


@dataclass(frozen=True, slots=True)
class OpinionTakenBack:
    """A person took an opinion back, and its example. Guard: it is theirs, and stands.

    Not ExampleRetracted, which is an engineer's: this is the person's own, and nothing
    that the gate rests on.
    """

    opinion_id: OpinionId
    actor: Actor


@dataclass(frozen=True, slots=True)
class ExampleReinstated:
    """An example that was kept apart is used again."""

    example_id: ExampleId
    reason: str


@dataclass(frozen=True, slots=True)
class LabelDecided:
    """A named person ended a contradiction; it holds whatever is said afterwards.

    Attributes:
        label: What the window is; "" for "nobody can tell": nothing of it is learned.
    """

    family: FamilyId
    window_id: WindowId
    window_digest: Digest
    label: str
    actor: Actor
    note: str = ""
