"""Known cases, and what teams caught: read without anybody's name.

Known cases are drawn from kept windows on whose label people had agreed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Final, cast

from coordinator.history import PastAnswer
from coordinator.store.codec import decode, write_time
from coordinator.store.history_reader import first_seq
from coordinator.terms import Decision, FamilyId, RequestKind
from coordinator.terms import events as e
from coordinator.terms.known import Asked, KnownCase

LEAST_PEOPLE: Final = 2
"""So many people have to have looked and said the same; or one decided, by name."""
MOST: Final = 500
"""Windows of one draw, the newest; more would only take time."""

# A person's word counts where they saw the window itself. Whoever could not tell, took
# it back or said another thing makes it no known case, and so does an example that is
# kept apart for whatever reason.
_AGREED: Final = """
    SELECT x.window_id AS window_id,
        MIN(json_extract(j.payload, '$.example.label')) AS label, MAX(x.seq) AS seq
    FROM examples AS x JOIN journal AS j ON j.seq = x.seq
    LEFT JOIN opinions AS o ON o.example_id = x.example_id
    LEFT JOIN journal AS k ON k.seq = o.seq
    WHERE x.family = :family AND NOT x.retracted
    GROUP BY x.window_id
    HAVING COUNT(DISTINCT json_extract(j.payload, '$.example.label')) = 1
    AND MAX(x.quarantine) = ''
    AND COUNT(DISTINCT CASE WHEN COALESCE(
        json_extract(k.payload, '$.opinion.like'), '') = ''
        THEN json_extract(j.payload, '$.example.person') END) >= :people
    AND NOT EXISTS (SELECT 1 FROM opinions AS u WHERE u.window_id = x.window_id
        AND u.label = '' AND NOT u.taken_back)"""
_DECIDED: Final = """
    SELECT json_extract(j.payload, '$.window_id') AS window_id, s.label AS label,
        s.seq AS seq
    FROM decided AS s JOIN journal AS j ON j.seq = s.seq
    WHERE s.family = :family AND s.label <> ''"""
_SETTLED_OTHERWISE: Final = """
    SELECT json_extract(j.payload, '$.window_id') FROM decided AS s
    JOIN journal AS j ON j.seq = s.seq WHERE s.family = :family"""


def asked(db: sqlite3.Connection) -> Asked:
    """Count the requests there ever were."""
    (total,) = db.execute("SELECT COUNT(*) FROM requests").fetchone()
    (known,) = db.execute("SELECT COUNT(*) FROM known_cases").fetchone()
    return Asked(total - known, known)


def cases(
    db: sqlite3.Connection, family: str, labels: Collection[str], before: datetime
) -> list[KnownCase]:
    """Return the windows of a family that may be shown as known cases.

    Args:
        db: A connection.
        family: Whose windows.
        labels: The labels it has now.
        before: Agreed by then, UTC: nobody remembers it.
    """
    rows = db.execute(
        f"""SELECT f.window_id, f.label, j.kind, j.payload FROM (
            {_DECIDED} UNION ALL
            SELECT * FROM ({_AGREED}) AS a
            WHERE a.window_id NOT IN ({_SETTLED_OTHERWISE})
        ) AS f
        JOIN journal AS said ON said.seq = f.seq
        JOIN decisions AS d ON d.seq = (
            SELECT MAX(seq) FROM decisions WHERE window_id = f.window_id)
        JOIN journal AS j ON j.seq = d.seq
        WHERE said.recorded_at < :before AND d.verdict = :alone AND d.label <> ''
        AND EXISTS (SELECT 1 FROM windows AS w WHERE w.window_id = f.window_id)
        AND NOT EXISTS (
            SELECT 1 FROM known_cases AS k WHERE k.window_id = f.window_id)
        AND NOT EXISTS (SELECT 1 FROM requests AS r
            WHERE r.decision_id = d.decision_id AND r.outcome = 'open')
        ORDER BY f.seq DESC LIMIT :most""",  # noqa: S608 - our own parts
        {
            "family": family,
            "people": LEAST_PEOPLE,
            "before": write_time(before),
            "alone": Decision.ACT.value,
            "most": MOST,
        },
    ).fetchall()
    return [
        KnownCase(cast(e.WindowDecided, decode(kind, payload)), label)
        for _, label, kind, payload in rows
        if label in labels
    ]


def answers(
    db: sqlite3.Connection, since: datetime, until: datetime
) -> list[PastAnswer]:
    """Return the final answers of a stretch of time, oldest first, without names."""
    first, end = (first_seq(db, write_time(at)) for at in (since, until))
    rows = db.execute(
        """SELECT COALESCE(p.team, ''), json_extract(j.payload, '$.request.family'),
        r.kind, json_extract(j.payload, '$.request.guess'), r.label,
        COALESCE(k.label, '')
        FROM requests AS r JOIN journal AS j ON j.seq = r.seq
        LEFT JOIN people AS p ON p.person = r.answered_by
        LEFT JOIN known_cases AS k ON k.request_id = r.request_id
        WHERE r.outcome = 'answered' AND r.resolved_seq >= ? AND r.resolved_seq < ?
        ORDER BY r.resolved_seq""",
        (first, end),
    )
    return [
        PastAnswer(team, FamilyId(family), RequestKind(kind), guess or "", label, known)
        for team, family, kind, guess, label, known in rows
    ]


def team_sizes(db: sqlite3.Connection) -> dict[str, int]:
    """Count the people of each team; locked accounts are nobody."""
    rows = db.execute(
        "SELECT team, COUNT(*) FROM people WHERE NOT locked GROUP BY team"
    )
    return {team: int(count) for team, count in rows}
