"""People: who has an account, what their role lets them do, where they are logged in.

Nobody's PIN is a term: it is hashed before it is kept, and kept beside the journal,
never in it. A session's token is known to its client alone; here is its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Final

from coordinator.terms.ids import Digest, PersonId, SessionId

MACHINE: Final = "machine:"
"""Prefix of actors who own the coordinator's files: they may always change accounts."""
POLICY: Final = "policy:"
"""Prefix of actors that are policies of the configuration."""


class Role(IntEnum):
    """What a person may do; each role may do what those before it may."""

    AUDITOR = 1
    """Looks at everything, changes nothing."""
    OPERATOR = 2
    """Answers, holds, releases what is not a matter for a shift lead."""
    SUPERVISOR = 3
    """The shift lead: also releases after a safety stop or doubt about identity."""
    ENGINEER = 4
    """Also decides about models, labels and the gate."""
    ADMIN = 5
    """Also decides about accounts."""


class SessionEnd(Enum):
    """Why a person's session ended."""

    LOGOUT = "logout"
    """The person said so."""
    IDLE = "idle"
    """Nothing was touched for too long: the device is locked."""
    EXPIRED = "expired"
    """It lasted as long as a session may."""
    SWITCHED = "switched"
    """Somebody logged in on the same device."""
    REVOKED = "revoked"
    """The account was locked, or its role or PIN changed."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account.

    Attributes:
        person: Id; the name in the journal.
        shown: The name on screens; "" for the id.
        role: What the person may do.
        team: The team or shift whose numbers the person's answers count in; "" without.
        pin_digest: SHA-256 over the kept hash of the PIN; it gives nothing away.
        locked: Taken out of use by an administrator.
        failures: Wrong PINs since the last login.
        failed_at: UTC of the newest of them.
        added_at: UTC.
    """

    person: PersonId
    role: Role
    pin_digest: Digest
    added_at: datetime
    shown: str = ""
    team: str = ""
    locked: bool = False
    failures: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A person at a device, from the login to its end.

    Attributes:
        session: Id; the name in the journal.
        person: Who.
        role: What the account might do at the login; a change ends the session.
        device: Where.
        token_digest: SHA-256 over the token that its client shows.
        expires_at: UTC at which it ends at the latest.
    """

    session: SessionId
    person: PersonId
    role: Role
    device: str
    token_digest: Digest
    expires_at: datetime
