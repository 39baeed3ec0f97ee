"""What the gate reads after a restart: on what it rests, and the cases behind it."""

from __future__ import annotations

import sqlite3
from typing import cast

from coordinator.store.codec import decode, read_time
from coordinator.terms import (
    Certificate,
    GateCase,
    GateRow,
    Outcome,
    Permission,
)
from coordinator.terms import events as e


def gate(db: sqlite3.Connection, family: str) -> GateRow:
    """Return on what a family's gate rests, about the model that serves now.

    A certificate from before the serving model's promotion is void, and so is the
    evidence: another model served in between, or this one was taken back.
    """
    promoted = _promoted_seq(db, family)
    row = db.execute(
        """SELECT certified_seq, granted_seq, closed_seq, evidence_seq, source
        FROM gates WHERE family = ?""",
        (family,),
    ).fetchone()
    if row is None:
        return GateRow(evidence_seq=promoted)
    certified, granted, closed, evidence, source = row
    if certified is not None and certified < promoted:
        certified = None
    evidence = max(evidence, promoted)
    opened = certified or max(granted or 0, evidence if granted else 0)
    return GateRow(
        certificate=None if certified is None else _certificate(db, certified),
        permission=None if granted is None else _permission(db, granted),
        closed_text="" if closed is None else _closed(db, closed),
        source=source,
        opened_seq=opened,
        evidence_seq=evidence,
    )


def cases(
    db: sqlite3.Connection, family: str, model: str, after_seq: int
) -> list[GateCase]:
    """Return what was judged with a model's answer, oldest first.

    The newest request about a decision tells what people said of it. A label that was
    taken back counts as never given. What people say of stored windows counts for
    nothing here, given or taken back: those windows were chosen, not drawn. Nor does
    what they say of a known case.
    """
    taken_back = {
        window_id
        for (window_id,) in db.execute(
            """SELECT window_id FROM examples WHERE family = ? AND retracted
            AND example_id NOT IN (SELECT example_id FROM opinions)""",
            (family,),
        )
    }
    rows = db.execute(
        """SELECT d.seq, j.recorded_at, j.kind, j.payload, r.outcome, r.label,
        r.resolved_seq FROM decisions AS d JOIN journal AS j ON j.seq = d.seq
        LEFT JOIN requests AS r ON r.decision_id = d.decision_id AND r.seq = (
            SELECT MAX(seq) FROM requests WHERE decision_id = d.decision_id
            AND request_id NOT IN (SELECT request_id FROM known_cases))
        WHERE d.seq > ? AND j.kind = 'WindowDecided' ORDER BY d.seq""",
        (after_seq,),
    )
    found = []
    for seq, recorded_at, kind, payload, outcome, label, resolved in rows:
        decided = cast(e.WindowDecided, decode(kind, payload))
        said = decided.verdict.prediction
        if decided.family != family or said is None or said.model_digest != model:
            continue
        found.append(
            GateCase(
                seq=seq,
                decision_id=decided.decision_id,
                cell_id=decided.cell_id,
                window_id=decided.window_id,
                part_id=decided.part_id,
                verdict=decided.verdict,
                coin=decided.coin,
                decided_at=read_time(recorded_at),
                outcome=None if outcome is None else Outcome(outcome),
                label="" if decided.window_id in taken_back else label or "",
                answered_seq=resolved or 0,
            )
        )
    return found


def _promoted_seq(db: sqlite3.Connection, family: str) -> int:
    """The entry with which the serving model began to serve; 0 when none does."""
    (seq,) = db.execute(
        """SELECT MAX(j.seq) FROM models AS m JOIN mentions AS t ON t.about = m.digest
        JOIN journal AS j ON j.seq = t.seq
        WHERE m.family = ? AND m.state = 'live'
        AND j.kind IN ('ModelPromoted', 'ModelRolledBack')""",
        (family,),
    ).fetchone()
    return int(seq or 0)


def _event(db: sqlite3.Connection, seq: int) -> e.Event:
    kind, payload = db.execute(
        "SELECT kind, payload FROM journal WHERE seq = ?", (seq,)
    ).fetchone()
    return decode(kind, payload)


def _certificate(db: sqlite3.Connection, seq: int) -> Certificate:
    return cast(e.GateCertified, _event(db, seq)).certificate


def _permission(db: sqlite3.Connection, seq: int) -> Permission:
    granted = cast(e.ProvisionalGranted, _event(db, seq))
    return Permission(granted.actor.person, granted.threshold, granted.until)


def _closed(db: sqlite3.Connection, seq: int) -> str:
    return cast(e.GateClosed, _event(db, seq)).text
