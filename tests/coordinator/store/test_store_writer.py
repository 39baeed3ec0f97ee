"""One thread, one transaction for everybody who waits, and nobody hurt by another."""

import asyncio
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    AlreadyDoneError,
    NotFoundError,
    StoreDegradedError,
    StoreLateError,
)
from coordinator.store import Store, verify, writer
from coordinator.store.database import DATABASE, connect, uri
from coordinator.terms import CellId, HoldReason, PermitId
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    ANA,
    CELL,
    answered,
    decided,
    make_window,
    once,
    opened,
    session,
)
from tests.still_disk import StillDisk


def hold(text: str = "pulled.") -> e.HoldPlaced:
    return e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, text, ANA)


class FailingConnection(sqlite3.Connection):
    """Says what a failing disk says, when it is told to."""

    commits = 0
    code: int | None = None
    really_commits = False

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            type(self).commits += 1
            if self.code is not None:
                if self.really_commits:
                    super().execute(sql)
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = self.code
                raise error
        return super().execute(sql, *values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


def failing(path: Path, store: Store) -> type[FailingConnection]:
    """Put a connection that can fail in the place of the writer's."""

    class Own(FailingConnection):
        pass

    old = store._writer._db
    store._writer._db = sqlite3.connect(
        uri(path / DATABASE, "rw"),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=Own,
    )
    old.close()
    return Own


async def test_callers_at_the_same_time_share_a_commit(
    path: Path, clock: ManualClock
) -> None:
    store = await Store.open(path, clock=clock, commit_deadline_s=30)
    own = failing(path, store)

    kept = await asyncio.gather(*(store.commit(hold(f"{n}.")) for n in range(300)))

    assert sorted(entry.seq for (entry,) in kept) == list(range(1, 301))
    assert own.commits < 60
    await store.close()


async def test_a_refused_caller_does_not_hurt_its_neighbours(store: Store) -> None:
    calls = [
        store.commit(answered(9)) if n % 3 == 0 else store.commit(hold(f"{n}."))
        for n in range(90)
    ]

    results = await asyncio.gather(*calls, return_exceptions=True)

    refused = [one for one in results if isinstance(one, NotFoundError)]
    kept = [one for one in results if isinstance(one, tuple)]
    assert (len(refused), len(kept)) == (30, 60)
    assert sorted(entry.seq for (entry,) in kept) == list(range(1, 61))
    assert (await store.head()).seq == 60


async def test_the_same_call_many_times_at_once_is_carried_out_once(
    store: Store,
) -> None:
    results = await asyncio.gather(
        *(store.commit(hold(), once=once(), reply="held") for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(one, tuple) for one in results) == 1
    replies = [one.reply for one in results if isinstance(one, AlreadyDoneError)]
    assert replies == ["held"] * 19
    assert (await store.head()).seq == 1


@pytest.mark.parametrize(
    "impossible",
    [
        e.SessionOpened(CellId("press-9"), 2**80, "node", "boot", "andon"),
        e.SessionOpened(CellId("\udcff"), 1, "node", "boot", "andon"),
    ],
    ids=["too-large", "not-unicode"],
)
async def test_what_sqlite_cannot_hold_is_refused_alone(
    store: Store, impossible: e.Event
) -> None:
    good, bad, also_good = await asyncio.gather(
        store.commit(hold("1.")),
        store.commit(impossible),
        store.commit(hold("2.")),
        return_exceptions=True,
    )

    assert isinstance(bad, OverflowError | UnicodeEncodeError)
    assert isinstance(good, tuple)
    assert isinstance(also_good, tuple)


async def test_a_wrong_type_is_refused_before_it_is_queued(store: Store) -> None:
    wrong: Any = PermitId(7)  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        await store.commit(e.PermitConsumed(wrong, CELL, 1))


async def test_a_caller_that_goes_away_leaves_the_others(store: Store) -> None:
    gone = asyncio.ensure_future(store.commit(hold("1.")))
    await asyncio.sleep(0)
    gone.cancel()

    (entry,) = await store.commit(hold("2."))

    assert entry.seq in (1, 2)


async def test_synchronous_is_full_and_the_log_is_written_ahead(
    path: Path, clock: ManualClock
) -> None:
    store = await Store.open(path, clock=clock)

    db = store._writer._db
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await store.close()


async def test_nobody_else_writes_from_the_first_statement_on(
    path: Path, clock: ManualClock
) -> None:
    store = await Store.open(path, clock=clock, commit_deadline_s=30)
    other = connect(uri(path / DATABASE, "rw"))
    other.execute("PRAGMA busy_timeout = 0")
    heard: list[str] = []

    def meanwhile(sql: str) -> None:
        if sql == "SAVEPOINT unit":
            with pytest.raises(sqlite3.OperationalError) as refused:
                other.execute("BEGIN IMMEDIATE")
            heard.append(str(refused.value))

    store._writer._db.set_trace_callback(meanwhile)
    await store.commit(hold())

    assert heard == ["database is locked"]
    other.close()
    await store.close()


async def test_readers_cannot_write(path: Path, clock: ManualClock) -> None:
    store = await Store.open(path, clock=clock)
    await store.commit(hold())

    with pytest.raises(StoreDegradedError, match="readonly"):
        await store._read(lambda db: db.execute("DELETE FROM journal"))
    assert (await store.head()).seq == 1
    await store.close()


class TestFullDisk:
    async def test_nothing_is_kept_until_there_is_room_again(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        await store.commit(session())
        db = store._writer._db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + 2}")

        async def fill() -> None:
            for number in range(1, 50):
                await store.commit(
                    decided(number), window=make_window(number, rows=128, channels=24)
                )

        with pytest.raises(StoreDegradedError, match=r"disk is full; nothing was kept"):
            await fill()

        kept = await store.entries(0, 100)
        assert 0 < len(kept) < 50
        db.execute("PRAGMA max_page_count = 1000000")
        (entry,) = await store.commit(hold())
        assert entry.seq == len(kept) + 1
        await store.close()
        assert verify(path).ok

    async def test_everybody_in_the_commit_hears_so(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        db = store._writer._db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")

        results = await asyncio.gather(
            *(store.commit(hold(f"{n} " + "x" * 9000)) for n in range(20)),
            return_exceptions=True,
        )

        assert {type(one) for one in results} == {StoreDegradedError}
        assert len({id(one) for one in results}) == 20
        assert (await store.head()).seq == 0
        await store.close()


def mount(where: Path, size: str) -> bool:
    """Mount a small disk of its own; False where that is not allowed."""
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "andon-test", str(where)],
        capture_output=True,
        check=False,
    )
    return made.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    if shutil.which("mount") is None or not mount(where, "1m"):
        pytest.skip("needs leave to mount a small disk")
    yield where
    subprocess.run(["umount", str(where)], check=True)


async def test_a_disk_that_fills_up_degrades_the_store_until_there_is_room(
    small_disk: Path, clock: ManualClock
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    store = await Store.open(small_disk / "store", clock=clock, commit_deadline_s=30)
    kept: list[int] = []

    async def fill() -> None:
        for number in range(1, 200):
            (entry,) = await store.commit(
                decided(number), window=make_window(number, rows=128, channels=24)
            )
            kept.append(entry.seq)

    with pytest.raises(StoreDegradedError, match="nothing was kept"):
        await fill()
    with pytest.raises(StoreDegradedError, match="nothing was kept"):
        await store.commit(hold("x" * 60_000))  # more than a window takes
    entries = [entry.seq for entry in await store.entries(0, 1000)]
    ballast.unlink()
    (after,) = await store.commit(hold())

    assert entries == kept == list(range(1, len(kept) + 1))
    assert after.seq == len(kept) + 1
    await store.close()
    assert verify(small_disk / "store").entries == after.seq


async def test_a_start_on_a_full_disk_is_refused(
    small_disk: Path, clock: ManualClock
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 1_000_000)

    with pytest.raises(StoreDegradedError, match="full"):
        await Store.open(small_disk / "store", clock=clock)


class TestFailingDisk:
    async def test_the_store_is_opened_again_and_goes_on(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        await store.commit(session())
        own = failing(path, store)
        own.code = sqlite3.SQLITE_IOERR_FSYNC

        with pytest.raises(StoreDegradedError, match=r"failing; nothing was kept"):
            await store.commit(hold())
        (entry,) = await store.commit(hold())

        assert entry.seq == 2
        fresh = store._writer._db
        assert not isinstance(fresh, FailingConnection)
        proven = fresh.execute("SELECT value FROM meta WHERE key = 'proven'").fetchone()
        assert proven == ((await store.entries(0, 1))[0].hash,)
        await store.close()
        assert verify(path).ok

    async def test_a_commit_that_was_kept_after_all_is_found(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        own = failing(path, store)
        own.code, own.really_commits = sqlite3.SQLITE_IOERR, True

        with pytest.raises(StoreDegradedError):
            await store.commit(hold(), once=once(), reply="held")
        with pytest.raises(AlreadyDoneError):
            await store.commit(hold(), once=once(), reply="held")
        (entry,) = await store.commit(hold())

        assert entry.seq == 2
        await store.close()
        assert verify(path).ok

    async def test_it_stays_degraded_while_the_disk_fails(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=30)
        own = failing(path, store)
        own.code = sqlite3.SQLITE_IOERR
        again = store._writer._reopen

        def never() -> sqlite3.Connection:
            raise sqlite3.OperationalError("unable to open database file")

        store._writer._reopen = never
        for _ in range(3):
            with pytest.raises(StoreDegradedError):
                await store.commit(hold())
        store._writer._reopen = again

        (entry,) = await store.commit(hold())
        assert entry.seq == 1
        await store.close()

    async def test_a_store_in_memory_says_that_it_is_lost(
        self, in_memory: Store
    ) -> None:
        in_memory._writer._trusted = False

        with pytest.raises(StoreDegradedError):
            await in_memory.commit(hold())


class TestSlowDisk:
    async def test_a_lock_of_another_program_ends_in_a_refusal(
        self, path: Path, clock: ManualClock
    ) -> None:
        store = await Store.open(path, clock=clock, commit_deadline_s=0.05)
        store._writer._db.execute("PRAGMA busy_timeout = 30000")
        other = connect(uri(path / DATABASE, "rw"))
        other.execute("BEGIN IMMEDIATE")

        # The first is in the transaction that waits, the second waits behind it.
        first = asyncio.ensure_future(store.commit(hold("1.")))
        while not store._writer._at_work:  # noqa: ASYNC110 - the thread has no event
            await asyncio.sleep(0)
        second = asyncio.ensure_future(store.commit(hold("2.")))
        with pytest.raises(StoreDegradedError, match="may yet be kept") as late:
            await first
        with pytest.raises(StoreDegradedError, match="nothing was kept"):
            await second

        assert late.value.code == "STORE_LATE"
        other.execute("ROLLBACK")
        other.close()
        store._deadline_s = 30
        (entry,) = await store.commit(hold("3."))
        assert entry.seq in (1, 2)
        await store.close()
        assert "2." not in str([entry.payload_json for entry in await _entries(path)])

    async def test_the_queue_has_an_end(
        self, in_memory: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer, "QUEUE_UNITS", 0)

        with pytest.raises(StoreDegradedError, match="wait already"):
            await in_memory.commit(hold())


async def _entries(path: Path) -> list[e.JournalEntry]:
    store = await Store.open(path, clock=ManualClock())
    entries = list(await store.entries(0, 100))
    await store.close()
    return entries


async def test_a_closed_store_refuses(path: Path, clock: ManualClock) -> None:
    store = await Store.open(path, clock=clock)
    await store.commit(session(), decided(), opened(), window=make_window())
    await store.close()

    with pytest.raises(StoreDegradedError, match="closed"):
        await store.commit(hold())


async def test_closing_finishes_what_is_queued(path: Path, clock: ManualClock) -> None:
    store = await Store.open(path, clock=clock, commit_deadline_s=30)
    calls = [asyncio.ensure_future(store.commit(hold(f"{n}."))) for n in range(50)]
    await asyncio.sleep(0)

    await store.close()

    assert len(await asyncio.gather(*calls)) == 50
    assert verify(path).entries == 50


async def test_a_writer_that_dies_leaves_nobody_waiting(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(path, clock=clock, commit_deadline_s=30)

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(writer, "fold", bug)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    with pytest.raises(StoreDegradedError):
        await store.commit(hold())
    with pytest.raises(StoreDegradedError):
        await store.commit(hold())
    await store.close()


async def test_what_follows_in_memory_follows_once_in_the_order_of_the_commits(
    store: Store,
) -> None:
    told: list[int] = []

    async def commit(number: int) -> None:
        await store.commit(session(epoch=number), then=lambda _: told.append(number))

    with StillDisk(store):
        with pytest.raises(StoreLateError) as late:
            await commit(1)
        with pytest.raises(StoreDegradedError):
            await commit(2)
        known = late.value.is_known()
    await commit(3)

    assert told == [1, 3]
    assert (known, late.value.is_known()) == (False, True)


async def test_a_caller_that_is_gone_leaves_memory_and_store_the_same(
    store: Store,
) -> None:
    told: list[int] = []
    with StillDisk(store, None) as disk:
        kept = store.commit(session(), then=lambda _: told.append(1))
        call = asyncio.create_task(kept)
        await asyncio.to_thread(disk.stands.wait)
        call.cancel()
        await asyncio.wait([call])
    await store.commit(e.CoordinatorStopped("a later commit"))

    assert call.cancelled()
    assert told == [1]


async def test_long_reads_do_not_keep_a_call_waiting(
    path: Path, clock: ManualClock
) -> None:
    store = await Store.open(path, clock=clock)
    ends = threading.Event()
    long = [asyncio.create_task(store._read(lambda _: ends.wait())) for _ in range(6)]
    await asyncio.sleep(0)

    said = await store.replied(once())
    ends.set()
    await asyncio.gather(*long)
    await store.close()

    assert said is None
