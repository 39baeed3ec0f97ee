"""AccessService: logging in and out, and accounts. Enrolment comes with TLS."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc

from andon.v1 import access_pb2, access_pb2_grpc
from coordinator.errors import (
    InputError,
    LoginRequiredError,
    MissingFieldError,
    NotServedError,
    RoleError,
)
from coordinator.service.identity import People, caller, device_of
from coordinator.service.plant import Plant
from coordinator.service.words import (
    clean,
    content_digest,
    seconds,
    timestamp,
)
from coordinator.terms import (
    MACHINE,
    Actor,
    IdempotencyKey,
    Person,
    PersonId,
    PersonSession,
    Role,
    is_id,
)

Context = grpc.aio.ServicerContext[Any, Any]
LONGEST_SHOWN = 60
"""Characters of a person's name on screens, and of a team."""


class AccessService(access_pb2_grpc.AccessServiceServicer):
    """Serves login screens, and the command line's `andon user`."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def _people(self) -> People:
        return self._plant.people

    async def WhoAmI(
        self, request: access_pb2.WhoAmIRequest, context: Context
    ) -> access_pb2.WhoAmIResponse:
        """See access.proto."""
        del request, context
        accounts, session = self._people.accounts, caller().session
        if not accounts.exist:
            return access_pb2.WhoAmIResponse(roles=_words(Role.ENGINEER))
        if session is None:
            return access_pb2.WhoAmIResponse(accounts=True)
        person = accounts.get(session.person)
        return access_pb2.WhoAmIResponse(
            person=session.person,
            device=session.device,
            roles=_words(session.role),
            verified=True,
            accounts=True,
            shown="" if person is None else person.shown,
            expires_at=timestamp(session.expires_at),
            idle_lock=seconds(self._people.sessions.rules.idle_lock_s),
        )

    async def ListPeople(
        self, request: access_pb2.ListPeopleRequest, context: Context
    ) -> access_pb2.ListPeopleResponse:
        """See access.proto."""
        del context
        people = self._people
        if not people.show_names:
            return access_pb2.ListPeopleResponse(accounts=people.accounts.exist)
        last = list(await self._plant.store.last_here(clean("device", request.device)))
        known = [one for one in people.accounts.all() if not one.locked]
        rank = {person: place for place, person in enumerate(last)}
        known.sort(key=lambda one: (rank.get(one.person, len(last)), one.person))
        return access_pb2.ListPeopleResponse(
            people=[
                access_pb2.PersonName(person=one.person, shown=one.shown)
                for one in known
            ],
            accounts=people.accounts.exist,
        )

    async def Login(
        self, request: access_pb2.LoginRequest, context: Context
    ) -> access_pb2.LoginResponse:
        """See access.proto."""
        del context
        device = device_of(clean("device", request.device))
        if not device:
            raise MissingFieldError("device is required.")
        people = self._people
        name = request.person.strip().lower()
        login = await people.sessions.login(name, request.pin, device)
        session, before = login.session, login.replaced
        person = people.accounts.get(session.person)
        replaced = before is not None and before.person != session.person
        return access_pb2.LoginResponse(
            token=login.token,
            expires_at=timestamp(session.expires_at),
            idle_lock=seconds(people.sessions.rules.idle_lock_s),
            roles=_words(session.role),
            person=session.person,
            shown="" if person is None else person.shown,
            replaced=before.person if before is not None and replaced else "",
        )

    async def Logout(
        self, request: access_pb2.LogoutRequest, context: Context
    ) -> access_pb2.LogoutResponse:
        """See access.proto. What has ended already is logged out all the same."""
        del context
        sessions = self._people.sessions
        session: PersonSession | None = caller().session
        if request.token:
            session = sessions.of_token(request.token)
        if session is not None:
            await sessions.logout(session)
        return access_pb2.LogoutResponse()

    async def StillHere(
        self, request: access_pb2.StillHereRequest, context: Context
    ) -> access_pb2.StillHereResponse:
        """See access.proto. The door has noted the touch."""
        del request, context
        session = caller().session
        expires = None if session is None else timestamp(session.expires_at)
        return access_pb2.StillHereResponse(expires_at=expires)

    # -- accounts --------------------------------------------------------------------

    async def ListAccounts(
        self, request: access_pb2.ListAccountsRequest, context: Context
    ) -> access_pb2.ListAccountsResponse:
        """See access.proto."""
        del request, context
        _administrator("somebody")
        return access_pb2.ListAccountsResponse(
            accounts=[self._account(one) for one in self._people.accounts.all()]
        )

    async def AddPerson(
        self, request: access_pb2.AddPersonRequest, context: Context
    ) -> access_pb2.AddPersonResponse:
        """See access.proto."""
        del context
        actor = _administrator(request.by)
        added = await self._people.accounts.add(
            request.person,
            _role(request.role),
            request.pin,
            actor,
            shown=clean("shown", request.shown, longest=LONGEST_SHOWN),
            team=clean("team", request.team, longest=LONGEST_SHOWN),
            once=_once(request, actor),
        )
        return access_pb2.AddPersonResponse(account=self._account(added))

    async def ChangePerson(
        self, request: access_pb2.ChangePersonRequest, context: Context
    ) -> access_pb2.ChangePersonResponse:
        """See access.proto."""
        del context
        actor = _administrator(request.by)
        changed = await self._changed(request, actor, _once(request, actor))
        if request.WhichOneof("change") != "team":
            await self._people.sessions.revoke(changed.person)
        return access_pb2.ChangePersonResponse(account=self._account(changed))

    async def _changed(
        self,
        request: access_pb2.ChangePersonRequest,
        actor: Actor,
        once: IdempotencyKey,
    ) -> Person:
        accounts, person = self._people.accounts, request.person
        match request.WhichOneof("change"):
            case "locked" if request.locked:
                return await accounts.lock(person, actor, once)
            case "locked":
                return self._forgiven(await accounts.unlock(person, actor, once))
            case "role":
                role = _role(request.role)
                return await accounts.change_role(person, role, actor, once)
            case "pin":
                pin = request.pin
                changed = await accounts.change_pin(person, pin, actor, once)
                return self._forgiven(changed)
            case "team":
                team = clean("team", request.team, longest=LONGEST_SHOWN)
                return await accounts.change_team(person, team, actor, once)
            case _:
                raise MissingFieldError("say what to change: locked, role, pin, team.")

    def _forgiven(self, person: Person) -> Person:
        """Forget the wrong PINs, unless some came after the change was first made."""
        if not person.failures:
            self._people.sessions.forgive(person.person)
        return person

    def _account(self, person: Person) -> access_pb2.Account:
        sessions = self._people.sessions.all()
        return access_pb2.Account(
            person=person.person,
            shown=person.shown,
            role=person.role.name.lower(),
            team=person.team,
            locked=person.locked,
            failures=person.failures,
            added_at=timestamp(person.added_at),
            devices=[one.device for one in sessions if one.person == person.person],
        )

    # -- devices ---------------------------------------------------------------------

    async def Enrol(
        self, request: access_pb2.EnrolRequest, context: Context
    ) -> access_pb2.EnrolResponse:
        """See access.proto."""
        del request, context
        _not_yet()

    async def RevokeDevice(
        self, request: access_pb2.RevokeDeviceRequest, context: Context
    ) -> access_pb2.RevokeDeviceResponse:
        """See access.proto."""
        del request, context
        _not_yet()


def _administrator(by: str) -> Actor:
    """Return who changes accounts: an administrator, or who owns the files.

    While there are no accounts the machine's key alone will do: nobody becomes the
    first administrator over the network.

    Raises:
        LoginRequiredError: neither.
        RoleError: an administrator is needed.
    """
    who = caller()
    if who.machine:
        name = by if is_id(by) else "somebody"
        return Actor(PersonId(f"{MACHINE}{name}"), "machine", verified=True)
    if who.actor is None or who.session is None:
        raise LoginRequiredError(
            "log in as an administrator, or run `andon user` on the machine itself."
        )
    if who.session.role < Role.ADMIN:
        raise RoleError(f"admin is needed, {who.actor.person} is not.")
    return who.actor


def _once(
    request: access_pb2.AddPersonRequest | access_pb2.ChangePersonRequest, actor: Actor
) -> IdempotencyKey:
    """Return the key with a digest over the rest, without the PIN.

    The digest stands in the journal, where a PIN could be tried against it.
    """
    if not request.idempotency_key:
        raise MissingFieldError("idempotency_key is required.")
    key = clean("idempotency_key", request.idempotency_key)
    copy: Any = type(request)()
    copy.CopyFrom(request)
    copy.ClearField("idempotency_key")
    if copy.pin:
        copy.pin = "-"
    return IdempotencyKey(actor.person, key, content_digest(copy))


def _role(word: str) -> Role:
    try:
        return Role[word.strip().upper()]
    except KeyError:
        known = ", ".join(_words(Role.ADMIN))
        raise InputError(
            f"'{word[:40]}' is no role, known: {known}.", "UNKNOWN_ROLE"
        ) from None


def _words(role: Role) -> list[str]:
    """Return the names of all a role includes, the least first."""
    return [one.name.lower() for one in Role if one <= role]


def _not_yet() -> NoReturn:
    raise NotServedError("devices are not enrolled by this version of andon.")
