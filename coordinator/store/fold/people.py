"""Accounts, sessions of people, and who may do what: checked inside the commit.

What a person may do is looked up here a second time, in the transaction that would
record it: a role that changed, an account that was locked or a session that ended
between the call and the commit refuses it. While there are no accounts everybody may
do everything, unverified. `verify` runs the same checks over the whole journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from coordinator.errors import (
    IllegalTransitionError,
    LoginRequiredError,
    NotFoundError,
    RoleError,
)
from coordinator.store.codec import write_time
from coordinator.store.fold.place import Place
from coordinator.terms import (
    MACHINE,
    NO_DIGEST,
    POLICY,
    Actor,
    HoldReason,
    Role,
    SessionEnd,
)
from coordinator.terms import events as e

SEVERE: Final = frozenset(
    {HoldReason.SAFETY_STOP_SEEN, HoldReason.INTEGRITY, HoldReason.IDENTITY}
)
"""What only a shift lead may clear."""

Needed = Callable[[Any], Role | None]


def _to_release(event: e.HoldReleased) -> Role:
    return Role.SUPERVISOR if SEVERE & set(event.reasons) else Role.OPERATOR


def _to_grant(event: e.ProvisionalGranted) -> Role | None:
    # What the configuration says is the word of who owns the coordinator's files.
    return None if event.source else Role.ENGINEER


def _to_answer(event: e.RequestAnswered) -> Role | None:
    # An answer that waited was checked when it was given, and stands since then.
    return None if event.waited else Role.OPERATOR


def _to_end(event: e.RequestEnded) -> Role | None:
    # Time, a node or the line ends a question without anybody.
    return None if event.actor is None else Role.OPERATOR


NEEDED: Final[Mapping[type[e.Event], Role | Needed | None]] = {
    e.RequestClaimed: Role.OPERATOR,
    e.RequestAnswered: _to_answer,
    e.AnswerGiven: Role.OPERATOR,
    e.FirstOpinion: Role.OPERATOR,
    e.RequestEnded: _to_end,
    e.AnswerUndone: Role.OPERATOR,
    e.RequestArrived: Role.OPERATOR,
    e.RequestSkipped: Role.OPERATOR,
    e.ClaimHandedOver: Role.OPERATOR,
    e.HoldReleased: _to_release,
    e.OpinionGiven: Role.OPERATOR,
    e.OpinionTakenBack: Role.OPERATOR,
    e.LabelDecided: Role.ENGINEER,
    e.ExampleRetracted: Role.ENGINEER,
    e.LabelAdded: Role.ENGINEER,
    e.DatasetImported: None,  # the folder and the name are the configuration's word
    e.ModelPromoted: Role.ENGINEER,
    e.ModelRolledBack: Role.ENGINEER,
    e.ProvisionalGranted: _to_grant,
    e.PersonAdded: Role.ADMIN,
    e.PersonLocked: Role.ADMIN,
    e.PersonUnlocked: Role.ADMIN,
    e.RoleChanged: Role.ADMIN,
    e.PinChanged: Role.ADMIN,
    e.TeamChanged: Role.ADMIN,
    # Pulling the cord is for everybody, always; so is shutting the gate, once it is
    # shut, and looking. A cell that moves, or a permit, rests on an event above.
    e.HoldPlaced: None,
    e.GateClosed: None,
    e.RequestSeen: None,
    e.OpinionKept: None,  # it came too late, and has no effect
    e.CellMoved: None,
    e.PermitIssued: None,
}
"""The least role of an event's actor; a test fails when an event with one lacks."""

OF_ACCOUNTS: Final = (
    e.PersonAdded,
    e.PersonLocked,
    e.PersonUnlocked,
    e.RoleChanged,
    e.PinChanged,
    e.TeamChanged,
)
"""What whoever owns the coordinator's files may always do."""


def authorise(at: Place, event: e.Event) -> None:
    """Refuse an event whose actor may not, at this place of the journal.

    Raises:
        LoginRequiredError: the person's session has ended, or there was none.
        RoleError: the person's role does not suffice, or that of whom they name.
        NotFoundError: who is given a claim has no account that is in use.
    """
    needed = NEEDED.get(type(event))
    least = needed(event) if callable(needed) else needed
    if least is None or _is_policy(event) or not _accounts(at, event):
        return
    actor = _actor(event)
    row = at.row(
        """SELECT p.role, s.expires_at FROM person_sessions AS s
        JOIN people AS p ON p.person = s.person
        WHERE s.session = ? AND s.person = ? AND s.ended = '' AND p.locked = 0""",
        (actor.session, actor.person),
    )
    if row is None or not at.recorded_at < row[1]:
        raise LoginRequiredError(f"{actor.person} is not logged in. Log in again.")
    role = Role(row[0])
    if role < least:
        raise RoleError(
            f"{least.name.lower()} is needed, {actor.person} is {role.name.lower()}."
        )
    if isinstance(event, e.HoldReleased):
        _not_above(at, event, role)
    if isinstance(event, e.ClaimHandedOver):
        _taker_there(at, event, least)


def _actor(event: Any) -> Actor:
    # Some events carry the answer, and with it who gave it.
    found: Actor = getattr(event, "answer", event).actor
    return found


def _is_policy(event: e.Event) -> bool:
    person = _actor(event).person
    return person.startswith(POLICY) or (
        isinstance(event, OF_ACCOUNTS) and person.startswith(MACHINE)
    )


def _accounts(at: Place, event: e.Event) -> bool:
    """Whether roles count: from the first account on, and for accounts always."""
    return (
        isinstance(event, OF_ACCOUNTS)
        or at.row("SELECT 1 FROM people LIMIT 1", ()) is not None
    )


def _taker_there(at: Place, event: e.ClaimHandedOver, least: Role) -> None:
    """Refuse a claim for somebody who has gone since, or may not answer."""
    row = at.row("SELECT role, locked FROM people WHERE person = ?", (event.to,))
    if row is None or row[1]:
        raise NotFoundError(
            f"nobody called '{event.to[:40]}' answers here.", "UNKNOWN_PERSON"
        )
    if Role(row[0]) < least:
        raise RoleError(f"{event.to} may not answer this.")


def _not_above(at: Place, event: e.HoldReleased, role: Role) -> None:
    """What a person held, only a person of at least that role lets go on."""
    row = at.row("SELECT role, person FROM held_by WHERE cell_id = ?", (event.cell_id,))
    if row is not None and role < Role(row[0]):
        least = Role(row[0]).name.lower()
        raise RoleError(f"{row[1]} held it: {least} is needed.")


def held_by_person(at: Place, event: e.HoldPlaced) -> None:
    """Remember the highest role of those who hold a cell by name."""
    actor = event.actor
    if actor is None or not actor.verified or actor.role is None:
        return
    at.change(
        """INSERT INTO held_by VALUES (?, ?, ?, ?) ON CONFLICT (cell_id) DO UPDATE
        SET role = excluded.role, person = excluded.person, seq = excluded.seq
        WHERE excluded.role > role""",
        (event.cell_id, int(actor.role), actor.person, at.seq),
    )


def let_go(at: Place, event: e.HoldReleased) -> None:
    """Forget who held a cell; it is released."""
    at.change("DELETE FROM held_by WHERE cell_id = ?", (event.cell_id,))


def person_added(at: Place, event: e.PersonAdded) -> None:
    """Guard: nobody has this id."""
    at.add(
        """INSERT INTO people VALUES (?, ?, ?, ?, ?, 0, 0, NULL, ?, ?)""",
        (
            event.person,
            event.shown,
            event.team,
            int(event.role),
            event.pin_digest,
            at.recorded_at,
            at.seq,
        ),
        taken=f"{event.person} has an account already.",
    )


def person_locked(at: Place, event: e.PersonLocked) -> None:
    """Guard: the account exists. Its sessions end."""
    _change(at, event.person, "locked = 1")
    _end_all(at, event.person)


def person_unlocked(at: Place, event: e.PersonUnlocked) -> None:
    """Guard: the account exists. Wrong PINs are forgotten."""
    _change(at, event.person, "locked = 0, failures = 0, failed_at = NULL")


def role_changed(at: Place, event: e.RoleChanged) -> None:
    """Guard: the account exists. Its sessions end."""
    _change(at, event.person, "role = ?", int(event.role))
    _end_all(at, event.person)


def pin_changed(at: Place, event: e.PinChanged) -> None:
    """Guard: the account exists. Its sessions end, wrong PINs are forgotten."""
    _change(
        at,
        event.person,
        "pin_digest = ?, failures = 0, failed_at = NULL",
        event.pin_digest,
    )
    _end_all(at, event.person)


def team_changed(at: Place, event: e.TeamChanged) -> None:
    """Guard: the account exists."""
    _change(at, event.person, "team = ?", event.team)


def pin_refused(at: Place, event: e.PinRefused) -> None:
    """Guard: the account exists."""
    _change(
        at, event.person, "failures = ?, failed_at = ?", event.failures, at.recorded_at
    )


def session_started(at: Place, event: e.PersonSessionStarted) -> None:
    """Guards: the account exists, is not locked, has this role and PIN; a new id."""
    new = event.session
    row = at.row(
        "SELECT role, locked, pin_digest FROM people WHERE person = ?", (new.person,)
    )
    if row is None or row[1] or row[0] != int(new.role):
        raise LoginRequiredError(f"{new.person} may not log in.")
    if event.pin_digest not in (NO_DIGEST, row[2]):
        raise LoginRequiredError(f"{new.person} has another PIN now.")
    if event.replaced is not None:
        _end(at, event.replaced, SessionEnd.SWITCHED)
    at.add(
        "INSERT INTO person_sessions VALUES (?, ?, ?, ?, ?, '', ?)",
        (
            new.session,
            new.person,
            new.device,
            new.token_digest,
            write_time(new.expires_at),
            at.seq,
        ),
        taken=f"session {new.session} was already begun.",
    )
    _change(at, new.person, "failures = 0, failed_at = NULL")


def session_ended(at: Place, event: e.PersonSessionEnded) -> None:
    """No guard: a session that has ended may end again."""
    _end(at, event.session, event.reason)


def _end(at: Place, session: str, reason: SessionEnd) -> None:
    at.change(
        "UPDATE person_sessions SET ended = ? WHERE session = ? AND ended = ''",
        (reason.value, session),
    )


def _end_all(at: Place, person: str) -> None:
    at.change(
        "UPDATE person_sessions SET ended = ? WHERE person = ? AND ended = ''",
        (SessionEnd.REVOKED.value, person),
    )


def _change(at: Place, person: str, what: str, *values: Any) -> None:
    """Change one account.

    Raises:
        NotFoundError: there is none with this id.
        IllegalTransitionError: the id is none.
    """
    if not person:
        raise IllegalTransitionError("an account has an id.")
    if not at.change(
        f"UPDATE people SET {what} WHERE person = ?",  # noqa: S608 - our own columns
        (*values, person),
    ):
        raise NotFoundError(f"{person} has no account.", "UNKNOWN_PERSON")
