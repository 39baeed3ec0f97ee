"""What a directory must hold before a coordinator works on it."""

# ruff: noqa: ASYNC221, ASYNC240 - a test may wait for the disk and for a process

import fcntl
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    SchemaVersionError,
    StoreDegradedError,
    StoreIntegrityError,
    StoreLockedError,
)
from coordinator.store import Store, verify
from coordinator.store.checkpoint import SLOT, Checkpoint, read_checkpoint
from coordinator.store.database import DATABASE, HEAD, LOCK
from coordinator.store.migrations import VERSION, migrate
from tests.coordinator.store.store_world import decided, make_window, session

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plant" / "store"


async def make(path: Path, entries: int = 3) -> None:
    store = await Store.open(path, clock=ManualClock())
    for epoch in range(1, entries + 1):
        await store.commit(session(epoch))
    await store.close()


async def reopened(path: Path) -> int:
    store = await Store.open(path, clock=ManualClock())
    head = await store.head()
    await store.close()
    return head.seq


async def refused(path: Path, error: type[Exception], text: str) -> None:
    """See that it is refused, and that not a byte of what is there was changed."""
    before = {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}

    with pytest.raises(error, match=text):
        await Store.open(path, clock=ManualClock())

    after = {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}
    mine = {LOCK, f"{DATABASE}-shm", f"{DATABASE}-wal"}
    assert before.items() - after.items() <= {
        item for item in before.items() if item[0] in mine
    }


async def test_a_new_store_is_its_owners_alone(path: Path) -> None:
    await make(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in (DATABASE, HEAD, LOCK):
        assert stat.S_IMODE((path / name).stat().st_mode) == 0o600
    assert sorted(one.name for one in path.iterdir()) == [DATABASE, HEAD, LOCK]


async def test_a_store_goes_on_where_it_stopped(path: Path) -> None:
    await make(path, 3)

    assert await reopened(path) == 3
    assert verify(path).ok


async def test_its_identity_stays(path: Path) -> None:
    identities = []
    for _ in range(2):
        store = await Store.open(path, clock=ManualClock())
        identities.append((await store.head()).store_id)
        await store.close()

    assert identities[0] == identities[1]


async def test_a_second_coordinator_is_refused_and_told_who_holds_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(path, clock=ManualClock())
    lock = fcntl.flock
    asked: list[int] = []

    def flock(file: int, operation: int) -> None:
        asked.append(operation)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(
        StoreLockedError, match=rf"^a coordinator \(pid {os.getpid()}\) has"
    ):
        await Store.open(path, clock=ManualClock())

    # At once: it does not wait for whoever holds it.
    assert asked == [fcntl.LOCK_EX | fcntl.LOCK_NB]
    await store.commit(session())
    await store.close()


@pytest.mark.slow
async def test_a_second_process_is_refused_and_the_first_works_on(path: Path) -> None:
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from coordinator.clock import SystemClock\n"
        "from coordinator.errors import StoreLockedError\n"
        "from coordinator.store import Store\n"
        "try:\n"
        "    asyncio.run(Store.open(Path(sys.argv[1]), clock=SystemClock()))\n"
        "except StoreLockedError as error:\n"
        "    sys.exit(error.text)\n"
    )

    second = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.stderr.strip() == (
        f"a coordinator (pid {os.getpid()}) has this store open. Use it, or stop it "
        "first."
    )
    assert second.returncode == 1
    await store.commit(session())
    await store.close()
    assert verify(path).entries == 1


async def test_the_lock_of_a_dead_coordinator_holds_nobody(path: Path) -> None:
    await make(path)
    (path / LOCK).write_text("4711\n")

    assert await reopened(path) == 3


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"", "empty or not a file", id="0-bytes"),
        pytest.param(b"hello", "not a database", id="text"),
        pytest.param(os.urandom(20_000), "not a database", id="noise"),
    ],
)
async def test_a_file_that_is_no_store_is_never_written_over(
    path: Path, content: bytes, text: str
) -> None:
    path.mkdir(parents=True)
    (path / DATABASE).write_bytes(content)

    await refused(path, StoreIntegrityError, text)


async def test_a_folder_in_the_place_of_the_store_is_refused(path: Path) -> None:
    (path / DATABASE).mkdir(parents=True)

    await refused(path, StoreIntegrityError, "empty or not a file")


async def test_the_sqlite_file_of_somebody_else_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with closing(sqlite3.connect(path / DATABASE)) as db:
        db.execute("CREATE TABLE journal (seq INTEGER)")

    await refused(path, StoreIntegrityError, "not one that andon wrote")


async def test_a_file_in_the_place_of_the_directory_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("in the way")

    with pytest.raises(StoreDegradedError):
        await Store.open(path, clock=ManualClock())


async def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    await make(path)
    with closing(sqlite3.connect(path / DATABASE)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")

    text = f"schema {VERSION + 1} is newer than this andon .newest {VERSION}"
    await refused(path, SchemaVersionError, text)
    with pytest.raises(SchemaVersionError):
        verify(path)


async def test_a_store_whose_file_is_gone_is_not_begun_anew(path: Path) -> None:
    await make(path)
    (path / DATABASE).unlink()

    await refused(path, StoreIntegrityError, "the store is gone")


async def test_an_interrupted_beginning_is_begun_again(path: Path) -> None:
    path.mkdir(parents=True)
    (path / f"{DATABASE}.new").write_bytes(b"half")

    assert await reopened(path) == 0
    assert not (path / f"{DATABASE}.new").exists()


async def test_a_log_that_was_deleted_is_missed(path: Path, tmp_path: Path) -> None:
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    for epoch in range(1, 8):
        await store.commit(session(epoch))
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    (copy / f"{DATABASE}-wal").unlink()
    (copy / f"{DATABASE}-shm").unlink()
    await store.close()

    found = verify(copy)

    assert (found.ok, found.entries, found.first_bad_seq) == (False, 0, 1)
    await refused(copy, StoreIntegrityError, "0, but 7 were recorded: 7 are missing")


async def test_a_copy_with_its_log_is_whole(path: Path, tmp_path: Path) -> None:
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    await store.commit(session())
    shutil.copytree(path, tmp_path / "copy")
    await store.close()

    assert await reopened(tmp_path / "copy") == 1


async def test_a_head_of_another_store_is_refused(path: Path, tmp_path: Path) -> None:
    await make(path)
    await make(tmp_path / "other", 1)
    shutil.copy(tmp_path / "other" / HEAD, path / HEAD)

    await refused(path, StoreIntegrityError, "of another store")


async def test_a_history_that_went_another_way_is_refused(
    path: Path, tmp_path: Path
) -> None:
    await make(path, 1)
    shutil.copytree(path, tmp_path / "fork")
    await make_more(tmp_path / "fork", "node-2")
    await make_more(path, "node-3")
    shutil.copy(tmp_path / "fork" / HEAD, path / HEAD)

    await refused(path, StoreIntegrityError, "entry 2 is not the one that was noted")


async def make_more(path: Path, node: str) -> None:
    store = await Store.open(path, clock=ManualClock())
    opened = session(5)
    await store.commit(type(opened)(opened.cell_id, 5, node, "boot", "andon"))
    await store.close()


async def test_an_edited_tail_is_refused_at_the_start(path: Path) -> None:
    await make(path)
    with closing(sqlite3.connect(path / DATABASE)) as db, db:
        db.execute("UPDATE journal SET payload = replace(payload, 'node-1', 'node-2')")

    await refused(path, StoreIntegrityError, "entry 1 is not what was recorded")


class TestHead:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "head"

    @pytest.fixture
    def noted(self, file: Path) -> Iterator[Checkpoint]:
        checkpoint = Checkpoint(file)
        yield checkpoint
        checkpoint.close()

    async def test_one_spoilt_slot_leaves_the_other(self, path: Path) -> None:
        await make(path)
        content = bytearray((path / HEAD).read_bytes())
        newest = read_checkpoint(path / HEAD)
        assert newest is not None

        seen = []
        for slot in (0, 1):
            spoilt = bytearray(content)
            spoilt[slot * SLOT + 20] ^= 1
            (path / HEAD).write_bytes(bytes(spoilt))
            head = read_checkpoint(path / HEAD)
            assert head is not None
            seen.append(head.seq)

        assert sorted(seen) == [newest.seq - 1, newest.seq]

    async def test_a_spoilt_head_is_refused(self, path: Path) -> None:
        await make(path)
        (path / HEAD).write_bytes(b"\0" * 1024)

        await refused(path, StoreIntegrityError, "is damaged")
        assert not verify(path).ok

    async def test_a_store_without_a_head_gets_one(self, path: Path) -> None:
        await make(path)
        (path / HEAD).unlink()

        assert await reopened(path) == 3
        head = read_checkpoint(path / HEAD)
        assert head is not None
        assert head.seq == 3


async def test_every_acknowledged_entry_is_noted(path: Path) -> None:
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    for number in range(1, 6):
        (entry,) = await store.commit(decided(number), window=make_window(number))
        noted = read_checkpoint(path / HEAD)
        assert noted is not None
        assert (noted.seq, noted.hash) == (entry.seq, entry.hash)
    await store.close()


def test_migrating_twice_changes_nothing() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        before = list(db.iterdump())
        migrate(db)

        assert list(db.iterdump()) == before
        strict = db.execute("SELECT name, strict FROM pragma_table_list").fetchall()
        assert {name for name, is_strict in strict if not is_strict} <= {
            "sqlite_schema",
            "sqlite_temp_schema",
            "sqlite_sequence",
            "_sqlite_migrations",
        }
