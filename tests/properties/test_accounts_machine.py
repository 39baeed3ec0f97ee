"""F49, F54: calls come twice, late, or are cut off; memory says what is on record."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from coordinator.errors import AndonError, LoginRefusedError, StoreDegradedError
from coordinator.people.accounts import Accounts
from coordinator.store.pin_file import digest_of
from coordinator.store.verify import verify
from coordinator.terms import Digest, PersonSession, Role, events
from tests.coordinator.people.desk import OTHER_PIN, PIN, THIRD_PIN, Desk, key
from tests.coordinator.store.people_events import OWNER

pytestmark = pytest.mark.slow
NAMES = st.sampled_from(["ana", "ben"])
SAID = st.sampled_from([PIN, OTHER_PIN, THIRD_PIN])
DEVICES = st.sampled_from(["d1", "d2"])


class Fate(Enum):
    """What becomes of the first commit of a call."""

    KEPT = "kept"
    REFUSED = "refused"
    LATE_AND_KEPT = "late, and kept"
    LATE_AND_LOST = "late, and lost"
    CUT_BEFORE = "the coordinator dies before it"
    CUT_AFTER = "the coordinator dies after it"


FATES = st.sampled_from([Fate.KEPT] * 5 + list(Fate))
DEADLY = (Fate.CUT_BEFORE, Fate.CUT_AFTER)


class Cut(Exception):  # noqa: N818 - nobody handles it: the process is gone
    """The coordinator dies here."""


Call = Callable[[Accounts], Awaitable[Any]]


class AccountsMachine(RuleBasedStateMachine):
    """Real accounts, sessions, store and PIN file; the record is the judge."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.fate = Fate.KEPT
        self.calls: list[Call] = []
        self.pin_of: dict[Digest, str] = {}
        self.seats: list[PersonSession] = []

    @initialize()
    def begin(self) -> None:
        # Not what a disk does is tried here: without one there are more sequences.
        quick = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
        self.folder = tempfile.TemporaryDirectory(dir=quick if quick.is_dir() else None)
        self.desk = Desk(Path(self.folder.name))
        self.runner.run(self.desk.open())
        self.watch()

    def watch(self) -> None:
        """Let commits have their fate, and remember which hash is of which PIN."""
        works, hashed = self.desk.store.commit, self.desk.accounts.hasher.hashed

        async def commit(*said: Any, **more: Any) -> Any:
            fate, self.fate = self.fate, Fate.KEPT
            if fate is Fate.CUT_BEFORE:
                raise Cut
            if fate is Fate.REFUSED:
                raise StoreDegradedError("the disk is full.")
            done = None
            if fate is not Fate.LATE_AND_LOST:
                done = await works(*said, **more)
            if fate in (Fate.LATE_AND_KEPT, Fate.LATE_AND_LOST):
                raise StoreDegradedError("it may yet be kept.", "STORE_LATE")
            if fate is Fate.CUT_AFTER:
                raise Cut
            return done

        def kept(pin: str) -> str:
            text = hashed(pin)
            self.pin_of[digest_of(text)] = pin
            return text

        self.desk.store.commit = commit  # type: ignore[method-assign]
        self.desk.accounts.hasher.hashed = kept  # type: ignore[method-assign]

    def call(self, made: Awaitable[Any], fate: Fate) -> Any:
        """Make a call; whoever is cut off starts again."""
        self.fate = fate
        try:
            return self.runner.run(made)  # type: ignore[arg-type]
        except Cut:
            self.restart()
        except AndonError:
            return None
        finally:
            self.fate = Fate.KEPT

    # -- accounts --------------------------------------------------------------------

    @rule(name=NAMES, pin=SAID, fate=FATES)
    def add(self, name: str, pin: str, fate: Fate) -> None:
        self.change(lambda to, once: to.add(name, ROLE, pin, OWNER, once=once), fate)

    @rule(name=NAMES, fate=FATES, locked=st.booleans())
    def lock(self, name: str, fate: Fate, locked: bool) -> None:
        if locked:
            self.change(lambda to, once: to.lock(name, OWNER, once), fate)
        else:
            self.change(lambda to, once: to.unlock(name, OWNER, once), fate)

    @rule(name=NAMES, fate=FATES, role=st.sampled_from(list(Role)))
    def role(self, name: str, fate: Fate, role: Role) -> None:
        self.change(lambda to, once: to.change_role(name, role, OWNER, once), fate)

    @rule(name=NAMES, fate=FATES, team=st.sampled_from(["early", "late"]))
    def team(self, name: str, fate: Fate, team: str) -> None:
        self.change(lambda to, once: to.change_team(name, team, OWNER, once), fate)

    @rule(name=NAMES, pin=SAID, fate=FATES)
    def pin(self, name: str, pin: str, fate: Fate) -> None:
        self.change(lambda to, once: to.change_pin(name, pin, OWNER, once), fate)

    def change(self, made: Callable[..., Awaitable[Any]], fate: Fate) -> None:
        once = key(f"k{len(self.calls)}")
        self.calls.append(lambda to: made(to, once))
        self.call(self.as_served(self.calls[-1]), fate)

    @precondition(lambda self: self.calls)
    @rule(back=st.integers(0, 6), fate=FATES)
    def repeat(self, back: int, fate: Fate) -> None:
        again = self.calls[max(0, len(self.calls) - 1 - back)]
        self.call(self.as_served(again), fate)

    async def as_served(self, made: Call) -> None:
        changed = await made(self.desk.accounts)
        await self.desk.sessions.revoke(changed.person)

    # -- sessions --------------------------------------------------------------------

    @rule(name=NAMES, device=DEVICES, pin=SAID, fate=FATES)
    def login(self, name: str, device: str, pin: str, fate: Fate) -> None:
        before = {one.person: one for one in self.on_record()}.get(name)
        try:
            login = self.call(self.tried(name, device, pin), fate)
        except LoginRefusedError:
            return
        if login is not None:
            assert before is not None
            assert not before.locked
            assert self.pin_of[before.pin_digest] == pin
            self.seats.append(login.session)

    async def tried(self, name: str, device: str, pin: str) -> Any:
        return await self.desk.login(name, device, pin)

    @rule(name=NAMES, device=DEVICES)
    def login_by_the_pin_on_record(self, name: str, device: str) -> None:
        """Whatever came before, who may is let in by the PIN that is on record."""
        self.runner.run(self.waited())
        found = [p for p in self.on_record() if p.person == name and not p.locked]
        for person in found:
            pin = self.pin_of[person.pin_digest]
            login = self.runner.run(self.desk.login(name, device, pin))
            self.seats.append(login.session)

    async def waited(self) -> None:
        self.desk.clock.advance(timedelta(minutes=6))
        await self.desk.sessions.tick()

    @rule(names=st.tuples(NAMES, NAMES))
    def two_log_in_at_once(self, names: tuple[str, str]) -> None:
        self.runner.run(self.waited())
        self.runner.run(self.both(names))

    async def both(self, names: tuple[str, str]) -> None:
        pins = {p.person: self.pin_of[p.pin_digest] for p in self.on_desk()}
        tries = [self.desk.login(n, "d1", pins.get(n, PIN)) for n in names]
        for done in await asyncio.gather(*tries, return_exceptions=True):
            if not isinstance(done, BaseException):
                self.seats.append(done.session)
            else:
                assert isinstance(done, LoginRefusedError), done

    @precondition(lambda self: self.seats)
    @rule(back=st.integers(0, 3), fate=FATES)
    def logout(self, back: int, fate: Fate) -> None:
        seat = self.seats[max(0, len(self.seats) - 1 - back)]
        self.call(self.desk.sessions.logout(seat), fate)

    @rule(minutes=st.sampled_from([1, 3, 700]), back_h=st.sampled_from([0, 0, 24]))
    def time_passes(self, minutes: int, back_h: int) -> None:
        self.desk.clock.advance(timedelta(minutes=minutes))
        self.desk.clock.set_back(timedelta(hours=back_h))

    @rule()
    def restart(self) -> None:
        self.runner.run(self.desk.restart())
        self.watch()

    # -- promises --------------------------------------------------------------------

    def on_record(self) -> list[Any]:
        return list(self.runner.run(self.desk.store.people()))

    def on_desk(self) -> list[Any]:
        return self.desk.accounts.all()

    @invariant()
    def memory_says_what_is_on_record_and_its_pins_are_kept(self) -> None:
        if hasattr(self, "desk"):
            self.runner.run(self.desk.sessions.tick())
            assert self.runner.run(self.desk.agrees())

    @invariant()
    def one_person_is_at_one_device(self) -> None:
        if hasattr(self, "desk"):
            devices = [one.device for one in self.desk.sessions.all()]
            assert len(devices) == len(set(devices))

    def teardown(self) -> None:
        said = self.runner.run(self.desk.journal())
        self.runner.run(self.desk.store.close())
        changes = [one for one in said if isinstance(one, CHANGES)]
        assert len(changes) <= len(self.calls)  # however often they were said
        assert verify(self.desk.folder).ok
        self.runner.close()
        self.folder.cleanup()


ROLE = Role.OPERATOR
CHANGES = (
    events.PersonAdded,
    events.PersonLocked,
    events.PersonUnlocked,
    events.RoleChanged,
    events.PinChanged,
    events.TeamChanged,
)

TestAccounts = AccountsMachine.TestCase
TestAccounts.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, derandomize=True
)
