"""The seam to the past: what looking back reads from a store, as small values.

Part of `seams`. Nothing here decides about a robot; reading fails to "say so".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coordinator.terms import (
    CellId,
    CellState,
    ClipId,
    Decision,
    DecisionId,
    Digest,
    FamilyId,
    HeldOutCase,
    Outcome,
    RequestId,
    RequestKind,
    WindowId,
)
from coordinator.terms.events import JournalEntry
from coordinator.terms.known import Asked, KnownCase


@dataclass(frozen=True, slots=True)
class PastDecision:
    """One decision window and what the gate said.

    Attributes:
        part: Id of the part, or of the cycle where parts have no names.
        guess: The model's first guess; "" without a model.
    """

    at: datetime
    decision_id: DecisionId
    cell_id: CellId
    decision: Decision
    part: str
    guess: str


@dataclass(frozen=True, slots=True)
class PastRequest:
    """One request as it stands now; times as in OperatorRequest."""

    request_id: RequestId
    cell_id: CellId
    decision_id: DecisionId
    kind: RequestKind
    outcome: Outcome
    raised_at: datetime
    seen_at: datetime | None
    claimed_at: datetime | None
    resolved_at: datetime | None
    label: str
    guess: str


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """One final answer, without who gave it.

    Attributes:
        team: Of who gave it, as it is now; "" for none.
        known_label: Of a known case, what people had agreed; "" for every other.
    """

    team: str
    family: FamilyId
    kind: RequestKind
    guess: str
    label: str
    known_label: str


@dataclass(frozen=True, slots=True)
class PastMove:
    """A cell went from one state to another."""

    at: datetime
    cell_id: CellId
    before: CellState
    after: CellState


@dataclass(frozen=True, slots=True)
class PastRelease:
    """A held cell was let go, by a person or a policy."""

    at: datetime
    cell_id: CellId
    person: str


@dataclass(frozen=True, slots=True)
class Past:
    """What happened in a stretch of time, in the order in which it was recorded.

    Attributes:
        since: UTC it begins.
        until: UTC it ends.
        requests: Raised or ended in it, or still open.
        now: The state of every cell at its end.
    """

    since: datetime
    until: datetime
    decisions: Sequence[PastDecision] = ()
    requests: Sequence[PastRequest] = ()
    moves: Sequence[PastMove] = ()
    releases: Sequence[PastRelease] = ()
    now: Mapping[CellId, CellState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastCase:
    """A window of which a person said what it is, and what a model had said.

    Attributes:
        alone: It was decided alone, and audited.
        clip_id: Full-rate recording, "" for none.
    """

    window_id: WindowId
    request_id: str
    cell_id: CellId
    part_id: str
    cycle: int
    truth: str
    said: str
    confidence: float
    novelty: float
    alone: bool
    at: datetime
    clip_id: ClipId


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which journal entries are wanted; "" and () want all.

    Attributes:
        cell_id: Entries that name this cell.
        kinds: Kinds of event.
        person: Entries that name this person.
        about: Entries about this id.
        before_seq: Only entries before this one; 0 begins with the newest.
        limit: Most entries.
    """

    cell_id: str = ""
    kinds: tuple[str, ...] = ()
    person: str = ""
    about: str = ""
    before_seq: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Some entries, newest first.

    Attributes:
        next_before_seq: Where the next page begins; 0 at the beginning of the journal.
    """

    entries: Sequence[JournalEntry]
    next_before_seq: int


@dataclass(frozen=True, slots=True)
class Validation:
    """What a validation kept: whether it passed, why, and its cases."""

    passed: bool
    reasons: tuple[str, ...]
    cases: tuple[HeldOutCase, ...]


class History(Protocol):
    """Reads of the past, over query-only connections."""

    async def past(self, since: datetime, until: datetime) -> Past:
        """Return what happened from one moment to another, UTC."""

    async def journal_page(self, wanted: Wanted) -> JournalPage:
        """Return a page of the journal, newest first."""

    async def follows_chain(self, entries: int) -> str:
        """Follow the chain through the newest entries; say what is wrong, or ""."""

    async def validation(self, model: Digest) -> Validation | None:
        """Return what a model's validation kept; None before it was judged."""

    async def answers(self, since: datetime, until: datetime) -> Sequence[PastAnswer]:
        """Return the final answers of a stretch of time, oldest first."""

    async def team_sizes(self) -> Mapping[str, int]:
        """Count the people of each team, "" for none; locked accounts are nobody."""

    async def asked(self) -> Asked:
        """Count the requests there ever were."""

    async def known_cases(
        self, family: FamilyId, labels: Collection[str], before: datetime
    ) -> Sequence[KnownCase]:
        """Return the windows that may be shown as known cases, the newest first.

        Args:
            family: Whose windows.
            labels: The labels it has now.
            before: Agreed by then, UTC.
        """

    async def live_cases(self, family: FamilyId, model: Digest) -> Sequence[PastCase]:
        """Return the answered windows that a model had spoken about, newest first."""

    async def cases_of(self, held_out: Sequence[HeldOutCase]) -> Sequence[PastCase]:
        """Return held-out examples with where they came from, in the same order."""
