"""What the journal says of accounts and logins, one sentence an event."""

from __future__ import annotations

from coordinator.insight.explain_learning import by
from coordinator.terms import SessionEnd, events

OfAccount = (
    events.PersonAdded
    | events.PersonLocked
    | events.PersonUnlocked
    | events.RoleChanged
    | events.PinChanged
    | events.TeamChanged
)
OfSession = events.PinRefused | events.PersonSessionStarted | events.PersonSessionEnded
WHY = {
    SessionEnd.LOGOUT: "logged out",
    SessionEnd.IDLE: "was locked: nobody touched the device",
    SessionEnd.EXPIRED: "was logged out at the end of the time a login lasts",
    SessionEnd.SWITCHED: "was logged out: somebody else logged in there",
    SessionEnd.REVOKED: "was logged out: the account changed",
}


def of_account(event: OfAccount) -> str:
    """Say what happened to an account."""
    who = f"{event.person} {_change(event)}"
    return f"{who} {by(event.actor)}."


def _change(event: OfAccount) -> str:
    match event:
        case events.PersonAdded():
            return f"was given an account as {event.role.name.lower()}"
        case events.PersonLocked():
            return "was locked"
        case events.PersonUnlocked():
            return "was unlocked"
        case events.RoleChanged():
            return f"became {event.role.name.lower()}"
        case events.PinChanged():
            return "was given another PIN"
        case events.TeamChanged():
            return f"counts for team {event.team}" if event.team else "left the team"


def of_session(event: OfSession) -> str:
    """Say who came and who went."""
    match event:
        case events.PinRefused():
            return (
                f"a wrong PIN for {event.person} at {event.device}, "
                f"{event.failures} in a row."
            )
        case events.PersonSessionStarted():
            here = event.session
            after = ", in place of who was there" if event.replaced else ""
            return f"{here.person} logged in at {here.device}{after}."
        case events.PersonSessionEnded():
            return f"{event.person} {WHY[event.reason]}."
