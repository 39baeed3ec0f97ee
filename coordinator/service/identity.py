"""Who calls: found out once a call, at the door, and asked for wherever it counts.

A person is known by the token of a session, in the metadata as `authorization: Bearer
TOKEN`; who owns the coordinator's files by the machine's key, `authorization: Machine
KEY`. While there are no accounts everybody is who they say, unverified.

The device is the one that was named at the login. When transport security comes, it is
the one whose certificate the connection showed: `device_of` is the place.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from coordinator.errors import LoginRequiredError, NotFoundError, RoleError
from coordinator.live.request.rules import may_answer
from coordinator.people.accounts import Accounts
from coordinator.people.sessions import Sessions, actor_in
from coordinator.service.rights import Open, is_a_deed, needed
from coordinator.terms import Actor, OperatorRequest, PersonSession

Metadata = Iterable[tuple[str, str | bytes]] | None
BEARER: Final = "bearer "
MACHINE_KEY: Final = "machine "


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes this call.

    Attributes:
        session: The person's; None when nobody is logged in.
        accounts: Accounts exist: a name that is only said counts for nothing.
        machine: The machine's own key was shown.
    """

    session: PersonSession | None = None
    accounts: bool = False
    machine: bool = False

    @property
    def actor(self) -> Actor | None:
        """The person, verified; None when nobody is logged in."""
        return None if self.session is None else actor_in(self.session)


_CALLER: ContextVar[Caller] = ContextVar("caller", default=Caller())  # noqa: B039 - frozen


def caller() -> Caller:
    """Return who makes the call that is being answered."""
    return _CALLER.get()


@dataclass(frozen=True, slots=True)
class People:
    """Accounts, sessions, and the machine's key.

    Attributes:
        machine_key: "" lets nobody in by it.
        show_names: Whether the login screen offers names.
        blind_share: Questions that are asked without the guess first, in [0, 1].
        least_view_s: A sooner answer is rash, s.
        refuse_rash: Whether a rash answer is refused, not only counted.
        team_board: Whether terminals show what teams caught.
    """

    accounts: Accounts
    sessions: Sessions
    machine_key: str = ""
    show_names: bool = True
    blind_share: float = 0.0
    least_view_s: float = 0.0
    refuse_rash: bool = False
    team_board: bool = False

    def admit(self, call: str, metadata: Metadata) -> None:
        """Find out who calls, and let the call in or not.

        Args:
            call: /package.Service/Method.
            metadata: Of the call.

        Raises:
            LoginRequiredError: nobody is logged in, or not any more.
            RoleError: the person's role does not suffice.
        """
        who = self._who(metadata)
        _CALLER.set(who)
        least = needed(call)
        if who.session is not None and is_a_deed(call):
            self.sessions.touch(who.session.session)
        if isinstance(least, Open) or not who.accounts or who.machine:
            return
        if who.session is None:
            raise LoginRequiredError("log in first: nobody is logged in here.")
        if who.session.role < least:
            have, want = who.session.role.name.lower(), least.name.lower()
            raise RoleError(f"{want} is needed, {who.session.person} is {have}.")

    def _who(self, metadata: Metadata) -> Caller:
        said = _authorization(metadata)
        kind = said.lower()
        accounts = self.accounts.exist
        if kind.startswith(BEARER):
            session = self.sessions.of_token(said[len(BEARER) :].strip())
            return Caller(session, accounts=accounts)
        if kind.startswith(MACHINE_KEY) and self.machine_key:
            key = said[len(MACHINE_KEY) :].strip()
            shown = hmac.compare_digest(key.encode(), self.machine_key.encode())
            return Caller(accounts=accounts, machine=shown)
        return Caller(accounts=accounts)


def _authorization(metadata: Metadata) -> str:
    for name, value in metadata or ():
        if name.lower() == "authorization":
            return (
                value.decode("ascii", "replace") if isinstance(value, bytes) else value
            )
    return ""


def device_of(said: str) -> str:
    """Return the device of this call; until devices are enrolled, the one it names."""
    return said


def acting(person: str, device: str) -> Actor | None:
    """Return the person who is logged in, if what a message says agrees with it.

    Args:
        person: Who the message says; "" leaves it to the session.
        device: Where the message says; "" leaves it to the session.

    Raises:
        RoleError: the message names somebody else, or another device.
    """
    known = caller().actor
    if known is None:
        return None
    if person not in ("", known.person):
        raise RoleError(
            f"{known.person} is logged in here, not {person[:40]}.", "NOT_YOU"
        )
    if device not in ("", known.device):
        raise RoleError("this login is of another device. Log in here.", "OTHER_DEVICE")
    return known


def require_taker(accounts: Accounts, to: str, asked: OperatorRequest) -> None:
    """Let nothing be handed to somebody who could not answer it.

    Raises:
        NotFoundError: nobody of that name has an account that is in use.
        RoleError: their role may not answer this.
    """
    if not accounts.exist:
        return
    person = accounts.get(to)
    if person is None or person.locked:
        raise NotFoundError(
            f"nobody called '{to[:40]}' answers here.", "UNKNOWN_PERSON"
        )
    if not may_answer(asked.level, person.role):
        who = "a shift lead" if asked.level > 0 else "an operator"
        raise RoleError(f"{person.person} may not answer this: {who} has to.")
