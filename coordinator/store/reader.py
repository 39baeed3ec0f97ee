"""What the paths and people read: by key, over connections that cannot write.

Each read is one transaction, so it never sees half a commit. Rows hold what changes;
what an event said is read from its entry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from coordinator.errors import NotFoundError
from coordinator.seams import CellRow, JournalHead
from coordinator.store import journal, windows
from coordinator.store.codec import decode, read_time
from coordinator.store.fold import rests_on
from coordinator.store.fold.cells import read_reasons
from coordinator.store.fold.learning import read_metrics
from coordinator.terms import (
    NO_CLIP,
    NOBODY,
    CellId,
    ClipId,
    Example,
    ExampleTally,
    Label,
    ModelRecord,
    ModelState,
    OperatorRequest,
    Outcome,
    PersonId,
    SensorWindow,
    StoredClip,
)
from coordinator.terms import events as e
from coordinator.terms.events import JournalEntry

STORY_ENTRIES: Final = 1000
"""A story is for people; nobody reads more."""


@dataclass(frozen=True, slots=True)
class Arming:
    """From when the deadlines of open requests count.

    Attributes:
        now_ns: Monotonic clock of this process.
        claim_ns: How long a claim lasts.
    """

    now_ns: int
    claim_ns: int


def head(db: sqlite3.Connection) -> JournalHead:
    """Return the newest journal entry."""
    return journal.read_chain(db).head


def cells(db: sqlite3.Connection) -> dict[CellId, CellRow]:
    """Return what is remembered of every cell."""
    rows = db.execute("""SELECT cell_id, epoch, reasons, act, ask, hold,
        EXISTS (SELECT 1 FROM unconfirmed AS u WHERE u.cell_id = cells.cell_id)
        FROM cells""")
    return {
        CellId(cell_id): CellRow(
            epoch,
            read_reasons(reasons),
            {"act": act, "ask": ask, "hold": hold},
            hold_unconfirmed=bool(unconfirmed),
        )
        for cell_id, epoch, reasons, act, ask, hold, unconfirmed in rows
    }


_REQUEST: Final = """SELECT j.kind, j.payload, r.outcome, r.seen_at, r.claimed_by,
    r.claim_epoch, r.claimed_at, r.resolved_at, r.label, r.answered_by,
    (SELECT c.clip_id FROM decisions AS d JOIN clips AS c ON c.window_id = d.window_id
        WHERE d.decision_id = r.decision_id AND NOT c.removed),
    g.label, g.person, f.label, f.person, a.arrived_at, a.person,
    (SELECT group_concat(s.person, char(10)) FROM skips AS s
        WHERE s.request_id = r.request_id)
    FROM requests AS r JOIN journal AS j ON j.seq = r.seq
    LEFT JOIN given AS g ON g.request_id = r.request_id
    LEFT JOIN first_opinions AS f ON f.request_id = r.request_id
    LEFT JOIN arrivals AS a ON a.request_id = r.request_id"""


def open_requests(db: sqlite3.Connection, arming: Arming) -> list[OperatorRequest]:
    """Return open requests in the order they were raised."""
    rows = db.execute(f"{_REQUEST} WHERE r.outcome = 'open' ORDER BY r.seq")
    return [_request(row, arming) for row in rows]


def ended_requests(
    db: sqlite3.Connection, arming: Arming, limit: int
) -> list[OperatorRequest]:
    """Return the newest ended requests, newest first."""
    rows = db.execute(
        f"""{_REQUEST} WHERE r.resolved_seq IS NOT NULL
        ORDER BY r.resolved_seq DESC LIMIT ?""",
        (limit,),
    )
    return [_request(row, arming) for row in rows]


def request(db: sqlite3.Connection, arming: Arming, request_id: str) -> OperatorRequest:
    """Return one request; raises NotFoundError."""
    row = db.execute(f"{_REQUEST} WHERE r.request_id = ?", (request_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no request {request_id}.")
    return _request(row, arming)


def answered_for(
    db: sqlite3.Connection, arming: Arming, cell_id: str, digest: str
) -> OperatorRequest | None:
    """Return the newest answer about this evidence whose step has not begun."""
    row = db.execute(
        f"""{_REQUEST} WHERE r.cell_id = ? AND r.window_digest = ?
        AND r.outcome = 'answered' AND r.kind = 'question' AND NOT EXISTS (
            SELECT 1 FROM permits AS p
            WHERE p.decision_id = r.decision_id AND p.state = 'consumed')
        ORDER BY r.resolved_seq DESC LIMIT 1""",  # noqa: S608 - columns only
        (cell_id, digest),
    ).fetchone()
    return None if row is None else _request(row, arming)


def _request(row: Sequence[Any], arming: Arming) -> OperatorRequest:
    kind, payload, outcome, seen, holder, epoch, claimed, resolved, *rest = row
    label, by, clip_id, pending, pending_by, first, first_by, *rest = rest
    arrived_at, arrived_by, skipped_by = rest
    raised = cast(e.RequestOpened, decode(kind, payload)).request
    is_open = Outcome(outcome) is Outcome.OPEN
    until = arming.now_ns + raised.time_allowed_ns
    return replace(
        raised,
        deadline_ns=until if is_open else raised.deadline_ns,
        outcome=Outcome(outcome),
        seen_at=None if seen is None else read_time(seen),
        claimed_by=PersonId(holder),
        claim_epoch=epoch,
        claimed_at=None if claimed is None else read_time(claimed),
        claim_expires_ns=(
            arming.now_ns + arming.claim_ns if is_open and holder != NOBODY else 0
        ),
        resolved_at=None if resolved is None else read_time(resolved),
        label=label,
        answered_by=PersonId(by),
        clip_id=NO_CLIP if clip_id is None else ClipId(clip_id),
        pending_label=pending or "",
        pending_by=PersonId(pending_by or NOBODY),
        first_label=first or "",
        first_by=PersonId(first_by or NOBODY),
        arrived_at=None if arrived_at is None else read_time(arrived_at),
        arrived_by=PersonId(arrived_by or NOBODY),
        skipped_by=tuple(map(PersonId, sorted((skipped_by or "").splitlines()))),
    )


def answers_that_wait(db: sqlite3.Connection) -> list[e.AnswerGiven]:
    """Return the answers that may still be taken back, oldest first."""
    rows = db.execute(
        """SELECT j.kind, j.payload FROM given AS g JOIN journal AS j
        ON j.seq = g.seq ORDER BY g.seq"""
    )
    return [cast(e.AnswerGiven, decode(*row)) for row in rows]


_WINDOW: Final = """w.window_id, w.cell_id, w.digest, w.content, w.facts, w.samples,
    w.channels, w.data, w.present"""


def window(db: sqlite3.Connection, window_id: str) -> SensorWindow:
    """Return one stored window; raises NotFoundError."""
    row = db.execute(
        f"SELECT {_WINDOW} FROM windows AS w WHERE window_id = ?",  # noqa: S608
        (window_id,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no window {window_id} is kept.")
    return windows.unpack(row)


def decision(db: sqlite3.Connection, window_id: str) -> e.WindowDecided:
    """Return the newest decision about one window; raises NotFoundError."""
    row = db.execute(
        """SELECT j.kind, j.payload FROM decisions AS d JOIN journal AS j
        ON j.seq = d.seq WHERE d.window_id = ? ORDER BY d.seq DESC LIMIT 1""",
        (window_id,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"nothing was decided about window {window_id}.")
    return cast(e.WindowDecided, decode(*row))


_CLIP: Final = """SELECT j.kind, j.payload FROM clips AS c JOIN journal AS j
    ON j.seq = c.seq WHERE NOT c.removed"""
_ASKED: Final = """SELECT d.window_id FROM requests AS r JOIN decisions AS d
    ON d.decision_id = r.decision_id WHERE"""


def clips(db: sqlite3.Connection, request_id: str, limit: int) -> list[StoredClip]:
    """Return the newest clips, newest first; of one request's window, "" for all."""
    rows = db.execute(
        f"""{_CLIP} AND (? = '' OR c.window_id IN ({_ASKED} r.request_id = ?))
        ORDER BY c.seq DESC LIMIT ?""",
        (request_id, request_id, limit),
    )
    return [_clip(row) for row in rows]


def clip(db: sqlite3.Connection, clip_id: str) -> StoredClip:
    """Return one clip that is stored; raises NotFoundError."""
    row = db.execute(f"{_CLIP} AND c.clip_id = ?", (clip_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no clip {clip_id} is stored.")
    return _clip(row)


def clip_of(db: sqlite3.Connection, window_id: str) -> StoredClip | None:
    """Return the clip of a window, None if there is none."""
    row = db.execute(f"{_CLIP} AND c.window_id = ?", (window_id,)).fetchone()
    return None if row is None else _clip(row)


def clips_to_give(db: sqlite3.Connection, limit: int) -> list[StoredClip]:
    """Return the oldest clips that no open request is about, oldest first."""
    rows = db.execute(
        f"""{_CLIP} AND c.window_id NOT IN ({_ASKED} r.outcome = 'open')
        ORDER BY c.seq LIMIT ?""",
        (limit,),
    )
    return [_clip(row) for row in rows]


def _clip(row: Sequence[Any]) -> StoredClip:
    return cast(e.ClipStored, decode(*row)).clip


_EXAMPLE: Final = "SELECT j.kind, j.payload, x.retracted, x.quarantine"
_EXAMPLES: Final = "FROM examples AS x JOIN journal AS j ON j.seq = x.seq"


def examples(db: sqlite3.Connection, family: str) -> list[Example]:
    """Return every example of a family, oldest first, quarantined ones too."""
    rows = db.execute(
        f"{_EXAMPLE} {_EXAMPLES} WHERE x.family = ? ORDER BY x.seq", (family,)
    )
    return [_example(row) for row in rows]


def example_tally(db: sqlite3.Connection, family: str) -> ExampleTally:
    """Count the examples of a family; only what was taken back is read."""
    (usable,) = db.execute(
        """SELECT COUNT(*) FROM examples
        WHERE family = ? AND NOT retracted AND quarantine = ''""",
        (family,),
    ).fetchone()
    gone = db.execute(
        f"{_EXAMPLE} {_EXAMPLES} WHERE x.family = ? AND x.retracted ORDER BY x.seq",
        (family,),
    )
    return ExampleTally(usable, tuple(_example(row).labelled_at for row in gone))


def example_windows(
    db: sqlite3.Connection, family: str
) -> list[tuple[Example, SensorWindow]]:
    """Return the usable examples with their windows, oldest first."""
    usable = "x.family = ? AND NOT x.retracted AND x.quarantine = ''"
    return examples_where(db, usable, (family,))


def examples_where(
    db: sqlite3.Connection, condition: str, facts: tuple[str, ...]
) -> list[tuple[Example, SensorWindow]]:
    """Return examples with their windows, oldest first; the condition is our own."""
    rows = db.execute(
        f"""{_EXAMPLE}, {_WINDOW} {_EXAMPLES}
        JOIN windows AS w ON w.window_id = x.window_id
        WHERE {condition} ORDER BY x.seq""",
        facts,
    )
    return [(_example(row[:4]), windows.unpack(row[4:])) for row in rows]


def _example(row: Sequence[Any]) -> Example:
    kind, payload, retracted, quarantine = row
    added = cast(e.ExampleAdded, decode(kind, payload)).example
    return replace(added, retracted=bool(retracted), quarantine=quarantine)


def labels(db: sqlite3.Connection, family: str) -> list[Label]:
    """Return the labels people added, oldest first."""
    rows = db.execute(
        """SELECT j.kind, j.payload FROM labels AS x JOIN journal AS j
        ON j.seq = x.seq WHERE x.family = ? ORDER BY x.seq""",
        (family,),
    )
    return [cast(e.LabelAdded, decode(*row)).label for row in rows]


_MODEL: Final = """SELECT j.kind, j.payload, m.state, m.metrics, m.text, m.live_at,
    m.promoted_by FROM models AS m JOIN journal AS j ON j.seq = m.seq"""


def models(db: sqlite3.Connection, family: str) -> list[ModelRecord]:
    """Return every model of a family, newest first."""
    rows = db.execute(f"{_MODEL} WHERE m.family = ? ORDER BY m.version DESC", (family,))
    return [_model(row) for row in rows]


def serving(db: sqlite3.Connection, family: str) -> ModelRecord | None:
    """Return the one model that serves the family, if any does."""
    row = db.execute(
        f"{_MODEL} WHERE m.family = ? AND m.state = 'live'", (family,)
    ).fetchone()
    return None if row is None else _model(row)


def _model(row: Sequence[Any]) -> ModelRecord:
    kind, payload, state, metrics, text, live_at, promoted_by = row
    registered = cast(e.ModelRegistered, decode(kind, payload)).model
    return replace(
        registered,
        state=ModelState(state),
        metrics=read_metrics(metrics),
        text=text,
        live_at=None if live_at is None else read_time(live_at),
        promoted_by=promoted_by,
    )


def entries(db: sqlite3.Connection, after_seq: int, limit: int) -> list[JournalEntry]:
    """Return journal entries after a sequence number, in order."""
    rows = db.execute(
        f"{journal.SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
    )
    return [journal.entry(row) for row in rows]


def story(db: sqlite3.Connection, about: str) -> list[JournalEntry]:
    """Return the entries that mention an id and those they rest on, in order."""
    found: dict[int, JournalEntry] = {}
    asked, todo = {about}, [about]
    while todo and len(found) < STORY_ENTRIES:
        rows = db.execute(
            f"""{journal.SELECT} WHERE seq IN (
                SELECT seq FROM mentions WHERE about = ?) ORDER BY seq LIMIT ?""",  # noqa: S608
            (todo.pop(0), STORY_ENTRIES - len(found)),
        ).fetchall()
        for row in rows:
            found[row[0]] = journal.entry(row)
            more = rests_on(decode(row[2], row[3])) - asked
            asked |= more
            todo.extend(sorted(more))
    return [found[seq] for seq in sorted(found)]
