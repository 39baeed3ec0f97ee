"""A folder for labelled clips: each is taken once, whole or not at all, none lost."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import StoreDegradedError
from coordinator.insight.schema import schema_from
from coordinator.service.drop_folder import DropFolder, drop_folder
from coordinator.service.plant import Plant
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.store.verify import verify
from coordinator.terms import (
    ExampleSource,
    Family,
    FamilyId,
    PersonId,
    Role,
    events,
)
from tests.builders import NOON
from tests.coordinator.insight.recordings import HEADINGS, SCHEMA, line

EVA = PersonId("eva")
CYCLES = 3


def family() -> Family:
    return schema_from(tomllib.loads(SCHEMA), name="schema.toml").family("peg")


def clip(*runs: str, slips: str = "") -> str:
    """A run of four rows, one window, for each name; the one that slips is told so."""
    rows = [
        line(run, t, phase="slipping" if run == slips and t == 2 else "")
        for run in runs
        for t in range(4)
    ]
    return "\n".join((HEADINGS, *rows)) + "\n"


class Desk:
    """A folder, a store in files, and a family that learns."""

    def __init__(self, path: Path) -> None:
        self.path = path / "peg"
        self.path.mkdir(parents=True)
        (self.path / "schema.toml").write_text(SCHEMA)
        self.store_path = path / "store"
        self.clock = ManualClock(NOON)
        self.noted = 0
        self.people: dict[str, Role] = {}

    async def open(self) -> None:
        self.store = await Store.open(
            self.store_path, clock=self.clock, commit_deadline_s=30
        )
        self.watcher = self.watch()

    def watch(self) -> DropFolder:
        accounts = SimpleNamespace(
            exist=bool(self.people),
            get=lambda name: (
                SimpleNamespace(role=self.people[name], locked=False)
                if name in self.people
                else None
            ),
        )
        plant = SimpleNamespace(
            store=self.store,
            clock=self.clock,
            vocabulary=SimpleNamespace(all=lambda: [family()]),
            people=SimpleNamespace(accounts=accounts),
            teacher=lambda _family: SimpleNamespace(note_example=self._note),
        )
        return DropFolder(cast(Plant, plant), self.path.parent, EVA)

    def _note(self) -> None:
        self.noted += 1

    def drop(self, name: str, content: str) -> Path:
        file = self.path / name
        file.write_text(content)
        return file

    async def look(self) -> None:
        """Twice: a file that has not changed in between is whole."""
        await self.watcher.look()
        await self.watcher.look()

    async def examples(self) -> list[Any]:
        return list(await self.store.examples(FamilyId("peg")))

    async def imports(self) -> list[events.DatasetImported]:
        entries = await self.store.entries(0, 10_000)
        told = [decode(entry.kind, entry.payload_json) for entry in entries]
        return [e for e in told if isinstance(e, events.DatasetImported)]

    def lies(self, where: str) -> list[str]:
        return sorted(x.name for x in (self.path / where).glob("*"))


@pytest.fixture
async def desk(tmp_path: Path):
    opened = Desk(tmp_path)
    await opened.open()
    yield opened
    await opened.store.close()


async def test_a_clip_becomes_examples_in_a_name_and_is_put_aside(desk: Desk) -> None:
    desk.drop("monday.csv", clip("a", "b", "c", slips="b"))
    await desk.look()

    found = await desk.examples()
    assert [e.label for e in found] == ["ok", "slip", "ok"]
    assert {e.person for e in found} == {EVA}
    assert {e.source for e in found} == {ExampleSource.IMPORT}
    assert len({e.group for e in found}) == CYCLES
    (told,) = await desk.imports()
    assert (told.dataset, told.windows, told.actor.person) == ("monday.csv", 3, EVA)
    assert (desk.lies("taken"), desk.noted) == (["monday.csv"], 1)
    usable = await desk.store.example_windows(FamilyId("peg"))
    assert usable[0][1].samples.shape == (4, 2)
    await desk.store.close()
    assert verify(desk.store_path).ok
    await desk.open()


async def test_the_same_content_is_taken_once_whatever_it_is_called(desk: Desk) -> None:
    desk.drop("monday.csv", clip("a", "b"))
    await desk.look()
    desk.drop("again.csv", clip("a", "b"))
    await desk.look()
    desk.watcher = desk.watch()
    desk.drop("monday.csv", clip("a", "b"))
    await desk.look()

    assert len(await desk.examples()) == 2
    assert len(await desk.imports()) == 1
    assert desk.lies("taken") == ["again.csv", "monday.csv", "monday~2.csv"]


async def test_a_file_that_still_grows_is_left_alone(desk: Desk) -> None:
    file = desk.drop("slow.csv", clip("a"))
    await desk.watcher.look()
    file.write_text(clip("a", "b"))
    await desk.watcher.look()
    early = await desk.examples()
    await desk.watcher.look()

    assert early == []
    assert len(await desk.examples()) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(
            clip("a").replace("Force", "Farce"), "column 'Force' is", id="col"
        ),
        pytest.param(clip("a").replace("0,", "0,x", 1), "is not a number", id="text"),
        pytest.param("", "is empty", id="empty"),
        pytest.param("\n".join(clip("a").splitlines()[:3]), "no group has", id="short"),
        pytest.param(clip("a").replace("2,4,", "2,9999,"), "window 1", id="range"),
    ],
)
async def test_a_bad_clip_is_refused_whole_with_its_reason_beside_it(
    desk: Desk, content: str, why: str
) -> None:
    desk.drop("bad.csv", content)
    await desk.look()

    assert await desk.examples() == []
    assert desk.lies("refused") == ["bad.csv", "bad.txt"]
    reason = (desk.path / "refused" / "bad.txt").read_text()
    assert why in reason
    assert reason.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('unit = "N"', 'unit = "kN"', "channels are not those of peg"),
        ("rows = 4", "rows = 3", "rows is 3, peg has 4"),
        ('name = "slip"', 'name = "skid"', "'skid' is no label of peg"),
        ("rows = 4", "rose = 4", "unknown key 'rose'"),
    ],
)
async def test_a_schema_of_another_kind_of_cell_is_refused(
    desk: Desk, old: str, new: str, why: str
) -> None:
    (desk.path / "schema.toml").write_text(SCHEMA.replace(old, new))
    desk.drop("monday.csv", clip("a"))
    await desk.look()

    assert why in (desk.path / "refused" / "monday.txt").read_text()
    assert await desk.examples() == []


async def test_a_clip_that_was_half_taken_is_taken_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = desk.drop("monday.csv", clip("a", "b", "c"))
    commit, count = desk.store.commit, 0

    async def fails(*happened: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            raise StoreDegradedError("the disk is full.")
        return await commit(*happened, **more)

    monkeypatch.setattr(desk.store, "commit", fails)
    await desk.look()
    half = await desk.examples()
    assert (len(half), file.exists(), await desk.imports()) == (1, True, [])
    await desk.store.close()
    await desk.open()
    await desk.look()

    assert len(await desk.examples()) == CYCLES
    assert len(await desk.imports()) == 1
    assert desk.lies("taken") == ["monday.csv"]


async def test_nobody_labels_in_the_name_of_who_may_not(desk: Desk) -> None:
    desk.people = {"eva": Role.OPERATOR}
    desk.watcher = desk.watch()
    desk.drop("monday.csv", clip("a"))
    await desk.look()

    assert await desk.examples() == []
    assert "no engineer here" in (desk.path / "refused" / "monday.txt").read_text()


async def test_an_engineer_s_account_is_enough(desk: Desk) -> None:
    desk.people = {"eva": Role.ENGINEER}
    desk.watcher = desk.watch()
    desk.drop("monday.csv", clip("a"))
    await desk.look()

    assert len(await desk.examples()) == 1


async def test_without_a_folder_nothing_is_watched(desk: Desk) -> None:
    settings: Any = SimpleNamespace(
        learning=SimpleNamespace(watch_folder="", watch_by="")
    )

    assert drop_folder(cast(Plant, None), settings) is None
