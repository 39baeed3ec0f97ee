"""What the journal records of people; part of terms.events. No PIN, no token."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.ids import NO_DIGEST, Digest, PersonId, SessionId
from coordinator.terms.people import PersonSession, Role, SessionEnd
from coordinator.terms.request import Actor


@dataclass(frozen=True, slots=True)
class PersonAdded:
    """Somebody has an account. Guard: the id is new.

    Attributes:
        pin_digest: SHA-256 over the kept hash of the PIN.
    """

    person: PersonId
    role: Role
    pin_digest: Digest
    actor: Actor
    shown: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class PersonLocked:
    """An account was taken out of use; its sessions end."""

    person: PersonId
    actor: Actor


@dataclass(frozen=True, slots=True)
class PersonUnlocked:
    """An account may be used again; its wrong PINs are forgotten."""

    person: PersonId
    actor: Actor


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """An account has another role; its sessions end."""

    person: PersonId
    role: Role
    actor: Actor


@dataclass(frozen=True, slots=True)
class PinChanged:
    """An account has another PIN; its sessions end."""

    person: PersonId
    pin_digest: Digest
    actor: Actor


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """An account counts for another team."""

    person: PersonId
    team: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class PinRefused:
    """A wrong PIN was given for an account that exists.

    Attributes:
        failures: How many in a row, with this one.
    """

    person: PersonId
    device: str
    failures: int


@dataclass(frozen=True, slots=True)
class PersonSessionStarted:
    """Somebody logged in. Guard: the account exists, with this role, and not locked.

    Attributes:
        replaced: The session at the same device that this one ended; None for none.
        pin_digest: Of the PIN that was right. Guard: it is the account's still; "" in
            journals from before it was recorded.
    """

    session: PersonSession
    replaced: SessionId | None = None
    pin_digest: Digest = NO_DIGEST


@dataclass(frozen=True, slots=True)
class PersonSessionEnded:
    """A person's session ended."""

    session: SessionId
    person: PersonId
    reason: SessionEnd
