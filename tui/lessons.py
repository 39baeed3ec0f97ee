"""Labelling stored windows: what one person sees of the party, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tui.evidence import Evidence
from tui.terms import Label
from tui.words import plant, say


@dataclass(frozen=True, slots=True)
class Party:
    """How far the labelling of one family is.

    Attributes:
        left: Windows that nobody has labelled.
        second: Windows that wait for a second opinion.
        disputed: Windows about which people contradict each other.
        per_minute: Opinions a minute.
        people: Who is here.
        percent: Share of pairs of opinions that are alike; None before the first.
        value: Agreement beyond chance; None while it is not known.
        unread: Stored windows are still being read.
    """

    left: int = 0
    second: int = 0
    disputed: int = 0
    per_minute: float = 0.0
    people: tuple[str, ...] = ()
    percent: float | None = None
    value: float | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """One stored window in this person's hands.

    Attributes:
        window_id: Which.
        view_digest: What is shown; the answer carries it back.
        cell_id: Where it came from.
        part_id: Serial number of the part.
        cycle: Cycle of its cell.
        evidence: Its traces, as the strips draw them.
    """

    window_id: str
    view_digest: str
    cell_id: str
    part_id: str
    cycle: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Handed:
    """What the coordinator lends at once."""

    lessons: tuple[Lesson, ...]
    labels: tuple[Label, ...]
    party: Party


@dataclass(frozen=True, slots=True)
class Alike:
    """Windows nearly the same as the one that is shown.

    Attributes:
        count: How many, without the one that is shown.
        digest: Of all of them; the answer carries it back.
        edge: The one least alike.
    """

    count: int
    digest: str
    edge: Lesson


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of a window, as it is sent: again, it is the same.

    Attributes:
        lesson: The window.
        label: What it is; "" for "cannot tell".
        key: Idempotency key.
        alike: Digest of the windows that get the label too; "" for none.
    """

    lesson: Lesson
    label: str
    key: str
    alike: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the coordinator made durable of a word.

    Attributes:
        opinion_id: For taking it back.
        contradicted: Another person said otherwise: it is not learned for now.
        labelled: Windows that got the label.
    """

    opinion_id: str
    contradicted: bool
    labelled: int
    party: Party


class Stage(Enum):
    """Where this person stands."""

    COMING = "coming"
    """Windows are on their way."""
    LOOKING = "looking"
    """A window is shown and can be labelled."""
    EDGE = "edge"
    """The edge of what is alike is shown: a label key labels all."""
    DONE = "done"
    """There is nothing for this person now."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the teach screen draws.

    Attributes:
        family: Whose windows.
        stage: Where this person stands.
        lesson: The window that is shown; None when there is none.
        labels: On the keys, always in the same order.
        party: How far it is.
        alike: What gets the label too, at its edge.
        given: Opinions of this person since they came.
        unsent: Words that nobody has confirmed.
        last: The label of the word before, "" for "cannot tell"; None for no word.
        oldest_first: In the order of time.
    """

    family: str
    stage: Stage = Stage.COMING
    lesson: Lesson | None = None
    labels: tuple[Label, ...] = ()
    party: Party = Party()
    alike: Alike | None = None
    given: int = 0
    unsent: int = 0
    last: str | None = None
    oldest_first: bool = False

    def called(self, name: str) -> str:
        """What people here call a label; "" is "cannot tell"."""
        if not name:
            return say("request.cannot_tell")
        found = next((label for label in self.labels if label.name == name), None)
        here = plant(name)
        return found.text or here if found is not None and here == name else here

    @property
    def shown(self) -> Lesson | None:
        """The window whose traces are drawn: the edge of what is alike, or the own."""
        return self.alike.edge if self.alike is not None else self.lesson
