"""The store's directory: its lock, its files, its connections.

    store.lock      held by the one coordinator, with its pid
    store.db        SQLite: WAL, synchronous=FULL, one connection that ever writes
    store.head      the newest head, see store/checkpoint.py

Nothing is made over a file that is there: what cannot be read is refused.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coordinator.errors import StoreDegradedError, StoreIntegrityError, StoreLockedError
from coordinator.seams import JournalHead
from coordinator.store import journal
from coordinator.store.checkpoint import Checkpoint, read_checkpoint
from coordinator.store.migrations import check_version, migrate

DATABASE: Final = "store.db"
LOCK: Final = "store.lock"
HEAD: Final = "store.head"

BUSY_MS: Final = 2000
"""Longest wait for another process's lock on the file, in milliseconds."""
START_CHECK: Final = 10_000
"""Entries at the end of the chain that are followed at each start."""
SYNCHRONOUS_FULL: Final = 2


class DirectoryLock:
    """The exclusive lock on a store's directory, for the life of the process.

    Raises:
        StoreLockedError: another coordinator holds it; names its pid.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip()
            os.close(self._fd)
            raise StoreLockedError(
                f"a coordinator (pid {holder or 'unknown'}) has this store open. Use "
                "it, or stop it first."
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._fd)


def connect(target: str) -> sqlite3.Connection:
    """Open a connection without implicit transactions; target is a URI."""
    return sqlite3.connect(
        target,
        uri=True,
        isolation_level=None,
        timeout=BUSY_MS / 1000,
        check_same_thread=False,  # one thread uses it, another may close it
        cached_statements=256,
    )


def uri(path: Path, mode: str) -> str:
    """Return the URI of a file; mode is ro, rw or rwc."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the one connection that writes.

    Raises:
        StoreDegradedError: SQLite does not promise durability here.
    """
    db = connect(uri(path, "rw"))
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.execute("PRAGMA synchronous = FULL")
    (synchronous,) = db.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or synchronous != SYNCHRONOUS_FULL:
        db.close()
        raise StoreDegradedError("the disk does not allow a write-ahead log.")
    db.execute("PRAGMA journal_size_limit = 67108864")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that can only read."""
    db = connect(uri(path, "ro"))
    db.execute("PRAGMA query_only = ON")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def open_memory() -> sqlite3.Connection:
    """Make a store that lives as long as its connection."""
    db = connect(":memory:")
    _begin(db)
    return db


def _begin(db: sqlite3.Connection) -> None:
    """Make the tables, and say which store this is."""
    migrate(db)
    identity = f"store-{secrets.token_hex(10)}"
    db.execute("INSERT INTO meta VALUES ('store_id', ?)", (identity,))


@dataclass(frozen=True, slots=True)
class Directory:
    """The files of one store, locked and checked; leaving `held` unlocks them.

    Attributes:
        database: The SQLite file.
        checkpoint: The head beside it, open for writing.
        held: What close() gives back.
    """

    database: Path
    checkpoint: Checkpoint
    held: ExitStack

    def close(self) -> None:
        """Let another coordinator open the store."""
        self.held.close()


def open_directory(path: Path) -> Directory:
    """Lock a directory and see that it holds a whole store; make one if it is empty.

    Args:
        path: The directory; made if it is not there, readable by its owner alone.

    Raises:
        StoreLockedError: another coordinator holds it.
        StoreIntegrityError: what is there is not a whole store.
        SchemaVersionError: it was written by a newer andon.
        StoreDegradedError: it cannot be read or written.
    """
    with ExitStack() as held, translated():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = DirectoryLock(path / LOCK)
        held.callback(lock.release)
        if not (path / DATABASE).exists():
            _create(path)
        # All of it without writing: what is refused stays as it was found.
        check_file(path / DATABASE)
        with closing(open_reader(path / DATABASE)) as db:
            check_start(db, read_checkpoint(path / HEAD))
            head = journal.read_chain(db).head
        with closing(open_writer(path / DATABASE)) as db:
            migrate(db)
        checkpoint = Checkpoint(path / HEAD)
        held.callback(checkpoint.close)
        checkpoint.write(head)
        checkpoint.sync()
        return Directory(path / DATABASE, checkpoint, held.pop_all())


def _create(path: Path) -> None:
    """Make an empty store, whole or not at all."""
    left = [name for name in (HEAD, f"{DATABASE}-wal") if (path / name).exists()]
    if left:
        raise StoreIntegrityError(
            f"the store is gone, but its {' and '.join(left)} is there."
        )
    new = path / f"{DATABASE}.new"
    for name in (new.name, f"{new.name}-wal", f"{new.name}-shm"):
        (path / name).unlink(missing_ok=True)
    with closing(connect(uri(new, "rwc"))) as db:
        db.execute("PRAGMA synchronous = FULL")
        _begin(db)
    new.chmod(0o600)
    new.rename(path / DATABASE)
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_file(database: Path) -> int:
    """See that the file is a store of a schema this andon knows; return which.

    Writes nothing.

    Raises:
        StoreIntegrityError: it is not.
        SchemaVersionError: it was written by a newer andon.
    """
    if not database.is_file() or database.stat().st_size == 0:
        raise StoreIntegrityError("the store's file is empty or not a file.")
    with translated(), closing(open_reader(database)) as db:
        return check_version(db)


def check_start(db: sqlite3.Connection, noted: JournalHead | None) -> None:
    """See that the store is whole, as far as a start has time for.

    Raises:
        StoreIntegrityError: a page is damaged, the end of the chain does not fit, or
            the journal is not the one whose head was noted.
    """
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreIntegrityError("a page of the store is damaged.")
    journal.check_tail(db, START_CHECK)
    check_head(db, noted)


def check_head(db: sqlite3.Connection, noted: JournalHead | None) -> None:
    """See that the journal goes on from the head that was noted beside it.

    Raises:
        StoreIntegrityError: it is shorter, or another one.
    """
    if noted is None:
        return
    chain = journal.read_chain(db)
    if chain.store_id != noted.store_id:
        raise StoreIntegrityError("the head beside the store is of another store.")
    if chain.seq < noted.seq:
        raise StoreIntegrityError(
            f"the journal ends at entry {chain.seq}, but {noted.seq} were recorded:"
            f" {noted.seq - chain.seq} are missing."
        )
    row = db.execute("SELECT hash FROM journal WHERE seq = ?", (noted.seq,)).fetchone()
    if noted.seq and (row is None or row[0] != noted.hash):
        raise StoreIntegrityError(f"entry {noted.seq} is not the one that was noted.")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLite and the disk say into errors of the store."""
    try:
        yield
    except sqlite3.Error as error:
        text = f"the store cannot be used: {error}."
        # What SQLite cannot make sense of has another class, or no code of its own.
        if isinstance(error, sqlite3.OperationalError) and _code(error):
            raise StoreDegradedError(text) from error
        raise StoreIntegrityError(text) from error
    except UnicodeDecodeError as error:  # a damaged page can spoil SQLite's own error
        raise StoreIntegrityError("a page of the store is damaged.") from error
    except OSError as error:
        raise StoreDegradedError(
            f"the store cannot be used: {error.strerror or 'I/O error'}."
        ) from error


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code
