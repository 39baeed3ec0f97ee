"""The store: one directory, one process, one thread that writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from coordinator.clock import Clock, seconds_to_ns
from coordinator.errors import StoreError
from coordinator.seams import CellRow, JournalHead, Then, nothing_follows
from coordinator.store import gate_reader, people_reader, reader, teach_reader
from coordinator.store.codec import Recorded, write_record, write_time
from coordinator.store.database import (
    Directory,
    open_directory,
    open_memory,
    open_writer,
    translated,
)
from coordinator.store.landing import landed
from coordinator.store.looking import Looking
from coordinator.store.readers import Readers
from coordinator.store.unit import Entry, Query, Unit
from coordinator.store.why_reader import examples_named, shown, usable_examples
from coordinator.store.windows import Packed, pack
from coordinator.store.writer import Writer, find_reply
from coordinator.terms import (
    CellId,
    ClipId,
    Digest,
    Example,
    ExampleId,
    ExampleTally,
    FamilyId,
    GateCase,
    GateRow,
    IdempotencyKey,
    Label,
    ModelRecord,
    OperatorRequest,
    Person,
    PersonId,
    PersonSession,
    RequestId,
    SensorWindow,
    StoredClip,
    WindowId,
)
from coordinator.terms.events import (
    AnswerGiven,
    Event,
    JournalEntry,
    WindowDecided,
)
from coordinator.terms.teaching_news import TeachingPage

T = TypeVar("T")

COMMIT_DEADLINE_S: Final = 2.0
"""Longest wait for a commit, in seconds; as long as a node's lease."""
CLAIM_S: Final = 60.0
"""How long a claim lasts that was there before a restart, in seconds."""


class Store(Looking):
    """Writer and reader of one store; see coordinator.seams.

    Lives on one event loop. Open it with Store.open, and close it.
    """

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        directory: Directory | None,
        commit_deadline_s: float | None,
        claim_s: float,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._directory = directory
        self._deadline_s = commit_deadline_s
        self._claim_ns = seconds_to_ns(claim_s)
        self._readers = None if directory is None else Readers(directory.database)

    @classmethod
    async def open(
        cls,
        path: Path | None,
        *,
        clock: Clock,
        commit_deadline_s: float = COMMIT_DEADLINE_S,
        claim_s: float = CLAIM_S,
    ) -> Self:
        """Open the store in a directory, or make one there.

        Args:
            path: The directory; None for a store in memory, gone when it is closed.
            clock: For the times on record, and for deadlines after a restart.
            commit_deadline_s: Longest wait for a commit, in seconds.
            claim_s: How long claims are armed again after a restart, in seconds.

        Raises:
            StoreLockedError: another coordinator holds it; names its pid.
            StoreIntegrityError: what is there is not a whole store.
            SchemaVersionError: it was written by a newer andon.
            StoreDegradedError: it cannot be read or written.
        """
        if path is None:
            # Nothing is slow in memory but the machine, and a backtest may wait for it.
            return cls(clock, Writer(open_memory()), None, None, claim_s)
        directory = await asyncio.to_thread(open_directory, path)
        file = directory.database
        try:
            with translated():
                db = await asyncio.to_thread(open_writer, file)
                writer = Writer(db, lambda: open_writer(file), directory.checkpoint)
        except StoreError:
            directory.close()
            raise
        return cls(clock, writer, directory, commit_deadline_s, claim_s)

    async def close(self) -> None:
        """Finish what is queued, note the head, let the next coordinator in."""
        if self._readers is not None:
            await asyncio.to_thread(self._readers.close)
        await asyncio.to_thread(self._writer.close)
        if self._directory is not None:
            self._directory.close()

    async def commit(
        self,
        *events: Event,
        window: SensorWindow | None = None,
        once: IdempotencyKey | None = None,
        reply: str = "",
        then: Then = nothing_follows,
    ) -> tuple[JournalEntry, ...]:
        """See StoreWriter."""
        if not events:
            raise ValueError("a commit needs an event")
        packed = None if window is None else pack(window)
        loop = asyncio.get_running_loop()
        unit = Unit(
            loop,
            loop.create_future(),
            loop.create_future(),
            self._entries(events, packed, once, reply),
            packed,
            then,
        )
        self._writer.put(unit)
        return await landed(self._writer, unit, self._deadline_s)

    def _entries(
        self,
        events: Sequence[Event],
        packed: Packed | None,
        once: IdempotencyKey | None,
        reply: str,
    ) -> tuple[Entry, ...]:
        recorded_at = write_time(self._clock.utc_now())
        first = Recorded(
            events[0],
            None if packed is None else packed.kept,
            None
            if once is None
            else (once.person, once.key, once.payload_digest, reply),
        )
        records = (first, *(Recorded(event) for event in events[1:]))
        return tuple(
            Entry(record, recorded_at, write_record(record)) for record in records
        )

    async def _read(
        self, ask: Callable[[sqlite3.Connection], T], *, at_work: bool = False
    ) -> T:
        if self._readers is not None:
            return await self._readers.read(ask, at_work=at_work)
        loop = asyncio.get_running_loop()
        query = Query(loop, loop.create_future(), ask)
        self._writer.put(query)
        answer: T = await query.future
        return answer

    def _arming(self) -> reader.Arming:
        return reader.Arming(self._clock.monotonic_ns(), self._claim_ns)

    async def head(self) -> JournalHead:
        """See StoreReader."""
        return await self._read(reader.head)

    async def replied(self, once: IdempotencyKey) -> str | None:
        """See StoreReader."""
        return await self._read(
            lambda db: find_reply(db, once.person, once.key, once.payload_digest),
            at_work=True,
        )

    async def cells(self) -> Mapping[CellId, CellRow]:
        """See StoreReader."""
        return await self._read(reader.cells, at_work=True)

    async def open_requests(self) -> Sequence[OperatorRequest]:
        """See StoreReader."""
        arming = self._arming()
        return await self._read(
            lambda db: reader.open_requests(db, arming), at_work=True
        )

    async def answers_that_wait(self) -> Sequence[AnswerGiven]:
        """See StoreReader."""
        return await self._read(reader.answers_that_wait, at_work=True)

    async def ended_requests(self, limit: int) -> Sequence[OperatorRequest]:
        """See StoreReader."""
        arming = self._arming()
        return await self._read(lambda db: reader.ended_requests(db, arming, limit))

    async def request(self, request_id: RequestId) -> OperatorRequest:
        """See StoreReader; an open one is armed as by open_requests."""
        arming = self._arming()
        return await self._read(
            lambda db: reader.request(db, arming, request_id), at_work=True
        )

    async def answered_for(
        self, cell_id: CellId, window_digest: Digest
    ) -> OperatorRequest | None:
        """See StoreReader."""
        arming = self._arming()
        return await self._read(
            lambda db: reader.answered_for(db, arming, cell_id, window_digest),
            at_work=True,
        )

    async def window(self, window_id: WindowId) -> SensorWindow:
        """See StoreReader."""
        return await self._read(lambda db: reader.window(db, window_id))

    async def decision(self, window_id: WindowId) -> WindowDecided:
        """See StoreReader."""
        return await self._read(lambda db: reader.decision(db, window_id))

    async def clips(self, request_id: RequestId | None, limit: int) -> list[StoredClip]:
        """See StoreReader."""
        return await self._read(lambda db: reader.clips(db, request_id or "", limit))

    async def clip(self, clip_id: ClipId) -> StoredClip:
        """See StoreReader."""
        return await self._read(lambda db: reader.clip(db, clip_id))

    async def clip_of(self, window_id: WindowId) -> StoredClip | None:
        """See StoreReader."""
        return await self._read(lambda db: reader.clip_of(db, window_id))

    async def clips_to_give(self, limit: int) -> list[StoredClip]:
        """See StoreReader."""
        return await self._read(lambda db: reader.clips_to_give(db, limit))

    async def examples(self, family: FamilyId) -> Sequence[Example]:
        """See StoreReader."""
        return await self._read(lambda db: reader.examples(db, family))

    async def example_tally(self, family: FamilyId) -> ExampleTally:
        """See StoreReader."""
        return await self._read(lambda db: reader.example_tally(db, family))

    async def example_windows(
        self, family: FamilyId
    ) -> Sequence[tuple[Example, SensorWindow]]:
        """See StoreReader."""
        return await self._read(lambda db: reader.example_windows(db, family))

    async def usable_examples(
        self, family: FamilyId, limit: int
    ) -> Sequence[ExampleId]:
        """See insight.why.Examples."""
        return await self._read(lambda db: usable_examples(db, family, limit))

    async def examples_named(
        self, ids: Sequence[ExampleId]
    ) -> Sequence[tuple[Example, SensorWindow]]:
        """See insight.why.Examples."""
        return await self._read(lambda db: examples_named(db, ids))

    async def shown(self, request_id: RequestId) -> Sequence[Digest]:
        """See live.request.views.ViewStore."""
        return await self._read(lambda db: shown(db, request_id))

    async def labels(self, family: FamilyId) -> Sequence[Label]:
        """See StoreReader."""
        return await self._read(lambda db: reader.labels(db, family))

    async def models(self, family: FamilyId) -> Sequence[ModelRecord]:
        """See StoreReader."""
        return await self._read(lambda db: reader.models(db, family))

    async def serving(self, family: FamilyId) -> ModelRecord | None:
        """See StoreReader."""
        return await self._read(lambda db: reader.serving(db, family), at_work=True)

    async def gate(self, family: FamilyId) -> GateRow:
        """See StoreReader."""
        return await self._read(lambda db: gate_reader.gate(db, family))

    async def gate_cases(
        self, family: FamilyId, model: Digest, after_seq: int
    ) -> Sequence[GateCase]:
        """See StoreReader."""
        return await self._read(
            lambda db: gate_reader.cases(db, family, model, after_seq)
        )

    async def people(self) -> Sequence[Person]:
        """See StoreReader."""
        return await self._read(people_reader.people)

    async def person_sessions(self) -> Sequence[PersonSession]:
        """See StoreReader."""
        return await self._read(people_reader.sessions)

    async def last_here(self, device: str) -> Sequence[PersonId]:
        """See StoreReader."""
        return await self._read(lambda db: people_reader.last_here(db, device))

    async def teaching_from(self, most: int) -> int:
        """See StoreReader."""
        return await self._read(lambda db: teach_reader.oldest(db, most))

    async def teaching(
        self, after_seq: int, limit: int, windows_after: int = 0
    ) -> TeachingPage:
        """See StoreReader."""
        return await self._read(
            lambda db: teach_reader.page(db, after_seq, limit, windows_after)
        )

    async def entries(self, after_seq: int, limit: int) -> Sequence[JournalEntry]:
        """See StoreReader."""
        return await self._read(lambda db: reader.entries(db, after_seq, limit))

    async def story(self, about: str) -> Sequence[JournalEntry]:
        """See StoreReader."""
        return await self._read(lambda db: reader.story(db, about))
