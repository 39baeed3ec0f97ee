"""Accounts and sessions over a real store on a disk, as the coordinator opens them."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from coordinator.clock import ManualClock
from coordinator.people.accounts import Accounts
from coordinator.people.pins import PinHasher
from coordinator.people.sessions import SessionRules, Sessions
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.store.pin_file import PINS, PinFile
from coordinator.terms import (
    Digest,
    IdempotencyKey,
    PersonSession,
    SessionEnd,
    events,
)
from tests.coordinator.store.people_events import OWNER
from tests.coordinator.store.store_world import NOON

PIN, OTHER_PIN, THIRD_PIN = "314159", "271828", "161803"


def key(text: str) -> IdempotencyKey:
    return IdempotencyKey(OWNER.person, text, Digest("ab" * 32))


class WallClock(ManualClock):
    """A clock whose wall clock somebody sets."""

    def set_back(self, step: timedelta) -> None:
        self._start -= step


class Desk:
    """What a restart begins anew: everything but the folder and the clock."""

    store: Store
    pins: PinFile
    accounts: Accounts
    sessions: Sessions

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = WallClock(NOON)
        self.gone: list[tuple[PersonSession, SessionEnd]] = []

    @classmethod
    async def opened(cls, folder: Path) -> Self:
        desk = cls(folder)
        await desk.open()
        return desk

    async def open(self) -> None:
        self.store = await Store.open(
            self.folder, clock=self.clock, commit_deadline_s=30
        )
        self.pins = PinFile(self.folder / PINS)
        self.accounts = self._accounts()
        self.sessions = Sessions(
            self.store,
            self.accounts,
            self.clock,
            SessionRules(refusal_s=0),
            self._ended,
        )
        await self.accounts.load()
        await self.sessions.load()

    def _accounts(self) -> Accounts:
        quick = PinHasher(passes=1, memory_kib=64)
        return Accounts(self.store, self.pins, self.clock, least_digits=6, hasher=quick)

    async def beside(self) -> Accounts:
        """Accounts that change the same record behind the back of the others."""
        others = self._accounts()
        await others.load()
        return others

    async def _ended(self, session: PersonSession, why: SessionEnd) -> None:
        self.gone.append((session, why))

    async def restart(self) -> None:
        await self.store.close()
        await self.open()

    async def login(self, name: str, device: str = "d1", pin: str = PIN) -> Any:
        return await self.sessions.login(name, pin, device)

    async def journal(self) -> list[events.Event]:
        entries = await self.store.entries(0, 10_000)
        return [decode(entry.kind, entry.payload_json) for entry in entries]

    async def agrees(self) -> bool:
        """Whether memory says what is on record, and every PIN on record is kept."""
        on_record = list(await self.store.people())
        live = list(await self.store.person_sessions())
        for one in on_record:
            self.pins.hash_of(one.pin_digest)
        return self.accounts.all() == on_record and set(self.sessions.all()) == set(
            live
        )
