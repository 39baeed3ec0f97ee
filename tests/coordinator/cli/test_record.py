"""`andon explain` and `andon journal verify` on a real store."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from coordinator.__main__ import main
from coordinator.cli.stored import all_entries
from coordinator.clock import ManualClock
from coordinator.store import Store
from coordinator.terms import CellId, HoldReason
from coordinator.terms import events as ev


def fill(data_dir: Path) -> None:
    async def work() -> None:
        store = await Store.open(data_dir, clock=ManualClock())
        for epoch in range(1, 4):
            cell = CellId("press-1")
            await store.commit(
                ev.SessionOpened(cell, epoch, f"node-{epoch}", "boot", "andon"),
                ev.HoldPlaced(cell, HoldReason.LINK_LOST, "gone"),
            )
        await store.close()

    asyncio.run(work())


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path)]) == 0
    fill(tmp_path / "andon-data")
    capsys.readouterr()
    return tmp_path / "andon.toml"


def test_a_journal_that_nobody_touched_verifies(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["journal", "verify", "-c", str(plant)])

    assert code == 0
    assert capsys.readouterr().out.startswith("the journal verifies: 6 entries")


def test_a_journal_that_was_edited_is_exit_1_and_names_the_entry(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(plant.parent / "andon-data/store.db") as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(
            """UPDATE journal SET payload = replace(payload, 'gone', 'fine')
            WHERE seq = 4"""
        )
    db.close()

    code = main(["journal", "verify", "-c", str(plant)])

    complaint = capsys.readouterr().err
    assert code == 1
    assert complaint.startswith("andon: error: JOURNAL_BROKEN: ")
    assert "4" in complaint


def test_the_finding_is_told_to_programs(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["journal", "verify", "-c", str(plant), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["ok"] is True
    assert told["entries"] == 6


@pytest.mark.parametrize("command", [["journal", "verify"], ["explain", "press-1"]])
def test_without_a_store_there_is_nothing_to_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main(["init", str(tmp_path)]) == 0

    code = main([*command, "-c", str(tmp_path / "andon.toml")])

    assert code == 1
    assert "there is no store" in capsys.readouterr().err


def test_what_the_journal_does_not_mention_is_exit_1(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["explain", "part-4711", "-c", str(plant)])

    assert code == 1
    assert "part-4711" in capsys.readouterr().err


def test_every_entry_is_read_in_order_and_from_where_one_asks(plant: Path) -> None:
    data_dir = plant.parent / "andon-data"

    assert [entry.seq for entry in all_entries(data_dir)] == [1, 2, 3, 4, 5, 6]
    assert [entry.seq for entry in all_entries(data_dir, after_seq=4)] == [5, 6]
