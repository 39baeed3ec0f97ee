"""What looking back shows, as values: numbers, reports, cases, the journal, sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """The key numbers of all cells, of a family or of one cell.

    Attributes:
        numbers: By name; what cannot be measured is not there.
        trends: By name, oldest part first; NaN where there was nothing to measure.
    """

    family: str
    cell_id: str
    numbers: Mapping[str, float]
    trends: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """On what the gate of a family rests, and how often it was wrong.

    Attributes:
        needed: Cases at which a certificate is to be expected; 0 when none is.
        wrong: Share of what was decided alone that was wrong, by audits; with its
            interval from low to high.
        wrong_audited: Audits that it rests on; 0: nothing is known.
    """

    family: str
    state: str = ""
    text: str = ""
    alpha: float = 0.0
    delta: float = 0.0
    audited: int = 0
    needed: int = 0
    wrong: float = 0.0
    wrong_low: float = 0.0
    wrong_high: float = 1.0
    wrong_audited: int = 0
    wrong_decided: int = 0
    groups: tuple[tuple[tuple[str, ...], float], ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """What a team caught; "" is all together.

    Attributes:
        faults: Questions called a fault where the model had guessed none.
        errors: Audits that found the model wrong.
        known: Known cases that were answered.
        known_right: Of those, as people had agreed before.
    """

    team: str
    faults: int
    errors: int
    known: int
    known_right: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a time: rows, the gates now, and what teams caught if wanted."""

    span: str = ""
    rows: tuple[Row, ...] = ()
    gates: tuple[Gate, ...] = ()
    from_at: datetime | None = None
    until_at: datetime | None = None
    teams: tuple[Team, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """How a model did on windows of which people said what they are.

    Attributes:
        passed: It may serve; None for live windows.
        confusion: Count by truth and by what was said.
        curve: Coverage, risk and confidence, the surest windows first.
        reliability: Confidence, share right and count, the least sure first.
    """

    labels: tuple[str, ...]
    cases: int
    confusion: Mapping[tuple[str, str], int]
    curve: tuple[tuple[float, float, float], ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()
    passed: bool | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reports:
    """What is known of a model: by its validation, and by its live windows."""

    digest: str
    held_out: Report | None = None
    live: Report | None = None


@dataclass(frozen=True, slots=True)
class CasesAsked:
    """Which cases are wanted; "" for any truth, or anything said."""

    family: str
    digest: str
    version: int
    held_out: bool
    truth: str = ""
    said: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One window behind a number."""

    window_id: str
    request_id: str
    cell_id: str
    part_id: str
    cycle: int
    clip_id: str
    truth: str
    said: str
    confidence: float
    novelty: float
    alone: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases behind a number, and how many there are in all."""

    asked: CasesAsked
    cases: tuple[Case, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class JournalAsked:
    """Which entries are wanted; "" wants all.

    Attributes:
        token: Of the page before; "" for the newest.
    """

    cell_id: str = ""
    kind: str = ""
    person: str = ""
    about: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One entry of the journal."""

    seq: int
    at: datetime | None
    kind: str
    text: str
    cell_id: str = ""
    person: str = ""
    payload_json: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A page of the journal, newest first.

    Attributes:
        earlier: Token of the page before this one in time; "" at the beginning.
        check: What following the chain found; "" before anybody asked.
        story: What happened around one entry, a line each; () when none is shown.
    """

    asked: JournalAsked = JournalAsked()
    lines: tuple[JournalLine, ...] = ()
    earlier: str = ""
    head_seq: int = 0
    check: str = ""
    intact: bool = True
    story: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line of the hand-over sheet."""

    cell_id: str
    text: str
    at: datetime | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The hand-over sheet: lines by section, in the order in which to read them."""

    sections: tuple[tuple[str, tuple[SheetLine, ...]], ...] = ()
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What was fetched of the past, for the screens that show it."""

    numbers: Numbers = Numbers()
    reports: Reports | None = None
    gates: Mapping[str, Gate] = field(default_factory=dict)
    cases: Cases | None = None
    journal: Journal = Journal()
    sheet: Sheet | None = None
