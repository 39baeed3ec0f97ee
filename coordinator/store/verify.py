"""Does the store still say what happened? The whole chain, and the tables made again.

Reads only, in one transaction, so it may run beside a coordinator. Four questions:
does each entry fit the one before; do the entries, folded again into a database in
memory, give the very tables that are stored; is each window and each clip what was
kept; and does the journal go on from the head that was noted beside it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coordinator.errors import AndonError, NotFoundError, SchemaVersionError
from coordinator.seams import JournalHead
from coordinator.store import journal
from coordinator.store.checkpoint import read_checkpoint
from coordinator.store.clip_files import FOLDER, WHOLE
from coordinator.store.codec import read_record
from coordinator.store.database import (
    DATABASE,
    HEAD,
    check_file,
    check_head,
    connect,
    uri,
)
from coordinator.store.fold import Place, fold
from coordinator.store.journal import Chain
from coordinator.store.migrations import FOLDED, SINCE, migrate
from coordinator.store.windows import check, keep

Progress = Callable[[int, int], None]
"""Called with entries done and entries in all, now and then."""

PROGRESS_ENTRIES: Final = 5000
UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""A damaged page can also spoil the text of SQLite's own error."""
COLUMNS: Final = {"windows": "window_id, digest, content, seq"}
"""Where not all columns are compared: samples are checked by their digest."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What verify found.

    Attributes:
        ok: The journal and the tables are what was recorded.
        entries: Entries that fit the chain.
        first_bad_seq: The first entry that does not fit, is missing, or whose fold is
            not what is stored; None when all is well or no entry can be named.
        text: One sentence.
    """

    ok: bool
    entries: int
    first_bad_seq: int | None
    text: str


class _Broken(Exception):  # noqa: N818 - a finding on its way out, not an error
    def __init__(self, entries: int, seq: int | None, text: str) -> None:
        super().__init__(text)
        self.result = VerifyResult(
            ok=False, entries=entries, first_bad_seq=seq, text=text
        )


def verify(path: Path, progress: Progress | None = None) -> VerifyResult:
    """Check a store, in use or not, from its first entry on; blocks.

    Args:
        path: The store's directory.
        progress: Told now and then how far it is.

    Raises:
        NotFoundError: there is no store.
        SchemaVersionError: it was written by a newer andon.
    """
    database = path / DATABASE
    if not database.exists() and not (path / HEAD).exists():
        raise NotFoundError(
            f"there is no store in {path}. Name the configuration with --config.",
            "NO_STORE",
        )
    try:
        # First the head: what is noted is in the store already, not the reverse.
        noted = read_checkpoint(path / HEAD)
        version = check_file(database)
        with closing(connect(":memory:")) as db:
            # A store that no newer andon has opened yet is verified as it is.
            migrate(db, version)
            found = _verify(db, database, noted, progress or _silent)
            _check_clips(db, path / FOLDER, found.entries)
            db.execute("ROLLBACK")
            return found
    except SchemaVersionError:
        raise
    except _Broken as broken:
        return broken.result
    except AndonError as error:
        return VerifyResult(ok=False, entries=0, first_bad_seq=None, text=error.text)
    except UNREADABLE as error:
        text = f"the store cannot be read: {error}."
        return VerifyResult(ok=False, entries=0, first_bad_seq=None, text=text)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _verify(
    db: sqlite3.Connection,
    database: Path,
    noted: JournalHead | None,
    progress: Progress,
) -> VerifyResult:
    db.execute("ATTACH ? AS kept", (uri(database, "ro"),))
    db.execute("PRAGMA trusted_schema = OFF")
    same_schema = _schema(db, "main") == _schema(db, "kept")
    migrate(db)  # a guard may look into a table that an older store has not
    # From here an unqualified name means the copy for what is folded, and the stored
    # table for what is not.
    db.execute("DROP TABLE main.journal")
    db.execute("DROP TABLE main.meta")
    db.execute("BEGIN")
    entries = _follow(db, progress)
    if noted is not None and noted.seq > entries:
        _check_noted(db, noted, entries)
    if not same_schema:
        raise _Broken(entries, None, "the tables are not as andon makes them.")
    (version,) = db.execute("PRAGMA kept.user_version").fetchone()
    for table in FOLDED:
        if SINCE.get(table, 1) <= version:
            _compare(db, table, entries)
    _check_windows(db, entries)
    (verdict,) = db.execute("PRAGMA kept.integrity_check(1)").fetchone()
    if verdict != "ok":
        raise _Broken(entries, None, "a page of the store is damaged.")
    _check_noted(db, noted, entries)
    return VerifyResult(
        ok=True,
        entries=entries,
        first_bad_seq=None,
        text=f"{entries} entries fit, and the tables are their fold.",
    )


def _schema(db: sqlite3.Connection, name: str) -> list[tuple[str, ...]]:
    """Return the tables and the steps that made them.

    How sqlite-utils lays out its own table is its own affair.
    """
    tables = db.execute(
        f"""SELECT type, name, tbl_name, sql FROM {name}.sqlite_master
        WHERE tbl_name <> '_sqlite_migrations' ORDER BY type, name"""  # noqa: S608
    )
    steps = db.execute(
        f"SELECT migration_set, name FROM {name}._sqlite_migrations ORDER BY id"  # noqa: S608
    )
    return [*tables, *steps]


def _follow(db: sqlite3.Connection, progress: Progress) -> int:
    """Follow the chain and fold each entry again; return how many there are."""
    store_id = journal.read_store_id(db)
    (total,) = db.execute("SELECT count(*) FROM journal").fetchone()
    at = Chain(store_id, 0, journal.genesis(store_id))
    for row in _readable(db, at):
        try:
            at = at.follow(row)
            seq, recorded_at, kind, payload, _ = row
            record = read_record(kind, payload)
            if record.window is not None:
                window_id, digest, content = record.window
                keep(db, (window_id, "", digest, content, "", 0, 0, b"", b""), seq)
            fold(Place(db, seq, recorded_at), record)
        except (AndonError, ValueError, sqlite3.IntegrityError) as error:
            raise _Broken(row[0] - 1, row[0], _sentence(error, row[0])) from error
        if at.seq % PROGRESS_ENTRIES == 0:
            progress(at.seq, total)
    progress(at.seq, total)
    return at.seq


def _readable(db: sqlite3.Connection, start: Chain) -> Iterator[journal.Row]:
    """Return the entries; name the one at which reading fails."""
    rows, seq = journal.rows(db, start.seq), start.seq
    while True:
        try:
            row = next(rows, None)
        except UNREADABLE as error:
            text = f"entry {seq + 1} cannot be read: {error}."
            raise _Broken(seq, seq + 1, text) from error
        if row is None:
            return
        if row[0] != seq + 1:
            raise _Broken(seq, seq + 1, f"entry {seq + 1} is missing.")
        seq += 1
        yield row


def _sentence(error: Exception, seq: int) -> str:
    text = error.text if isinstance(error, AndonError) else "it cannot be read."
    return text if f"entry {seq}" in text else f"entry {seq}: {text}"


def _compare(db: sqlite3.Connection, table: str, entries: int) -> None:
    """See that a stored table is the fold."""
    columns = COLUMNS.get(table, "*")
    made, kept = (
        f"SELECT {columns} FROM {name}.{table} NOT INDEXED"  # noqa: S608 - our tables
        for name in ("main", "kept")
    )
    try:
        # No two rows of a table that was just made are the same: when all of them are
        # stored, and not one row more, there is nothing else.
        (same,) = db.execute(
            f"""SELECT NOT EXISTS ({made} EXCEPT {kept})
            AND (SELECT count(*) FROM ({made})) = (SELECT count(*) FROM ({kept}))"""  # noqa: S608
        ).fetchone()
        if same:
            return
        (seq,) = db.execute(
            f"""SELECT min(seq) FROM (
            SELECT * FROM ({made} EXCEPT {kept})
            UNION ALL SELECT * FROM ({kept} EXCEPT {made}))"""  # noqa: S608
        ).fetchone()
    except UNREADABLE as error:
        raise _Broken(entries, None, f"{table} cannot be read: {error}.") from error
    if seq is not None:
        text = f"{table} does not say what entry {seq} recorded."
        raise _Broken(entries, seq, text)


def _check_windows(db: sqlite3.Connection, entries: int) -> None:
    bad: list[tuple[int, str]] = []
    try:
        # Not ordered by seq: sorting would copy every sample.
        for *row, seq in db.execute("SELECT * FROM kept.windows"):
            try:
                check(tuple(row))
            except AndonError as error:
                bad.append((seq, error.text))
    except UNREADABLE as error:
        raise _Broken(entries, None, f"windows cannot be read: {error}.") from error
    if bad:
        seq, text = min(bad)
        raise _Broken(entries, seq, text)


def _check_clips(db: sqlite3.Connection, folder: Path, entries: int) -> None:
    """See that the file of each stored clip is there, whole."""
    (version,) = db.execute("PRAGMA main.user_version").fetchone()
    if version < SINCE["clips"]:
        return
    rows = db.execute("SELECT clip_id, digest, seq FROM main.clips WHERE NOT removed")
    for clip_id, digest, seq in rows:
        try:
            with (folder / f"{clip_id}{WHOLE}").open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError as error:
            text = f"the file of clip {clip_id} cannot be read: {error.strerror}."
            raise _Broken(entries, seq, text) from error
        if not whole:
            raise _Broken(entries, seq, f"clip {clip_id} is not what was kept.")


def _check_noted(
    db: sqlite3.Connection, noted: JournalHead | None, entries: int
) -> None:
    try:
        check_head(db, noted)
    except AndonError as error:
        seq = None if noted is None else min(noted.seq, entries + 1)
        raise _Broken(entries, seq, error.text) from error
