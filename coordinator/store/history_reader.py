"""What looking back reads: small rows, unpacked by SQLite and not by Python.

A day of a plant is a hundred thousand entries; decoding each would keep the threads of
the live loop from running. json_extract runs without Python's lock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from coordinator.errors import StoreIntegrityError
from coordinator.history import (
    JournalPage,
    Past,
    PastCase,
    PastDecision,
    PastMove,
    PastRelease,
    PastRequest,
    Validation,
    Wanted,
)
from coordinator.store import journal
from coordinator.store.codec import decode, read_time, write_time
from coordinator.terms import (
    NO_CLIP,
    CellId,
    CellState,
    ClipId,
    Decision,
    DecisionId,
    HeldOutCase,
    Outcome,
    RequestId,
    RequestKind,
    WindowId,
    events,
)

MOST_EXAMINED: Final = 200_000
"""Journal entries that one page may look through; the next page goes on there."""

_CLIP: Final = """(SELECT c.clip_id FROM clips AS c
    WHERE c.window_id = d.window_id AND NOT c.removed)"""


def first_seq(db: sqlite3.Connection, since: str) -> int:
    """The first entry recorded at a time or later; one past the end if there is none.

    Entries are numbered in the order of time, so twenty looks find it among a million.
    """
    (last,) = db.execute("SELECT COALESCE(MAX(seq), 0) FROM journal").fetchone()
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        row = db.execute(
            "SELECT recorded_at FROM journal WHERE seq = ?", (middle,)
        ).fetchone()
        if row is not None and row[0] < since:
            low = middle + 1
        else:
            high = middle
    return int(low)


def past(db: sqlite3.Connection, since: datetime, until: datetime) -> Past:
    """Return what happened from one moment to another."""
    first, end = (first_seq(db, write_time(at)) for at in (since, until))
    return Past(
        since=since,
        until=until,
        decisions=_decisions(db, first, end),
        requests=_requests(db, first, end),
        moves=_moves(db, first, end),
        releases=_releases(db, first, end),
        now=_states(db, end),
    )


def _decisions(db: sqlite3.Connection, first: int, end: int) -> list[PastDecision]:
    rows = db.execute(
        """SELECT recorded_at, json_extract(payload, '$.decision_id'),
        json_extract(payload, '$.cell_id'), json_extract(payload, '$.verdict.decision'),
        json_extract(payload, '$.part_id'), json_extract(payload, '$.cycle'),
        json_extract(payload, '$.verdict.prediction.labels'),
        json_extract(payload, '$.verdict.prediction.probabilities')
        FROM journal WHERE seq >= ? AND seq < ? AND kind = 'WindowDecided'
        AND json_extract(payload, '$.kind') = 'decision' ORDER BY seq""",
        (first, end),
    )
    return [
        PastDecision(
            at=read_time(at),
            decision_id=DecisionId(decision_id),
            cell_id=CellId(cell_id),
            decision=Decision(decision),
            part=part or f"cycle {cycle}",
            guess=_guess(labels, beliefs)[0],
        )
        for at, decision_id, cell_id, decision, part, cycle, labels, beliefs in rows
    ]


def _guess(labels: str | None, beliefs: str | None) -> tuple[str, float]:
    """The first guess and its probability; ("", 0) without a model."""
    if labels is None or beliefs is None:
        return "", 0.0
    names, shares = json.loads(labels), json.loads(beliefs)
    sure = [share if isinstance(share, float | int) else 0.0 for share in shares]
    best = max(range(len(sure)), key=sure.__getitem__, default=None)
    return ("", 0.0) if best is None else (names[best], float(sure[best]))


def _requests(db: sqlite3.Connection, first: int, end: int) -> list[PastRequest]:
    rows = db.execute(
        """SELECT r.request_id, r.cell_id, r.decision_id, r.kind, r.outcome,
        j.recorded_at, r.seen_at, r.claimed_at, r.resolved_at, r.label,
        json_extract(j.payload, '$.request.guess')
        FROM requests AS r JOIN journal AS j ON j.seq = r.seq
        WHERE r.seq < ? AND (r.seq >= ? OR r.outcome = 'open' OR r.resolved_seq >= ?)
        AND r.request_id NOT IN (SELECT request_id FROM known_cases)
        ORDER BY r.seq""",
        (end, first, first),
    )
    return [
        PastRequest(
            request_id=RequestId(row[0]),
            cell_id=CellId(row[1]),
            decision_id=DecisionId(row[2]),
            kind=RequestKind(row[3]),
            outcome=Outcome(row[4]),
            raised_at=read_time(row[5]),
            seen_at=_time(row[6]),
            claimed_at=_time(row[7]),
            resolved_at=_time(row[8]),
            label=row[9],
            guess=row[10] or "",
        )
        for row in rows
    ]


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)


def _moves(db: sqlite3.Connection, first: int, end: int) -> list[PastMove]:
    rows = db.execute(
        """SELECT recorded_at, json_extract(payload, '$.cell_id'),
        json_extract(payload, '$.before'), json_extract(payload, '$.after')
        FROM journal WHERE seq >= ? AND seq < ? AND kind = 'CellMoved' ORDER BY seq""",
        (first, end),
    )
    return [
        PastMove(read_time(at), CellId(cell), CellState(before), CellState(after))
        for at, cell, before, after in rows
    ]


def _releases(db: sqlite3.Connection, first: int, end: int) -> list[PastRelease]:
    rows = db.execute(
        """SELECT recorded_at, json_extract(payload, '$.cell_id'),
        json_extract(payload, '$.actor.person') FROM journal
        WHERE seq >= ? AND seq < ? AND kind = 'HoldReleased' ORDER BY seq""",
        (first, end),
    )
    return [PastRelease(read_time(at), CellId(cell), who) for at, cell, who in rows]


def _states(db: sqlite3.Connection, end: int) -> dict[CellId, CellState]:
    """The states before an entry: those of now, with what came later taken back."""
    states = {
        CellId(cell): CellState(state)
        for cell, state in db.execute("SELECT cell_id, state FROM cells")
    }
    later = db.execute(
        """SELECT json_extract(payload, '$.cell_id'), json_extract(payload, '$.before')
        FROM journal WHERE seq >= ? AND kind = 'CellMoved' ORDER BY seq DESC""",
        (end,),
    )
    for cell, before in later:
        states[CellId(cell)] = CellState(before)
    return states


def journal_page(db: sqlite3.Connection, wanted: Wanted) -> JournalPage:
    """Return a page of the journal, newest first; see MOST_EXAMINED."""
    (last,) = db.execute("SELECT COALESCE(MAX(seq), 0) FROM journal").fetchone()
    before = wanted.before_seq or last + 1
    floor = max(0, before - 1 - MOST_EXAMINED)
    # The payload is canonical JSON: a name in it reads exactly so, and what people
    # typed cannot, because its quotes are escaped.
    where = ["seq < ?", "seq > ?"]
    values: list[object] = [before, floor]
    for name, value in (("cell_id", wanted.cell_id), ("person", wanted.person)):
        if value:
            where.append("instr(payload, ?) > 0")
            values.append(f'"{name}":{json.dumps(value)}')
    if wanted.kinds:
        where.append(f"kind IN ({', '.join('?' * len(wanted.kinds))})")
        values += wanted.kinds
    if wanted.about:
        where.append("seq IN (SELECT seq FROM mentions WHERE about = ?)")
        values.append(wanted.about)
    rows = db.execute(
        f"{journal.SELECT} WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?",
        (*values, wanted.limit),
    ).fetchall()
    full = len(rows) == wanted.limit
    reached = rows[-1][0] if full else floor + 1
    return JournalPage(
        entries=[journal.entry(row) for row in rows],
        next_before_seq=reached if reached > 1 else 0,
    )


def follows_chain(db: sqlite3.Connection, entries: int) -> str:
    """Follow the chain through the newest entries; what is wrong, or ""."""
    try:
        journal.check_tail(db, entries)
    except StoreIntegrityError as error:
        return error.text
    return ""


def validation(db: sqlite3.Connection, model: str) -> Validation | None:
    """Return what a model's validation kept; None before it was judged."""
    row = db.execute(
        """SELECT j.kind, j.payload FROM mentions AS m JOIN journal AS j
        ON j.seq = m.seq WHERE m.about = ?
        AND j.kind IN ('ModelValidated', 'ModelRefused')
        ORDER BY j.seq DESC LIMIT 1""",
        (model,),
    ).fetchone()
    if row is None:
        return None
    judged = cast(events.ModelValidated | events.ModelRefused, decode(*row))
    match judged:
        case events.ModelValidated():
            return Validation(True, (judged.text,), judged.cases)  # noqa: FBT003
        case events.ModelRefused():
            return Validation(False, judged.reasons, judged.cases)  # noqa: FBT003


def live_cases(db: sqlite3.Connection, family: str, model: str) -> list[PastCase]:
    """Return the answered windows that a model had spoken about, newest first."""
    (since,) = db.execute(
        "SELECT COALESCE(MIN(seq), 0) FROM models WHERE digest = ?", (model,)
    ).fetchone()
    rows = db.execute(
        f"""SELECT d.window_id, r.request_id, r.cell_id,
        json_extract(j.payload, '$.part_id'), json_extract(j.payload, '$.cycle'),
        r.label, json_extract(j.payload, '$.verdict.prediction.labels'),
        json_extract(j.payload, '$.verdict.prediction.probabilities'),
        json_extract(j.payload, '$.verdict.prediction.novelty'),
        r.kind, j.recorded_at, {_CLIP}
        FROM requests AS r JOIN decisions AS d ON d.decision_id = r.decision_id
        JOIN journal AS j ON j.seq = d.seq
        WHERE d.seq > ? AND r.outcome = 'answered' AND r.label <> ''
        AND r.request_id NOT IN (SELECT request_id FROM known_cases)
        AND json_extract(j.payload, '$.family') = ?
        AND json_extract(j.payload, '$.verdict.prediction.model_digest') = ?
        ORDER BY d.seq DESC""",  # noqa: S608 - columns only
        (since, family, model),
    )
    return [_case(row) for row in rows]


def _case(row: Sequence[object]) -> PastCase:
    window, request, cell, part, cycle, truth, labels, beliefs, novelty, *rest = row
    kind, at, clip = rest
    said, confidence = _guess(cast(str | None, labels), cast(str | None, beliefs))
    return PastCase(
        window_id=WindowId(str(window)),
        request_id=str(request),
        cell_id=CellId(str(cell)),
        part_id=str(part),
        cycle=int(cast(int, cycle)),
        truth=str(truth),
        said=said,
        confidence=confidence,
        novelty=float(novelty) if isinstance(novelty, float | int) else float("inf"),
        alone=kind == RequestKind.AUDIT.value,
        at=read_time(at),
        clip_id=NO_CLIP if clip is None else ClipId(str(clip)),
    )


def cases_of(db: sqlite3.Connection, held_out: Sequence[HeldOutCase]) -> list[PastCase]:
    """Return held-out examples with where they came from, in the same order."""
    found = []
    for case in held_out:
        row = db.execute(
            f"""SELECT json_extract(j.payload, '$.example.cell_id'),
            json_extract(j.payload, '$.example.source'), j.recorded_at,
            r.request_id, d.decision_id, {_CLIP},
            (SELECT w.facts FROM windows AS w WHERE w.window_id = x.window_id)
            FROM examples AS x JOIN journal AS j ON j.seq = x.seq
            LEFT JOIN decisions AS d ON d.window_id = x.window_id
            LEFT JOIN requests AS r ON r.decision_id = d.decision_id
            AND r.request_id NOT IN (SELECT request_id FROM known_cases)
            WHERE x.window_id = ? ORDER BY r.seq DESC, d.seq DESC LIMIT 1""",  # noqa: S608
            (case.window_id,),
        ).fetchone()
        if row is None:
            continue
        cell, source, at, request, _, clip, facts = row
        about = json.loads(facts) if facts else {}
        found.append(
            PastCase(
                window_id=case.window_id,
                request_id=request or "",
                cell_id=CellId(cell),
                part_id=str(about.get("part_id", "")),
                cycle=int(about.get("cycle", 0)),
                truth=case.truth,
                said=case.said,
                confidence=case.confidence,
                novelty=case.novelty,
                alone=source == "audit",
                at=read_time(at),
                clip_id=NO_CLIP if clip is None else ClipId(clip),
            )
        )
    return found
