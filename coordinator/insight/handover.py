"""The hand-over sheet: what waits, what stood still, what was changed; in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.history import History, Wanted
from coordinator.insight.explain import sentence
from coordinator.insight.numbers import Row
from coordinator.store.codec import decode
from coordinator.terms import (
    CellState,
    CellStatus,
    OperatorRequest,
    RequestKind,
    events,
)
from coordinator.terms.events import JournalEntry

MOST_LINES: Final = 40
"""Lines of a section: a sheet is read standing."""

_PAGE: Final = 500

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "held": ("HoldUnconfirmed",),
    "timed_out": ("RequestEnded", "PartRejected"),
    "models": ("ModelPromoted", "ModelRolledBack", "ModelRefused"),
    "gate": ("GateCertified", "ProvisionalGranted", "GateClosed", "EvidenceRestarted"),
}
"""Which kinds of entry are told where, a line each; holds are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet.

    Attributes:
        cell_id: The cell, "" for none.
        text: One sentence.
        at: UTC it happened, or since when; None for what has no time.
        request_id: The request it is about, "" for none.
    """

    cell_id: str
    text: str
    at: datetime | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the sheet, by name; no lines: nothing to hand over."""

    name: str
    lines: tuple[Line, ...]


def waiting(open_requests: Sequence[OperatorRequest]) -> Section:
    """What nobody has answered yet."""
    lines = [
        Line(
            r.cell_id,
            f"{'question' if r.kind is RequestKind.QUESTION else 'audit'}: {r.reason}"
            + (f" {r.claimed_by} is at it." if r.claimed_by else ""),
            r.raised_at,
            r.request_id,
        )
        for r in open_requests
    ]
    return Section("waiting", tuple(lines[:MOST_LINES]))


def standing(cells: Sequence[CellStatus]) -> Section:
    """Which cells stand still now, and why."""
    still = {CellState.HELD, CellState.OFFLINE, CellState.MAINTENANCE}
    lines = [
        Line(c.cell_id, f"{c.state.value}: {c.text or 'no reason is known'}")
        for c in cells
        if c.state in still
    ]
    return Section("cells", tuple(lines))


def happened(entries: Sequence[JournalEntry]) -> list[Section]:
    """What happened since the shift began, by section.

    Args:
        entries: Of the kinds in SECTIONS, oldest first.
    """
    found: dict[str, list[Line]] = {name: [] for name in SECTIONS}
    holds: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
    for entry in entries:
        event = decode(entry.kind, entry.payload_json)
        if isinstance(event, events.HoldPlaced):
            kind = (event.cell_id, event.reason.name)
            holds.setdefault(kind, []).append((entry.recorded_at, event.text))
        if (
            isinstance(event, events.RequestEnded)
            and event.outcome.value != "timed_out"
        ):
            continue
        for name, kinds in SECTIONS.items():
            if entry.kind in kinds:
                cell = getattr(event, "cell_id", "")
                about = getattr(event, "request_id", "")
                line = Line(cell, sentence(event), entry.recorded_at, about)
                found[name].append(line)
    found["held"] += _counted(holds)
    return [Section(name, tuple(lines[-MOST_LINES:])) for name, lines in found.items()]


def _counted(
    holds: Mapping[tuple[str, str], Sequence[tuple[datetime, str]]],
) -> list[Line]:
    """One line a cell and reason, the most frequent first, with the last of them."""
    often = sorted(holds.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = []
    for (cell, reason), times in often:
        at, text = times[-1]
        count = "once" if len(times) == 1 else f"{len(times)} times"
        lines.append(Line(cell, f"{count}, {reason}; the last: {text}", at))
    return lines


async def since(history: History, moment: datetime) -> list[JournalEntry]:
    """Read the entries of the kinds in SECTIONS since a moment, oldest first."""
    kinds = ("HoldPlaced", *(kind for group in SECTIONS.values() for kind in group))
    found: list[JournalEntry] = []
    before = 0
    while True:
        page = await history.journal_page(
            Wanted(kinds=kinds, before_seq=before, limit=_PAGE)
        )
        fresh = [entry for entry in page.entries if entry.recorded_at >= moment]
        found += fresh
        before = page.next_before_seq
        if not before or len(fresh) < len(page.entries) or not page.entries:
            return found[::-1]


def summed(whole: Row) -> Section:
    """The shift in three numbers."""
    n = whole.numbers
    lines = [
        Line(
            "",
            f"{n.get('questions_count', 0):.0f} questions, "
            f"{n.get('answers_count', 0):.0f} answers, "
            f"{n.get('timed_out_count', 0):.0f} nobody answered in time.",
        ),
    ]
    if "automation_share" in n:
        lines.append(Line("", f"{n['automation_share']:.0%} decided alone."))
    if "waiting_for_human_share" in n:
        share = n["waiting_for_human_share"]
        lines.append(Line("", f"{share:.0%} of the time waiting for a person."))
    return Section("numbers", tuple(lines))
