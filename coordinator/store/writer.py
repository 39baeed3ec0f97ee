"""The one thread that writes: everything queued becomes one durable transaction.

Group commit without a timer: when a commit has finished, everything that came in the
meantime is the next one. Each caller's events stand in a savepoint of their own, so a
guard that fails takes back that caller's events and nobody else's. A caller hears of
its events only after the COMMIT was synced to the disk.

When a commit fails, nobody's events are kept, and everybody hears so. After a full disk
the connection goes on. After anything else it is not trusted: a failed sync may leave
pages that look written. It is closed, opened again and proven by a commit of its own,
whose frames also overwrite those of the failed one, before it takes events.

A COMMIT that failed is in doubt until then: it may be found kept. Who waits for it
hears at once that it is late, never that it is kept. The thread opens the store again
by itself, as often as it takes; then it is known, and memory follows (store.landing).
What is found kept is first copied out of the log into the store's own file: the sync
that failed may have left frames there that only look written.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from coordinator import log
from coordinator.errors import (
    AlreadyDoneError,
    AndonError,
    KeyReusedError,
    StoreDegradedError,
    StoreError,
    StoreLateError,
)
from coordinator.store import journal
from coordinator.store.checkpoint import Checkpoint
from coordinator.store.fold import Place, fold
from coordinator.store.journal import Chain
from coordinator.store.unit import Answer, Query, Unit, in_doubt, resolve
from coordinator.store.windows import keep

QUEUE_UNITS: Final = 4096
"""Commits that may wait; about 60 MB when each brings a window."""
BATCH_UNITS: Final = 512
"""Commits in one transaction, so that the first of them does not wait for thousands."""
LOOK_AGAIN_S: Final = 0.5
"""Time between two tries to find out what became of a commit that failed, s."""

HARMLESS: Final[Mapping[int | None, str]] = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was kept.",
    sqlite3.SQLITE_BUSY: "another program locks the store; nothing was kept.",
}
"""Failures after which a connection can be trusted, and what people are told."""

_log = log.get("store")
CLOSED: Final = "the store is closed."


@dataclass(frozen=True, slots=True)
class Doubt:
    """A commit that failed, and may be kept for all that.

    Attributes:
        chain: Where the journal ends if it is kept.
        kept: What each caller gets then.
        lost: What each caller gets if it is not.
    """

    chain: Chain
    kept: Sequence[tuple[Unit, Answer]]
    lost: Sequence[tuple[Unit, Answer]]

    @property
    def units(self) -> list[Unit]:
        """What was brought."""
        return [unit for unit, _ in self.kept]


class Writer:
    """Owns the writing connection and its thread.

    Args:
        db: The connection; the writer closes it.
        reopen: Opens it again after a failed sync; None for a store in memory.
        checkpoint: Where the head is noted, if anywhere.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        reopen: Callable[[], sqlite3.Connection] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self._db = db
        self._reopen = reopen
        self._checkpoint = checkpoint
        self._chain = journal.read_chain(db)
        self._trusted = True
        self._doubt: Doubt | None = None
        self._queue: deque[Unit | Query] = deque()
        self._at_work: list[Unit | Query] = []
        self._wake = threading.Condition()
        self._stopping = False
        # A daemon: what is not committed when the program dies was promised to nobody.
        self._thread = threading.Thread(
            target=self._run, name="store-writer", daemon=True
        )
        self._thread.start()

    def put(self, job: Unit | Query) -> None:
        """Queue a job; its future is resolved on its own loop.

        Raises:
            StoreDegradedError: the queue is full, or the store is closed.
        """
        with self._wake:
            if self._stopping:
                raise StoreDegradedError(CLOSED)
            if len(self._queue) >= QUEUE_UNITS:
                raise StoreDegradedError(f"{QUEUE_UNITS} commits wait already.")
            self._queue.append(job)
            self._wake.notify()

    def take_back(self, job: Unit | Query) -> bool:
        """Remove a job that still waits; False when its transaction is under way."""
        with self._wake:
            if job not in self._queue:
                return False
            self._queue.remove(job)
            return True

    def close(self) -> None:
        """Finish what is queued, then give the connection back; blocks."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (jobs := self._take()) is not None:
                if isinstance(jobs, Query):
                    resolve([(jobs, self._answer(jobs))])
                elif jobs:
                    resolve(self._commit(jobs))
                else:
                    self._look_again()
        finally:
            # Nobody waits for a thread that is gone, whatever ended it.
            with self._wake:
                self._stopping = True
                left = [*self._at_work, *self._queue]
                self._queue.clear()
            doubtful = [] if self._doubt is None else self._doubt.units
            resolve([(unit, StoreLateError(CLOSED)) for unit in doubtful])
            resolve([(job, StoreDegradedError(CLOSED)) for job in left])
            self._finish()

    def _finish(self) -> None:
        self._db.close()
        if self._checkpoint is not None:
            with suppress(OSError):  # a witness that is late by a little is one still
                self._checkpoint.sync()

    def _take(self) -> list[Unit] | Query | None:
        """Wait for work: the next commits together, or one query alone; None: stop.

        No commits at all are the time to look again what became of one in doubt.
        """
        with self._wake:
            while not self._queue and not self._stopping:
                woken = self._wake.wait(None if self._doubt is None else LOOK_AGAIN_S)
                if not woken:
                    return []
            units: list[Unit] = []
            self._at_work = []
            while self._queue and len(units) < BATCH_UNITS:
                job = self._queue[0]
                if isinstance(job, Query) and units:
                    break
                self._at_work.append(self._queue.popleft())
                if isinstance(job, Query):
                    return job
                units.append(job)
            return units or None

    def _answer(self, query: Query) -> Any:
        try:
            return query.ask(self._db)
        except (AndonError, sqlite3.Error) as error:
            return error

    def _commit(self, units: Sequence[Unit]) -> Sequence[tuple[Unit, Answer]]:
        """Make one transaction of the units; what each of them gets by now."""
        committing = False
        chain, answers = self._chain, list[tuple[Unit, Answer]]()
        try:
            self._regain_trust()
            self._db.execute("BEGIN IMMEDIATE")
            chain = self._chain  # opening it again may have found it longer
            for unit in units:
                chain, answer = self._apply(chain, unit)
                answers.append((unit, answer))
            committing = True
            self._db.execute("COMMIT")
        except (sqlite3.Error, StoreError) as error:
            text = self._roll_back(error)
            lost = [(unit, StoreDegradedError(text)) for unit in units]
            if not committing or self._trusted or self._reopen is None:
                return lost
            self._doubt = Doubt(chain, answers, lost)
            self._look_again()
            if self._doubt is not None:
                in_doubt(units)
            return []
        self._chain = chain
        self._note()
        return answers

    def _look_again(self) -> None:
        """Find out what became of a commit in doubt, if the disk says so by now."""
        with suppress(sqlite3.Error, StoreError):
            self._regain_trust()

    def _apply(self, chain: Chain, unit: Unit) -> tuple[Chain, Answer]:
        """Apply one unit inside its savepoint; the chain after it, and its answer."""
        self._db.execute("SAVEPOINT unit")
        try:
            after, answer = self._append(chain, unit)
        except (AndonError, ValueError, OverflowError, sqlite3.IntegrityError) as error:
            self._db.execute("ROLLBACK TO unit")
            self._db.execute("RELEASE unit")
            return chain, error
        self._db.execute("RELEASE unit")
        return after, answer

    def _append(self, chain: Chain, unit: Unit) -> tuple[Chain, Answer]:
        db, answer = self._db, []
        self._refuse_repeated(unit)
        for entry in unit.entries:
            kind = type(entry.record.event).__name__
            chain, row = chain.append(entry.recorded_at, kind, entry.payload)
            db.execute(journal.APPEND, row)
            if unit.window is not None and entry.record.window is not None:
                keep(db, unit.window.row, chain.seq)
            fold(Place(db, chain.seq, entry.recorded_at), entry.record)
            answer.append(journal.entry(row))
        return chain, tuple(answer)

    def _refuse_repeated(self, unit: Unit) -> None:
        """Say so when the call was carried out before.

        Raises:
            AlreadyDoneError: it was.
            KeyReusedError: its key belongs to another call.
        """
        once = unit.entries[0].record.once
        if once is None:
            return
        said = find_reply(self._db, *once[:3])
        if said is not None:
            raise AlreadyDoneError(said)

    def _note(self) -> None:
        if self._checkpoint is None:
            return
        try:
            self._checkpoint.write(self._chain.head)
        except OSError as error:
            _log.warning("head not noted", reason=error.strerror)

    def _roll_back(self, error: sqlite3.Error | StoreError) -> str:
        """Forget the transaction; return what to tell those who waited."""
        code = getattr(error, "sqlite_errorcode", None)
        primary = code & 0xFF if code is not None else None
        self._trusted = self._trusted and primary in HARMLESS
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self._trusted = False
        text = HARMLESS.get(primary, "the disk is failing; nothing was kept.")
        if isinstance(error, StoreError):
            text = error.text
        _log.error("commit failed", reason=str(error), code=code)
        return text

    def _regain_trust(self) -> None:
        """Open the connection again if the last commit left it in doubt.

        The proving commit writes over the frames of the failed one, so that a later
        recovery cannot find them.

        Raises:
            sqlite3.Error: the disk still fails.
            StoreError: the store still cannot be opened, or is not what it was.
        """
        if self._trusted:
            return
        if self._reopen is None:
            raise StoreDegradedError("a store in memory cannot be opened again.")
        fresh = self._reopen()
        self._db.close()
        self._db = fresh
        chain = journal.read_chain(fresh)
        kept = self._found_kept(chain)
        if kept:
            _copy_out(fresh)
        fresh.execute("BEGIN IMMEDIATE")
        fresh.execute("INSERT OR REPLACE INTO meta VALUES ('proven', ?)", (chain.hash,))
        fresh.execute("COMMIT")
        self._chain, self._trusted = chain, True
        _log.warning("store opened again", seq=chain.seq)
        doubt, self._doubt = self._doubt, None
        if doubt is not None and kept:
            _log.warning("failed commit was kept", seq=chain.seq)
            self._note()
            in_doubt(doubt.units)
            resolve(doubt.kept)
        elif doubt is not None:
            resolve(doubt.lost)

    def _found_kept(self, chain: Chain) -> bool:
        """Whether the commit in doubt is there, in a store that was opened again.

        Raises:
            StoreDegradedError: the journal is neither what it was nor that.
        """
        if chain == self._chain:
            return False
        if self._doubt is not None and chain == self._doubt.chain:
            return True
        raise StoreDegradedError(
            "the journal does not end where andon left it; nothing was kept. Stop"
            " andon, look at the disk, and start it again."
        )


def _copy_out(db: sqlite3.Connection) -> None:
    """Copy everything out of the write-ahead log, and begin a new one.

    Raises:
        StoreDegradedError: somebody reads from the log and it cannot be done now.
    """
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreDegradedError("the store is being read; nothing was kept.")


def find_reply(
    db: sqlite3.Connection, person: str, key: str, payload_digest: str
) -> str | None:
    """Return the first reply to a call, None if it is new.

    Raises:
        KeyReusedError: the key belongs to another call.
    """
    row = db.execute(
        "SELECT payload_digest, reply FROM replies WHERE person = ? AND key = ?",
        (person, key),
    ).fetchone()
    if row is None:
        return None
    if row[0] != payload_digest:
        raise KeyReusedError("this key was used for another call.")
    return str(row[1])
