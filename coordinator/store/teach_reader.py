"""What the labelling of stored windows reads: the journal's news about it, in order."""

from __future__ import annotations

import sqlite3
from typing import Final, cast

from coordinator.errors import NotFoundError
from coordinator.store import reader
from coordinator.store.codec import decode
from coordinator.terms import Decision, SensorWindow, WindowKind
from coordinator.terms import events as e
from coordinator.terms.teaching_news import TeachingNews, TeachingPage

SAID: Final = (
    e.ExampleAdded,
    e.ExampleQuarantined,
    e.ExampleReinstated,
    e.ExampleRetracted,
    e.OpinionGiven,
    e.OpinionTakenBack,
    e.LabelDecided,
)
"""What changes who has said what."""


def oldest(db: sqlite3.Connection, most: int) -> int:
    """Return the entry after which the newest `most` decisions stand."""
    row = db.execute(
        "SELECT seq FROM decisions ORDER BY seq DESC LIMIT 1 OFFSET ?", (most,)
    ).fetchone()
    return 0 if row is None else int(row[0])


def page(
    db: sqlite3.Connection, after_seq: int, limit: int, windows_after: int
) -> TeachingPage:
    """Return the next news, with the windows that a person could be shown.

    Args:
        db: A connection.
        after_seq: Entry after which to begin.
        limit: Most news of one page.
        windows_after: Decisions up to this entry are left out.
    """
    marks = ", ".join("?" * len(SAID))
    rows = db.execute(
        f"""SELECT seq, kind, payload FROM journal WHERE seq > ? AND (
            kind IN ({marks}) OR (kind = 'WindowDecided' AND seq > ?))
        ORDER BY seq LIMIT ?""",  # noqa: S608 - marks only
        (after_seq, *(kind.__name__ for kind in SAID), windows_after, limit),
    ).fetchall()
    news = []
    for seq, kind, payload in rows:
        event = decode(kind, payload)
        if not isinstance(event, e.WindowDecided):
            news.append(TeachingNews(seq, event))
        elif (window := _shown(db, event)) is not None:
            news.append(TeachingNews(seq, event, window))
    if len(rows) == limit:
        return TeachingPage(tuple(news), rows[-1][0], more=True)
    (last,) = db.execute("SELECT COALESCE(MAX(seq), 0) FROM journal").fetchone()
    return TeachingPage(tuple(news), max(after_seq, int(last)), more=False)


def _shown(db: sqlite3.Connection, event: e.WindowDecided) -> SensorWindow | None:
    """The window, when it can teach: whole, kept, and the end of a step."""
    if event.kind is not WindowKind.DECISION:
        return None
    if event.verdict.decision is Decision.HOLD:
        return None
    try:
        return reader.window(db, cast(str, event.window_id))
    except NotFoundError:
        return None
