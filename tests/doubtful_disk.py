"""A disk that fails a COMMIT, on a real file: nobody can tell whether it is kept."""

import sqlite3
from types import TracebackType
from typing import Any, Self

from coordinator.store import Store
from coordinator.store.database import DATABASE, uri


class DoubtfulDisk:
    """While it lasts each COMMIT of the writer fails, kept or not.

    Attributes:
        opens: The store can be opened again.
        forgets: What is opened again lacks the newest entry.
        code: What SQLite says, as its error code.

    Args:
        store: Whose disk; a store with a file.
        keeps: What failed is kept for all that.
    """

    def __init__(self, store: Store, *, keeps: bool) -> None:
        self._writer: Any = store._writer
        directory = store._directory
        assert directory is not None
        self._path = directory.database
        assert self._path.name == DATABASE
        self._keeps = keeps
        self._reopen: Any = self._writer._reopen
        self.opens = True
        self.forgets = False
        self._lasts = True
        self.code = sqlite3.SQLITE_IOERR_FSYNC

    def __enter__(self) -> Self:
        disk = self

        class Failing(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                if sql == "COMMIT" and disk._lasts:
                    if disk._keeps:
                        super().execute(sql)
                    error = sqlite3.OperationalError("disk I/O error")
                    error.sqlite_errorcode = disk.code
                    raise error
                return super().execute(sql, *values)

        self._writer._db.close()
        self._writer._db = sqlite3.connect(
            uri(self._path, "rw"),
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            factory=Failing,
        )
        self._writer._reopen = self._again
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opens, self._lasts = True, False
        self._writer._reopen = self._reopen

    def _again(self) -> sqlite3.Connection:
        if not self.opens:
            raise sqlite3.OperationalError("unable to open database file")
        db: sqlite3.Connection = self._reopen()
        if self.forgets:
            db.execute("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")
        return db
