"""The store as people see it who look back: coordinator.history.History."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from coordinator.history import (
    JournalPage,
    Past,
    PastAnswer,
    PastCase,
    Validation,
    Wanted,
)
from coordinator.store import history_reader, known_reader
from coordinator.terms import Digest, FamilyId, HeldOutCase
from coordinator.terms.known import Asked, KnownCase

T = TypeVar("T")


class Looking:
    """Reads of the past; whoever derives from it has the connections."""

    async def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question over a connection that cannot write."""
        raise NotImplementedError

    async def past(self, since: datetime, until: datetime) -> Past:
        """See History."""
        return await self._read(lambda db: history_reader.past(db, since, until))

    async def journal_page(self, wanted: Wanted) -> JournalPage:
        """See History."""
        return await self._read(lambda db: history_reader.journal_page(db, wanted))

    async def follows_chain(self, entries: int) -> str:
        """See History."""
        return await self._read(lambda db: history_reader.follows_chain(db, entries))

    async def validation(self, model: Digest) -> Validation | None:
        """See History."""
        return await self._read(lambda db: history_reader.validation(db, model))

    async def answers(self, since: datetime, until: datetime) -> Sequence[PastAnswer]:
        """See History."""
        return await self._read(lambda db: known_reader.answers(db, since, until))

    async def team_sizes(self) -> Mapping[str, int]:
        """See History."""
        return await self._read(known_reader.team_sizes)

    async def asked(self) -> Asked:
        """See History."""
        return await self._read(known_reader.asked)

    async def known_cases(
        self, family: FamilyId, labels: Collection[str], before: datetime
    ) -> Sequence[KnownCase]:
        """See History."""
        return await self._read(
            lambda db: known_reader.cases(db, family, labels, before)
        )

    async def live_cases(self, family: FamilyId, model: Digest) -> Sequence[PastCase]:
        """See History."""
        return await self._read(lambda db: history_reader.live_cases(db, family, model))

    async def cases_of(self, held_out: Sequence[HeldOutCase]) -> Sequence[PastCase]:
        """See History."""
        return await self._read(lambda db: history_reader.cases_of(db, held_out))
