"""Who is logged in where. A session is one person at one device.

It ends by word, when nobody touches the device, after a working day at most, when
somebody else logs in there, or when the account changes; whoever it was then holds no
claim any more. The token is known to the client alone, here is its digest.

Nobody learns from a refusal whether a name exists: every try costs the same hash, the
same sentence and the same time, and waits alike after too many.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from coordinator import log
from coordinator.clock import Clock, seconds_to_ns
from coordinator.errors import (
    LoginRefusedError,
    LoginRequiredError,
    OverloadedError,
    StoreError,
)
from coordinator.people.accounts import Accounts
from coordinator.people.patience import Patience
from coordinator.seams import Store
from coordinator.terms import (
    Actor,
    Digest,
    Person,
    PersonId,
    PersonSession,
    SessionEnd,
    SessionId,
    events,
    is_id,
    new_id,
)

_log = log.get("people")
REFUSAL_S: Final = 0.5
"""A refused login takes at least so long, whatever was wrong with it, s."""
MOST_TRIES: Final = 16
"""Logins that may wait for the one core they get."""

NO_NAME: Final = ""
"""What can be nobody's name stands under this one: it may be long, and of any kind."""

Ended = Callable[[PersonSession, SessionEnd], Awaitable[None]]
"""Told when a session ended: what its person holds is let go. It never raises."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a login came to.

    Attributes:
        token: For the client alone.
        session: What began.
        replaced: The session at the same device that it ended.
    """

    token: str
    session: PersonSession
    replaced: PersonSession | None = None


@dataclass(slots=True)
class _Here:
    """When somebody was last there, and must go at the latest; monotonic, in ns."""

    touched_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions last.

    Attributes:
        longest: From the login to the end at the latest.
        idle_lock_s: Time without a touch after which a device is locked, s.
        tries: Wrong PINs that cost no wait.
        longest_wait_s: Longest wait after wrong PINs, s.
        refusal_s: Least time a refused login takes, s.
    """

    longest: timedelta = timedelta(hours=12)
    idle_lock_s: float = 120.0
    tries: int = 3
    longest_wait_s: float = 300.0
    refusal_s: float = REFUSAL_S


class Sessions:
    """The sessions of people. Not thread-safe: it lives on the event loop."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        clock: Clock,
        rules: SessionRules,
        ended: Ended,
    ) -> None:
        self._store = store
        self._record = accounts.record
        self._accounts = accounts
        self._clock = clock
        self._ended = ended
        self.rules = rules
        self._patience = Patience(
            free=rules.tries, longest_ns=seconds_to_ns(rules.longest_wait_s)
        )
        self._by_token: dict[Digest, PersonSession] = {}
        self._here: dict[SessionId, _Here] = {}
        self._unrecorded: list[events.PersonSessionEnded] = []
        self._one_at_a_time = asyncio.Lock()
        self._tries = 0
        self._nobodys_pin = ""

    async def load(self) -> None:
        """Take over what is on record; nobody has been idle yet."""
        now_ns = self._clock.monotonic_ns()
        for session in await self._store.person_sessions():
            self._remember(session)
        for person in self._accounts.all():
            if person.failures:
                self._patience.note(person.person, person.failures, now_ns)
        nobodys = secrets.token_hex(16)
        self._nobodys_pin = await asyncio.to_thread(
            self._accounts.hasher.hashed, nobodys
        )

    def all(self) -> list[PersonSession]:
        """Return the sessions that have not ended, oldest first."""
        return list(self._by_token.values())

    def of_token(self, token: str) -> PersonSession | None:
        """Return the session of a token, None if it has ended or is none."""
        session = self._by_token.get(digest_of(token))
        if session is None or self._why_over(session) is not None:
            return None
        return session

    def lives(self, session: SessionId) -> bool:
        """Whether a session has not ended."""
        return session in self._here

    def touch(self, session: SessionId) -> None:
        """Note that a person did something: the idle lock begins anew."""
        if (here := self._here.get(session)) is not None:
            here.touched_ns = self._clock.monotonic_ns()

    async def login(self, name: str, pin: str, device: str) -> Login:
        """Begin a session; whoever was at this device before is logged out.

        Raises:
            LoginRefusedError: the name or the PIN is wrong, too many were, or the
                account is locked or was changed meanwhile.
            OverloadedError: too many try at once.
            StoreDegradedError: it could not be recorded; nobody is logged in.
        """
        began_ns = self._clock.monotonic_ns()
        if self._tries >= MOST_TRIES:
            raise OverloadedError("too many log in at once. Try again.")
        self._tries += 1
        try:
            async with self._one_at_a_time:
                # Who is at a device is looked up and replaced in one go.
                person = await self._prove(
                    name if is_id(name) else NO_NAME, pin, device
                )
                login = await self._begin(person, device)
        except LoginRefusedError:
            took_s = (self._clock.monotonic_ns() - began_ns) / 1e9
            await self._clock.sleep(max(0.0, self.rules.refusal_s - took_s))
            raise
        finally:
            self._tries -= 1
        if login.replaced is not None:
            await self._gone(login.replaced, SessionEnd.SWITCHED)
        return login

    async def _prove(self, name: str, pin: str, device: str) -> Person:
        left_ns = self._patience.left_ns(name, self._clock.monotonic_ns())
        if left_ns:
            raise LoginRefusedError(
                f"too many wrong PINs. Wait {left_ns / 1e9:.0f} s, then try again.",
                "LOGIN_WAIT",
            )
        person = self._accounts.get(name)
        kept = self._nobodys_pin if person is None else self._accounts.kept_pin(person)
        right = await asyncio.to_thread(self._accounts.hasher.matches, kept, pin)
        if person is None or not right:
            await self._refused(name, device, person)
            raise LoginRefusedError("the name or the PIN is wrong. Try again.")
        if person.locked:
            raise LoginRefusedError(
                "this account is locked. Ask an administrator.", "ACCOUNT_LOCKED"
            )
        return person

    async def _refused(self, name: str, device: str, person: Person | None) -> None:
        failures = self._patience.failed(name, self._clock.monotonic_ns())
        _log.warning("login_refused", device=device, failures=failures)
        if person is None:
            return  # perhaps it was a PIN, typed in the wrong place: not on record
        try:
            await self._record.commit(
                events.PinRefused(person.person, device, failures)
            )
        except StoreError as error:
            _log.error("refusal_not_recorded", text=error.text)
            return
        self._accounts.failed(person.person, failures)

    async def _begin(self, person: Person, device: str) -> Login:
        token = secrets.token_urlsafe(32)
        before = next((one for one in self.all() if one.device == device), None)
        session = PersonSession(
            SessionId(new_id("s")),
            person.person,
            person.role,
            device,
            digest_of(token),
            self._clock.utc_now() + self.rules.longest,
        )
        replaced = None if before is None else before.session
        try:
            await self._record.commit(
                events.PersonSessionStarted(session, replaced, person.pin_digest)
            )
        except LoginRequiredError as error:
            raise LoginRefusedError(
                "this account was changed just now. Try again."
            ) from error
        if before is not None:
            self._forget(before)
        self._patience.forget(person.person)
        self._accounts.failed(person.person, 0)
        self._remember(session)
        return Login(token, session, before)

    async def logout(self, session: PersonSession) -> None:
        """End a session by its person's word."""
        await self._end(session, SessionEnd.LOGOUT)

    async def revoke(self, person: PersonId) -> None:
        """End what a change of an account has ended on record already.

        A change that is said twice ends nothing that began after it. When nobody can
        look, everything of this person ends.
        """
        there = [one for one in self.all() if one.person == person]
        try:
            live = {one.session for one in await self._store.person_sessions()}
        except StoreError as error:
            _log.error("sessions_not_read", text=error.text)
            live = set()
        for session in there:
            if session.session not in live:
                await self._gone(session, SessionEnd.REVOKED)

    def forgive(self, person: PersonId) -> None:
        """Forget a person's wrong PINs."""
        self._patience.forget(person)

    async def tick(self) -> None:
        """End what is over, and record what could not be recorded before."""
        for session in self.all():
            if (why := self._why_over(session)) is not None:
                await self._end(session, why)
        waiting, self._unrecorded = self._unrecorded, []
        for event in waiting:
            await self._record_end(event)
        if self._record.unsure:
            try:
                await self._read_again()
            except StoreError as error:
                _log.error("people_not_read", text=error.text)

    async def _read_again(self) -> None:
        """Take over what became of a commit that was late; see Record.

        Who is not there on record is gone here; a session whose token nobody was given
        ends, as if nobody touched it.
        """
        async with self._one_at_a_time:
            mark = self._record.mark()
            await self._accounts.load()
            found = await self._store.person_sessions()
            live = {one.session for one in found}
            gone = [one for one in self.all() if one.session not in live]
            left = [one for one in found if one.session not in self._here]
            self._record.was_read(mark)
        for one in gone:
            await self._gone(one, SessionEnd.REVOKED)
        for one in left:
            await self._record_end(
                events.PersonSessionEnded(one.session, one.person, SessionEnd.IDLE)
            )

    def _why_over(self, session: PersonSession) -> SessionEnd | None:
        # The wall clock may be set: a session ends by whichever comes first.
        now_ns, here = self._clock.monotonic_ns(), self._here[session.session]
        in_time = now_ns < here.until_ns
        if not in_time or not self._clock.utc_now() < session.expires_at:
            return SessionEnd.EXPIRED
        idle_ns = now_ns - here.touched_ns
        if not idle_ns < seconds_to_ns(self.rules.idle_lock_s):
            return SessionEnd.IDLE
        return None

    async def _end(self, session: PersonSession, why: SessionEnd) -> None:
        """Let nothing through any more, then record it, then let go of the claims."""
        self._forget(session)
        await self._record_end(
            events.PersonSessionEnded(session.session, session.person, why)
        )
        await self._gone(session, why)

    async def _gone(self, session: PersonSession, why: SessionEnd) -> None:
        self._forget(session)
        _log.info("session_ended", session=session.session, reason=why.value)
        await self._ended(session, why)

    async def _record_end(self, event: events.PersonSessionEnded) -> None:
        try:
            await self._record.commit(event)
        except StoreError as error:
            _log.error("session_end_waits", text=error.text)
            self._unrecorded.append(event)

    def _remember(self, session: PersonSession) -> None:
        now_ns = self._clock.monotonic_ns()
        left = min(session.expires_at - self._clock.utc_now(), self.rules.longest)
        until_ns = now_ns + seconds_to_ns(left.total_seconds())
        self._by_token[session.token_digest] = session
        self._here[session.session] = _Here(now_ns, until_ns)

    def _forget(self, session: PersonSession) -> None:
        self._by_token.pop(session.token_digest, None)
        self._here.pop(session.session, None)


def actor_in(session: PersonSession) -> Actor:
    """Return who acts in a session."""
    return Actor(
        session.person,
        session.device,
        verified=True,
        session=session.session,
        role=session.role,
    )


def digest_of(token: str) -> Digest:
    """SHA-256 over a token; it is long and random, so this gives nothing away."""
    return Digest(hashlib.sha256(token.encode()).hexdigest())
