"""Who has an account, and as what. Every change is durable before it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from coordinator import log
from coordinator.clock import Clock
from coordinator.errors import (
    AlreadyDoneError,
    BadIdError,
    ConflictError,
    NotFoundError,
    StoreError,
)
from coordinator.people.pins import PinHasher, require_pin
from coordinator.people.record import Record
from coordinator.seams import PinKeeper, Store
from coordinator.terms import (
    Actor,
    Digest,
    IdempotencyKey,
    Person,
    PersonId,
    Role,
    events,
    is_id,
)

_log = log.get("people")
CHANGED_OFFLINE: Final = frozenset(
    kind.__name__
    for kind in (
        events.PersonAdded,
        events.PersonLocked,
        events.PersonUnlocked,
        events.RoleChanged,
        events.PinChanged,
        events.TeamChanged,
    )
)
"""What `andon user` also records while no coordinator runs."""
NO_FAILURES: Final[Mapping[str, Any]] = {"failures": 0, "failed_at": None}
"""Of an account whose wrong PINs are forgotten."""

Change = (
    events.PersonLocked
    | events.PersonUnlocked
    | events.RoleChanged
    | events.PinChanged
    | events.TeamChanged
)


class Accounts:
    """Every account, as a mirror of the store. It lives on the event loop."""

    def __init__(
        self,
        store: Store,
        pins: PinKeeper,
        clock: Clock,
        *,
        least_digits: int,
        hasher: PinHasher | None = None,
    ) -> None:
        self._store = store
        self.record = Record(store)
        self._pins = pins
        self._clock = clock
        self._least_digits = least_digits
        self.hasher = hasher or PinHasher()
        self._people: dict[PersonId, Person] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Take over what is on record."""
        async with self._changing:
            self._people = {one.person: one for one in await self._store.people()}

    @property
    def exist(self) -> bool:
        """Whether there is any: from then on a role is needed."""
        return bool(self._people)

    def all(self) -> list[Person]:
        """Return every account, in the order they were added."""
        return list(self._people.values())

    def get(self, name: str) -> Person | None:
        """Return an account, None if there is none of this name."""
        return self._people.get(PersonId(name))

    def kept_pin(self, person: Person) -> str:
        """Return the hash of a person's PIN; raises StoreIntegrityError."""
        return self._pins.hash_of(person.pin_digest)

    async def add(  # noqa: PLR0913 - the parts of one account
        self,
        person: str,
        role: Role,
        pin: str,
        actor: Actor,
        *,
        shown: str = "",
        team: str = "",
        once: IdempotencyKey | None = None,
    ) -> Person:
        """Give somebody an account.

        Raises:
            BadIdError: the name is no id.
            BadTextError: the PIN would be guessed.
            ConflictError: somebody has this name.
            RoleError: the actor may not.
            StoreDegradedError: it could not be kept; there is no account.
        """
        if not is_id(person):
            raise BadIdError("a name matches [a-z0-9][a-z0-9._-]{0,62}.")
        require_pin(pin, least=self._least_digits)
        async with self._changing:
            if await self._was_done(once):
                return await self._as_recorded(PersonId(person))
            if person in self._people:
                raise ConflictError(f"{person} has an account already.", "PERSON_TAKEN")
            added = Person(
                PersonId(person),
                role,
                await self._keep(pin),
                self._clock.utc_now(),
                shown=shown,
                team=team,
            )
            event = events.PersonAdded(
                added.person, role, added.pin_digest, actor, shown=shown, team=team
            )
            try:
                await self.record.commit(event, once)
            except AlreadyDoneError:
                return await self._as_recorded(added.person)
            return self._now(added)

    async def lock(
        self, person: str, actor: Actor, once: IdempotencyKey | None = None
    ) -> Person:
        """Take an account out of use; raises like change_role()."""
        event = events.PersonLocked(PersonId(person), actor)
        return await self._change(event, once, locked=True)

    async def unlock(
        self, person: str, actor: Actor, once: IdempotencyKey | None = None
    ) -> Person:
        """Let an account be used again; raises like change_role()."""
        event = events.PersonUnlocked(PersonId(person), actor)
        return await self._change(event, once, locked=False, **NO_FAILURES)

    async def change_role(
        self,
        person: str,
        role: Role,
        actor: Actor,
        once: IdempotencyKey | None = None,
    ) -> Person:
        """Give an account another role.

        Returns:
            The account as it is now, also when this was said before.

        Raises:
            NotFoundError: there is no such account.
            RoleError: the actor may not.
            KeyReusedError: the key was used for something else.
            StoreDegradedError: it could not be recorded; nothing changed.
        """
        event = events.RoleChanged(PersonId(person), role, actor)
        return await self._change(event, once, role=role)

    async def change_team(
        self, person: str, team: str, actor: Actor, once: IdempotencyKey | None = None
    ) -> Person:
        """Let an account count for another team; raises like change_role()."""
        event = events.TeamChanged(PersonId(person), team, actor)
        return await self._change(event, once, team=team)

    async def change_pin(
        self, person: str, pin: str, actor: Actor, once: IdempotencyKey | None = None
    ) -> Person:
        """Give an account another PIN; raises like add() and change_role()."""
        require_pin(pin, least=self._least_digits)
        async with self._changing:
            found = self._require(person)
            if await self._was_done(once):
                return await self._as_recorded(found.person)
            digest = await self._keep(pin)
            event = events.PinChanged(found.person, digest, actor)
            changed = await self._record(event, once, pin_digest=digest, **NO_FAILURES)
            await self._forget_old()
            return changed

    def failed(self, person: PersonId, failures: int) -> None:
        """Mirror that a wrong PIN, or at last the right one, is on record."""
        found = self._people[person]
        at = self._clock.utc_now() if failures else None
        self._people[person] = replace(found, failures=failures, failed_at=at)

    async def _keep(self, pin: str) -> Digest:
        """Hash and keep a PIN before the journal cites it; an orphan harms nobody."""
        kept = await asyncio.to_thread(self.hasher.hashed, pin)
        return await asyncio.to_thread(self._pins.keep, kept)

    async def _forget_old(self) -> None:
        """Remove the hashes that the record, not this memory, cites no more."""
        try:
            cited = {one.pin_digest for one in await self._store.people()}
            await asyncio.to_thread(self._pins.forget_all_but, cited)
        except StoreError as error:  # it is only not gone yet
            _log.warning("old_pin_kept", text=error.text)

    async def _change(
        self, event: Change, once: IdempotencyKey | None, **new: Any
    ) -> Person:
        async with self._changing:
            found = self._require(event.person)
            if await self._was_done(once):
                return await self._as_recorded(found.person)
            return await self._record(event, once, **new)

    async def _was_done(self, once: IdempotencyKey | None) -> bool:
        return once is not None and await self._store.replied(once) is not None

    async def _record(
        self, event: Change, once: IdempotencyKey | None, **new: Any
    ) -> Person:
        """Make a change durable, then mirror it; one that was done is only read."""
        try:
            await self.record.commit(event, once)
        except AlreadyDoneError:
            return await self._as_recorded(event.person)
        return self._now(replace(self._require(event.person), **new))

    async def _as_recorded(self, person: PersonId) -> Person:
        """Take one account over from the record; later changes of it are there."""
        for one in await self._store.people():
            if one.person == person:
                return self._now(one)
        raise NotFoundError(f"'{person[:40]}' has no account.", "UNKNOWN_PERSON")

    def _require(self, person: str) -> Person:
        found = self._people.get(PersonId(person))
        if found is None:
            raise NotFoundError(f"'{person[:40]}' has no account.", "UNKNOWN_PERSON")
        return found

    def _now(self, person: Person) -> Person:
        self._people[person.person] = person
        return person
