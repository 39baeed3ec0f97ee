"""F54 and I2 for people: whatever happens in whatever order, only who may, writes."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

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

from coordinator.clock import ManualClock
from coordinator.errors import AndonError, RoleError
from coordinator.people.accounts import Accounts
from coordinator.people.pins import PinHasher
from coordinator.people.sessions import SessionRules, Sessions, actor_in
from coordinator.store import Store
from coordinator.store.pin_file import PINS, PinFile
from coordinator.store.verify import verify
from coordinator.terms import (
    Actor,
    DecisionId,
    Digest,
    FamilyId,
    HoldReason,
    PersonId,
    PersonSession,
    Role,
    SessionEnd,
    SessionId,
    new_id,
)
from coordinator.terms import events as e
from tests.coordinator.store.people_events import OWNER
from tests.coordinator.store.store_world import CELL, NOON, session

pytestmark = pytest.mark.slow
NAMES = st.sampled_from(["ana", "ben", "eve"])
ROLES = st.sampled_from(
    [Role.OPERATOR, Role.SUPERVISOR, Role.ENGINEER, Role.OPERATOR, *Role]
)
CASTS = st.sampled_from(
    [
        [],
        [Role.OPERATOR, Role.SUPERVISOR, Role.ENGINEER],
        [Role.OPERATOR, Role.AUDITOR, Role.ADMIN],
        [Role.AUDITOR, Role.OPERATOR],
    ]
)
"""Who is there and logged in at the beginning."""
PIN = "314159"
SEVERE = {HoldReason.SAFETY_STOP_SEEN, HoldReason.INTEGRITY, HoldReason.IDENTITY}


class PeopleMachine(RuleBasedStateMachine):
    """Real accounts, sessions and store; a plain model says who may do what."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock(NOON)
        self.roles: dict[str, Role] = {}
        self.locked: set[str] = set()
        self.live: dict[SessionId, tuple[str, timedelta]] = {}
        self.seats: list[PersonSession] = []
        self.touched: dict[SessionId, timedelta] = {}

    @initialize(roles=CASTS)
    def begin(self, roles: list[Role]) -> None:
        # Not what a disk does is tried here: without one there are more sequences.
        quick = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
        self.folder = tempfile.TemporaryDirectory(dir=quick if quick.is_dir() else None)
        self.path = Path(self.folder.name)
        self.runner.run(self.open())
        self.runner.run(self.store.commit(session()))
        for name, role in zip(("ana", "ben", "eve"), roles, strict=False):
            self.add(name, role)
            self.login(name, f"desk of {name}", right=True)

    async def open(self) -> None:
        self.store = await Store.open(self.path, clock=self.clock, commit_deadline_s=30)
        self.accounts = Accounts(
            self.store,
            PinFile(self.path / PINS),
            self.clock,
            least_digits=6,
            hasher=PinHasher(passes=1, memory_kib=64),
        )
        self.sessions = Sessions(
            self.store, self.accounts, self.clock, SessionRules(refusal_s=0), _nothing
        )
        await self.accounts.load()
        await self.sessions.load()

    def elapsed(self) -> timedelta:
        return self.clock.utc_now() - NOON

    def end(self, name: str) -> None:
        self.live = {s: one for s, one in self.live.items() if one[0] != name}

    # -- accounts --------------------------------------------------------------------

    @rule(name=NAMES, role=ROLES)
    def add(self, name: str, role: Role) -> None:
        taken = name in self.roles
        done = self.attempt(self.accounts.add(name, role, PIN, OWNER))
        assert done is not taken
        self.roles.setdefault(name, role)

    @precondition(lambda self: self.roles)
    @rule(name=NAMES, role=ROLES)
    def change_role(self, name: str, role: Role) -> None:
        if self.attempt(self.accounts.change_role(name, role, OWNER)):
            self.runner.run(self.sessions.revoke(PersonId(name)))
            self.roles[name] = role
            self.end(name)

    @precondition(lambda self: self.roles)
    @rule(name=NAMES, lock=st.booleans(), told=st.booleans())
    def lock(self, name: str, lock: bool, told: bool) -> None:
        change = self.accounts.lock if lock else self.accounts.unlock
        if not self.attempt(change(name, OWNER)):
            return
        if lock:
            self.locked.add(name)
            self.end(name)
            if told:  # else a stale mirror thinks they are still there
                self.runner.run(self.sessions.revoke(PersonId(name)))
        else:
            self.locked.discard(name)

    @rule(name=NAMES, device=st.sampled_from(["d1", "d2"]), right=st.booleans())
    def login(self, name: str, device: str, right: bool) -> None:
        may = right and name in self.roles and name not in self.locked
        before = [s for s in self.sessions.all() if s.device == device]
        try:
            pin = PIN if right else "000001"
            seat = self.runner.run(self.sessions.login(name, pin, device)).session
        except RoleError:
            return  # perhaps only because it has to wait
        assert may
        for one in before:
            self.live.pop(one.session, None)
        self.seats.append(seat)
        self.touched[seat.session] = self.elapsed()
        self.live[seat.session] = (name, self.elapsed() + timedelta(hours=12))

    @precondition(lambda self: self.seats)
    @rule(pick=st.integers(0, 5))
    def logout(self, pick: int) -> None:
        seat = self.seats[pick % len(self.seats)]
        self.runner.run(self.sessions.logout(seat))
        self.live.pop(seat.session, None)

    @rule(seconds=st.sampled_from([1, 60, 400, 7 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.runner.run(self.sessions.tick())
        for seat in self.seats:
            idle = self.elapsed() - self.touched[seat.session] >= timedelta(minutes=2)
            until = self.live.get(seat.session, ("", timedelta.max))[1]
            if idle or not self.elapsed() < until:
                self.live.pop(seat.session, None)

    @precondition(lambda self: self.seats)
    @rule(pick=st.integers(0, 5))
    def touch(self, pick: int) -> None:
        seat = self.seats[pick % len(self.seats)]
        self.sessions.touch(seat.session)
        self.touched[seat.session] = self.elapsed()

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self.runner.run(self.open())
        # nobody has been idle yet: what is armed again counts from now
        self.touched = dict.fromkeys(self.touched, self.elapsed())

    # -- writes ----------------------------------------------------------------------

    @rule(
        pick=st.integers(0, 5),
        reason=st.sampled_from([*SEVERE, HoldReason.LINK_LOST]),
        liar=st.sampled_from([None, Role.ADMIN]),
    )
    def release(self, pick: int, reason: HoldReason, liar: Role | None) -> None:
        least = Role.SUPERVISOR if reason in SEVERE else Role.OPERATOR
        released = e.HoldReleased(
            DecisionId(new_id("d")), CELL, self.actor(pick, liar), (reason,), ""
        )
        self.write(released, pick, least)

    @rule(pick=st.integers(0, 5))
    def close_for_good(self, pick: int) -> None:
        granted = e.ProvisionalGranted(
            FamilyId("peg"), self.actor(pick), 0.9, self.clock.utc_now()
        )
        self.write(granted, pick, Role.ENGINEER)

    @precondition(lambda self: self.roles)
    @rule(pick=st.integers(0, 5), name=NAMES)
    def make_admin(self, pick: int, name: str) -> None:
        if name in self.roles:
            change = e.RoleChanged(PersonId(name), Role.ADMIN, self.actor(pick))
            if self.write(change, pick, Role.ADMIN):
                self.runner.run(self.accounts.load())
                self.runner.run(self.sessions.revoke(PersonId(name)))
                self.roles[name] = Role.ADMIN
                self.end(name)

    @rule(name=NAMES)
    def pull_the_cord(self, name: str) -> None:
        held = e.HoldPlaced(
            CELL, HoldReason.OPERATOR_HOLD, "look.", Actor(PersonId(name))
        )
        self.runner.run(self.store.commit(held))

    def actor(self, pick: int, liar: Role | None = None) -> Actor:
        """Somebody who is or was logged in, or a name that is only said."""
        if not self.seats or pick == 5:
            return Actor(PersonId("ana"), "d1")
        actor = actor_in(self.seats[pick % len(self.seats)])
        if liar is None:
            return actor
        return Actor(actor.person, "d9", True, actor.session, liar)

    def write(self, event: e.Event, pick: int, least: Role) -> bool:
        actor: Actor = event.actor  # type: ignore[union-attr,assignment]
        known = self.live.get(actor.session)
        open_to_all = not self.roles and not isinstance(event, e.RoleChanged)
        may = open_to_all or (known is not None and self.roles[known[0]] >= least)
        done = self.attempt(self.store.commit(event))
        assert done is may, f"{actor} {least} {self.roles} {self.live}"
        return done

    def attempt(self, change) -> bool:
        try:
            self.runner.run(change)
        except AndonError:
            return False
        return True

    @invariant()
    def the_mirror_lets_nobody_in_who_may_not(self) -> None:
        for seat in (getattr(self, "sessions", None) and self.sessions.all()) or ():
            if seat.session in self.live:
                assert self.roles[seat.person] is seat.role

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        assert verify(self.path).ok
        self.runner.close()
        self.folder.cleanup()


async def _nothing(session: PersonSession, why: SessionEnd) -> None:
    assert session.token_digest != Digest("")
    assert why in SessionEnd


TestPeople = PeopleMachine.TestCase
TestPeople.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, derandomize=True
)
