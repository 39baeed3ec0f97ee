"""Whatever is changed in a store, verify says so and names the first bad entry."""

import asyncio
import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import AndonError, NotFoundError
from coordinator.store import Store, VerifyResult, journal, verify
from coordinator.store.codec import Recorded, write_record, write_time
from coordinator.store.database import DATABASE, HEAD
from coordinator.store.fold import Place, fold
from coordinator.store.migrations import FOLDED, migrate
from coordinator.terms import (
    Action,
    CellEvent,
    CellState,
    Decision,
    Digest,
    HoldReason,
    Label,
    OpinionKind,
    Outcome,
    RequestId,
    Role,
)
from coordinator.terms import events as e
from tests.coordinator.store.people_events import acting, added, logged_in
from tests.coordinator.store.store_world import (
    ANA,
    BEN,
    CELL,
    CLIP,
    NOON,
    PEG,
    answered,
    certified,
    claimed,
    clip,
    consumed,
    decided,
    ended,
    example,
    granted,
    known,
    label_decided,
    make_window,
    once,
    opened,
    opinion,
    permit,
    promoted,
    registered,
    session,
    validated,
)

TABLES = ("meta", "journal", *FOLDED)
ENTRIES = 37
"""In the store that fill() makes."""
FLIPS = int(os.environ.get("ANDON_STORE_FLIPS", "150"))


async def fill(path: Path) -> None:
    """A store with a row in every table."""
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    await store.commit(session(), once=once(), reply="epoch 1")
    moved = e.CellMoved(
        CELL,
        1,
        CellEvent.HOLD,
        CellState.WORKING,
        CellState.HELD,
        (HoldReason.OPERATOR_HOLD,),
    )
    await store.commit(moved)
    await store.commit(decided(1, Decision.ACT), permit(1), window=make_window(1))
    await store.commit(consumed(1))
    await store.commit(decided(2), opened(2), window=make_window(2))
    await store.commit(claimed(2))
    await store.commit(answered(2), example(2), once=once("key-2"), reply="thanks")
    await store.commit(decided(3), opened(3), window=make_window(3))
    await store.commit(ended(3, Outcome.TIMED_OUT))
    await store.commit(e.LabelAdded(PEG, Label("dent", Action.REJECT), ANA))
    await store.commit(registered(1), validated(1), promoted(1))
    await store.commit(clip(3))
    await store.commit(e.HoldUnconfirmed(CELL, 1))
    await store.commit(granted(), certified(1))
    again = opened(3, request_id=RequestId("r-4"))
    await store.commit(again, claimed(4))
    four, nothing = RequestId("r-4"), Digest("")
    await store.commit(
        e.RequestArrived(four, ANA),
        e.OpinionKept(four, ANA, "ok", OpinionKind.LOST, nothing),
        e.RequestSkipped(four, ANA, 1),
        claimed(4, claim_epoch=2),
        e.FirstOpinion(answered(4, claim_epoch=2)),
        claimed(4, BEN, 3),
    )
    await store.commit(e.AnswerGiven(answered(4, BEN, 3), 3_000_000_000))
    await store.commit(opinion(3), example(3), label_decided(3))
    await store.commit(known(1, RequestId("r-5")))
    await store.commit(added("sam", Role.SUPERVISOR))
    await store.commit(logged_in("sam", Role.SUPERVISOR))
    sam = acting("sam", Role.SUPERVISOR)
    await store.commit(e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, "held.", sam))
    await store.close()
    (path / "clips").mkdir()
    (path / "clips/c-3.mcap").write_bytes(CLIP)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "store"
    asyncio.run(fill(path))
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "store"))


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path / DATABASE)) as db, db:
        for statement in statements:
            assert db.execute(statement).rowcount != 0, statement


def test_an_untouched_store_verifies(path: Path) -> None:
    told: list[tuple[int, int]] = []

    found = verify(path, lambda done, total: told.append((done, total)))

    assert found == VerifyResult(
        ok=True,
        entries=ENTRIES,
        first_bad_seq=None,
        text=f"{ENTRIES} entries fit, and the tables are their fold.",
    )
    assert told[-1] == (ENTRIES, ENTRIES)
    with closing(sqlite3.connect(path / DATABASE)) as db:
        for table in FOLDED:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,)  # noqa: S608


async def test_a_store_in_use_verifies_and_works_on(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, clock=ManualClock(), commit_deadline_s=30)
    await store.commit(session(1))

    assert verify(tmp_path).entries == 1
    await store.commit(session(2))
    assert verify(tmp_path).entries == 2
    await store.close()


def files(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in path.rglob("*.*")}


def test_verifying_changes_no_file(path: Path) -> None:
    before = files(path)

    verify(path)

    after = files(path)
    assert {name: after[name] for name in before} == before


def test_where_no_store_is_none_is_verified(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        verify(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not SQLite at all"])
def test_a_file_that_is_no_store_does_not_verify(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / DATABASE).write_bytes(content)

    assert not verify(tmp_path).ok


@pytest.mark.parametrize(
    ("edits", "seq"),
    [
        pytest.param(["UPDATE journal SET payload = '{}' WHERE seq = 7"], 7, id="text"),
        pytest.param(
            ["UPDATE journal SET recorded_at = '2020-01-01' WHERE seq = 4"],
            4,
            id="time",
        ),
        pytest.param(
            ["UPDATE journal SET kind = 'HoldPlaced' WHERE seq = 2"], 2, id="kind"
        ),
        pytest.param(
            ["UPDATE journal SET hash = upper(hash) WHERE seq = 5"], 5, id="hash"
        ),
        pytest.param(["DELETE FROM journal WHERE seq = 9"], 9, id="removed"),
        pytest.param(["DELETE FROM journal WHERE seq = 1"], 1, id="first-removed"),
        pytest.param(["DELETE FROM journal WHERE seq = 18"], 18, id="tail-cut"),
        pytest.param(["DELETE FROM journal"], 1, id="emptied"),
        pytest.param(
            [
                "UPDATE journal SET seq = 100 WHERE seq = 6",
                "UPDATE journal SET seq = 6 WHERE seq = 7",
                "UPDATE journal SET seq = 7 WHERE seq = 100",
            ],
            6,
            id="swapped",
        ),
        pytest.param(
            [
                "INSERT INTO journal SELECT max(seq) + 1, recorded_at, kind, payload,"
                " hash FROM journal"
            ],
            ENTRIES + 1,
            id="repeated",
        ),
        pytest.param(
            ["UPDATE meta SET value = 'store-x' WHERE key = 'store_id'"],
            1,
            id="identity",
        ),
        pytest.param(["UPDATE cells SET epoch = 9"], 1, id="epoch"),
        pytest.param(["UPDATE cells SET reasons = '[]'"], 1, id="reasons"),
        pytest.param(["DELETE FROM permits"], 4, id="permit"),
        pytest.param(["UPDATE permits SET state = 'issued'"], 4, id="permit-reused"),
        pytest.param(
            ["UPDATE decisions SET verdict = 'act' WHERE decision_id = 'd-2'"],
            6,
            id="verdict",
        ),
        pytest.param(
            ["UPDATE requests SET outcome = 'open' WHERE request_id = 'r-3'"],
            12,
            id="request-open-again",
        ),
        pytest.param(
            ["UPDATE gates SET evidence_seq = 0, closed_seq = 3"], 20, id="gate"
        ),
        pytest.param(["DELETE FROM gates"], 20, id="gate-forgotten"),
        pytest.param(["UPDATE requests SET label = 'ok'"], 7, id="answer"),
        pytest.param(["UPDATE examples SET retracted = 1"], 10, id="example"),
        pytest.param(["DELETE FROM labels"], 14, id="label"),
        pytest.param(["UPDATE models SET state = 'retired'"], 15, id="model"),
        pytest.param(["UPDATE models SET metrics = '{}'"], 15, id="metrics"),
        pytest.param(["UPDATE replies SET reply = 'no'"], 1, id="reply"),
        pytest.param(["DELETE FROM mentions WHERE seq = 8"], 8, id="mention"),
        pytest.param(["DELETE FROM windows WHERE window_id = 'w-2'"], 6, id="window"),
        pytest.param(
            ["UPDATE windows SET data = zeroblob(96) WHERE window_id = 'w-3'"],
            11,
            id="samples",
        ),
        pytest.param(
            [
                "UPDATE windows SET facts = replace(facts, 'part-1', 'part-7')"
                " WHERE window_id = 'w-1'"
            ],
            3,
            id="facts",
        ),
        pytest.param(
            ["UPDATE windows SET samples = 3, channels = 8 WHERE window_id = 'w-1'"],
            3,
            id="shape",
        ),
        pytest.param(
            ["UPDATE windows SET content = 'x' WHERE window_id = 'w-1'"], 3, id="digest"
        ),
        pytest.param(["UPDATE windows SET cell_id = 'press-9'"], 3, id="cell"),
        pytest.param(["UPDATE clips SET removed = 1"], 18, id="clip-removed"),
        pytest.param(["UPDATE clips SET digest = 'x'"], 18, id="clip-digest"),
        pytest.param(["DROP INDEX one_live_model"], None, id="guard-dropped"),
    ],
)
def test_an_edit_is_found_where_it_was_made(
    path: Path, edits: list[str], seq: int | None
) -> None:
    edit(path, *edits)

    found = verify(path)

    assert not found.ok
    assert found.first_bad_seq == seq
    assert found.text.endswith(".")


def other(value: object) -> object:
    """Another value of the same type."""
    match value:
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case str():
            return f"{value}x"
        case int():
            return value + 1
        case _:
            return 7


@pytest.mark.parametrize("table", FOLDED)
def test_every_column_of_every_table_is_looked_at(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path / DATABASE)) as db:
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        first = db.execute(f"SELECT * FROM {table}").fetchone()  # noqa: S608
    where = " AND ".join(f"{column} IS ?" for column in columns)

    for column, value in zip(columns, first, strict=True):
        changed = Path(shutil.copytree(path, path.with_name(column)))
        with closing(sqlite3.connect(changed / DATABASE)) as db, db:
            sql = f"UPDATE {table} SET {column} = ? WHERE {where}"  # noqa: S608
            assert db.execute(sql, (other(value), *first)).rowcount == 1
        found = verify(changed)

        assert not found.ok, column
        assert found.first_bad_seq is not None, column


@pytest.mark.parametrize("table", FOLDED)
def test_one_row_more_or_less_is_found_in_every_table(path: Path, table: str) -> None:
    less = Path(shutil.copytree(path, path.with_name("less")))
    with closing(sqlite3.connect(path / DATABASE)) as db, db:
        row = db.execute(f"SELECT * FROM {table}").fetchone()  # noqa: S608
        marks = ", ".join("?" * len(row))
        more = tuple(other(value) for value in row)
        db.execute(f"INSERT INTO {table} VALUES ({marks})", more)  # noqa: S608
    edit(less, f"DELETE FROM {table}")  # noqa: S608

    for changed in (path, less):
        found = verify(changed)

        assert not found.ok
        assert found.first_bad_seq is not None


def test_a_forged_entry_with_good_hashes_breaks_the_fold(path: Path) -> None:
    """Who may write the file can seal it again; the tables then tell."""
    with closing(sqlite3.connect(path / DATABASE)) as db, db:
        chain = journal.Chain("", 0, journal.genesis(journal.read_store_id(db)))
        for seq, at, kind, payload, _ in journal.rows(db):
            forged = payload.replace('"label":"slip"', '"label":"ok"')
            chain, row = chain.append(at, kind, forged)
            db.execute("REPLACE INTO journal VALUES (?, ?, ?, ?, ?)", row)
            assert row[0] == seq

    found = verify(path)

    assert not found.ok
    assert found.first_bad_seq is not None


def test_a_tail_cut_with_its_rows_is_missed_by_the_head(path: Path) -> None:
    edit(
        path,
        "DELETE FROM journal WHERE seq >= 14",
        "DELETE FROM labels",
        "DELETE FROM models",
        "DELETE FROM clips",
        "DELETE FROM unconfirmed",
        "DELETE FROM gates",
        "DELETE FROM given",
        "DELETE FROM people",
        "DELETE FROM person_sessions",
        "DELETE FROM held_by",
        "DELETE FROM opinions",
        "DELETE FROM decided",
        "DELETE FROM known_cases",
        "DELETE FROM examples WHERE seq >= 14",
        "DELETE FROM arrivals",
        "DELETE FROM unheard",
        "DELETE FROM skips",
        "DELETE FROM first_opinions",
        "DELETE FROM requests WHERE seq >= 14",
        "DELETE FROM mentions WHERE seq >= 14",
    )

    found = verify(path)

    assert (found.ok, found.entries, found.first_bad_seq) == (False, 13, 14)
    assert f"{ENTRIES - 13} are missing" in found.text
    (path / HEAD).unlink()
    assert verify(path).ok, "without a witness nobody can know"


def test_a_whole_history_that_is_not_the_one_noted_is_found(path: Path) -> None:
    shutil.copytree(path, path.with_name("fork"))
    asyncio.run(go_on(path, "one way."))
    asyncio.run(go_on(path.with_name("fork"), "another way."))
    shutil.copy(path.with_name("fork") / HEAD, path / HEAD)

    found = verify(path)

    assert (found.ok, found.first_bad_seq) == (False, ENTRIES + 1)
    assert "not the one that was noted" in found.text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(None, "cannot be read", id="gone"),
        pytest.param(CLIP[:-1], "not what was kept", id="shorter"),
        pytest.param(CLIP[::-1], "not what was kept", id="other"),
    ],
)
def test_a_clip_that_is_not_what_was_kept_is_found(
    path: Path, content: bytes | None, text: str
) -> None:
    file = path / "clips/c-3.mcap"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)

    found = verify(path)

    assert (found.ok, found.first_bad_seq) == (False, 18)
    assert text in found.text


def of_version_one(path: Path) -> None:
    """Make a store as the first andon did, with one entry."""
    path.mkdir()
    db = sqlite3.connect(path / DATABASE, isolation_level=None)
    with closing(db):
        migrate(db, 1)
        db.execute("INSERT INTO meta VALUES ('store_id', 'store-old')")
        chain = journal.read_chain(db)
        payload = write_record(Recorded(session(1)))
        chain, row = chain.append(write_time(NOON), "SessionOpened", payload)
        db.execute(journal.APPEND, row)
        fold(Place(db, 1, write_time(NOON)), Recorded(session(1)))


async def test_a_store_of_before_there_were_clips_verifies_and_goes_on(
    tmp_path: Path,
) -> None:
    of_version_one(tmp_path / "store")
    assert verify(tmp_path / "store").ok

    store = await Store.open(
        tmp_path / "store", clock=ManualClock(), commit_deadline_s=30
    )
    await store.commit(decided(1), opened(1), window=make_window(1))
    await store.commit(clip(1))
    await store.close()
    (tmp_path / "store/clips").mkdir()
    (tmp_path / "store/clips/c-1.mcap").write_bytes(CLIP)

    assert verify(tmp_path / "store").ok


async def go_on(path: Path, way: str) -> None:
    store = await Store.open(path, clock=ManualClock(), commit_deadline_s=30)
    await store.commit(e.CoordinatorStopped(way))
    await store.close()


def logical(path: Path) -> list[object]:
    """Everything anybody reads from a store."""
    with closing(sqlite3.connect(path / DATABASE)) as db:
        return [
            [db.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES],  # noqa: S608
            db.execute("SELECT migration_set, name FROM _sqlite_migrations").fetchall(),
            db.execute("PRAGMA user_version").fetchone(),
            db.execute("PRAGMA application_id").fetchone(),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_is_found_or_changes_nothing(path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - places to damage, no secret
    content = (path / DATABASE).read_bytes()
    told = logical(path)
    used = [place for place, byte in enumerate(content) if byte]
    found = 0
    for number in range(FLIPS):
        flipped = bytearray(content)
        place = chance.choice(used) if number % 2 else chance.randrange(len(content))
        flipped[place] ^= 1 << chance.randrange(8)
        (path / DATABASE).write_bytes(flipped)
        try:
            result = verify(path)
        except AndonError:  # a newer schema: refused, hence found
            found += 1
            continue
        if result.ok:
            assert logical(path) == told
        else:
            found += 1

    assert found > FLIPS // 4
