"""What the journal says of people, event by event."""

from datetime import UTC, datetime

from coordinator.terms import (
    Actor,
    Digest,
    PersonId,
    PersonSession,
    Role,
    SessionEnd,
    SessionId,
    events,
)

ANA = PersonId("ana")
ROOT = Actor(PersonId("machine:root"), "machine", verified=True)
HERE = PersonSession(
    SessionId("s-1"),
    ANA,
    Role.OPERATOR,
    "panel-1",
    Digest("ab" * 32),
    datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
)

PEOPLE_SENTENCES: list[tuple[events.Event, str]] = [
    (
        events.PersonAdded(ANA, Role.OPERATOR, Digest("cd" * 32), ROOT),
        "ana was given an account as operator by machine:root.",
    ),
    (events.PersonLocked(ANA, ROOT), "ana was locked by machine:root."),
    (events.PersonUnlocked(ANA, ROOT), "ana was unlocked by machine:root."),
    (
        events.RoleChanged(ANA, Role.ENGINEER, ROOT),
        "ana became engineer by machine:root.",
    ),
    (
        events.PinChanged(ANA, Digest("ef" * 32), ROOT),
        "ana was given another PIN by machine:root.",
    ),
    (
        events.TeamChanged(ANA, "late", ROOT),
        "ana counts for team late by machine:root.",
    ),
    (
        events.PinRefused(ANA, "panel-1", 2),
        "a wrong PIN for ana at panel-1, 2 in a row.",
    ),
    (events.PersonSessionStarted(HERE), "ana logged in at panel-1."),
    (
        events.PersonSessionEnded(HERE.session, ANA, SessionEnd.IDLE),
        "ana was locked: nobody touched the device.",
    ),
]
