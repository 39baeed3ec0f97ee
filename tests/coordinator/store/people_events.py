"""What people do with their accounts, as events."""

import hashlib
from datetime import timedelta

from coordinator.terms import (
    Actor,
    Digest,
    PersonId,
    PersonSession,
    Role,
    SessionId,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import NOON

OWNER = Actor(PersonId("machine:root"), "machine", verified=True)


def _digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def added(person: str, role: Role = Role.OPERATOR, by: Actor = OWNER) -> e.PersonAdded:
    return e.PersonAdded(PersonId(person), role, _digest(f"pin of {person}"), by)


def logged_in(
    person: str, role: Role = Role.OPERATOR, number: int = 1, *, hours: float = 12
) -> e.PersonSessionStarted:
    session = PersonSession(
        SessionId(f"s-{person}-{number}"),
        PersonId(person),
        role,
        f"panel-{number}",
        _digest(f"token of {person} {number}"),
        NOON + timedelta(hours=hours),
    )
    return e.PersonSessionStarted(session)


def acting(person: str, role: Role = Role.OPERATOR, number: int = 1) -> Actor:
    return Actor(
        PersonId(person),
        f"panel-{number}",
        verified=True,
        session=SessionId(f"s-{person}-{number}"),
        role=role,
    )
