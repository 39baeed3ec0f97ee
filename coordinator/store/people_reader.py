"""What is on record about people: accounts, and sessions that have not ended."""

from __future__ import annotations

import sqlite3

from coordinator.store.codec import read_time
from coordinator.terms import Digest, Person, PersonId, PersonSession, Role, SessionId


def people(db: sqlite3.Connection) -> list[Person]:
    """Return every account, in the order they were added."""
    rows = db.execute(
        """SELECT person, shown, team, role, pin_digest, locked, failures, failed_at,
        added_at FROM people ORDER BY seq"""
    )
    return [
        Person(
            PersonId(person),
            Role(role),
            Digest(pin),
            read_time(added),
            shown=shown,
            team=team,
            locked=bool(locked),
            failures=failures,
            failed_at=None if failed is None else read_time(failed),
        )
        for person, shown, team, role, pin, locked, failures, failed, added in rows
    ]


def sessions(db: sqlite3.Connection) -> list[PersonSession]:
    """Return the sessions of people that have not ended, oldest first."""
    rows = db.execute(
        """SELECT s.session, s.person, p.role, s.device, s.token_digest, s.expires_at
        FROM person_sessions AS s JOIN people AS p ON p.person = s.person
        WHERE s.ended = '' ORDER BY s.seq"""
    )
    return [
        PersonSession(
            SessionId(session),
            PersonId(person),
            Role(role),
            device,
            Digest(token),
            read_time(expires),
        )
        for session, person, role, device, token, expires in rows
    ]


def last_here(db: sqlite3.Connection, device: str) -> list[PersonId]:
    """Return who was logged in at a device, the newest first, each once."""
    rows = db.execute(
        """SELECT person FROM person_sessions WHERE device = ?
        GROUP BY person ORDER BY max(seq) DESC""",
        (device,),
    )
    return [PersonId(person) for (person,) in rows]
