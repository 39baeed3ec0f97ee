"""Watches a folder for labelled clips, and takes each of them once.

    <watch_folder>/<family>/schema.toml     what the columns mean
    <watch_folder>/<family>/*.csv           clips; left alone while they still grow
    <watch_folder>/<family>/taken/          where a clip goes that was learned from
    <watch_folder>/<family>/refused/        where a clip goes with the reason beside it

Nothing is lost: a clip is moved only after everything of it is on record, or after it
was refused. One that was half taken when andon ended is taken on where it stopped.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from coordinator import log
from coordinator.config import Settings
from coordinator.errors import (
    AlreadyDoneError,
    ConflictError,
    DatasetError,
    StoreError,
)
from coordinator.history import Wanted
from coordinator.insight.dropped import FOLDER, By, Dropped, digest_of, read_dropped
from coordinator.service.plant import Plant
from coordinator.store.codec import decode
from coordinator.terms import (
    Actor,
    Digest,
    Family,
    IdempotencyKey,
    PersonId,
    Role,
    events,
)

LOOK_S: Final = 2.0
"""Time between two looks; a file that has not changed in between is whole, s."""
NAMELESS: Final = PersonId("policy:folder")
"""Of the keys that keep a clip from being taken twice, whoever gave its labels."""
TAKEN: Final = "taken"
REFUSED: Final = "refused"

_log = log.get("folder")


@dataclass(slots=True)
class DropFolder:
    """One watched folder. It lives on the event loop; reading runs on a thread.

    Attributes:
        folder: With a folder for each family.
        person: Whose labels they are, by the configuration.
    """

    plant: Plant
    folder: Path
    person: PersonId
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _left: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _known: set[Digest] | None = None

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await self.plant.clock.sleep(LOOK_S)
            await self.look()

    def fail(self) -> None:
        """Forget what was seen: after a fault everything is looked at anew."""
        self._seen.clear()
        self._known = None

    async def look(self) -> None:
        """Take every clip that is whole; what cannot be taken now waits."""
        for family in self.plant.vocabulary.all():
            for path, stamp in await asyncio.to_thread(self._whole, family):
                try:
                    await self._take(path, family)
                except StoreError as error:
                    _log.error("clip_waits", file=path.name, text=error.text)
                    return
                except OSError as error:
                    # It is on record, or refused; only its place could not be changed.
                    self._left[path] = stamp
                    _log.error("clip_not_moved", file=path.name, text=error.strerror)

    def _whole(self, family: Family) -> list[tuple[Path, tuple[int, int]]]:
        """The clips of a family that have not changed since the last look; blocks."""
        found = []
        for path in sorted((self.folder / family.family_id).glob("*.csv")):
            try:
                facts = path.stat()
            except OSError:
                continue  # it was taken away again
            stamp = (facts.st_size, facts.st_mtime_ns)
            if self._left.get(path) == stamp or not path.is_file():
                continue
            if self._seen.get(path) == stamp:
                found.append((path, stamp))
            self._seen[path] = stamp
        return found

    async def _take(self, path: Path, family: Family) -> None:
        by = By(self.person, self.plant.clock.utc_now())
        try:
            self._require_engineer()
            digest = await asyncio.to_thread(digest_of, path)
            if digest not in await self._imported():
                dropped = await asyncio.to_thread(read_dropped, path, family, by)
                await self._learn(path, family, dropped)
        except DatasetError as refused:
            _log.warning("clip_refused", file=path.name, text=refused.text)
            await asyncio.to_thread(_put_aside, path, REFUSED, refused.text)
            return
        await asyncio.to_thread(_put_aside, path, TAKEN)

    def _require_engineer(self) -> None:
        """Refuse labels in the name of somebody who may not give them.

        Raises:
            DatasetError: there are accounts, and this is no engineer's.
        """
        accounts = self.plant.people.accounts
        if not accounts.exist:
            return
        known = accounts.get(self.person)
        if known is None or known.locked or known.role < Role.ENGINEER:
            raise DatasetError(
                f"watch_by is {self.person}, who is no engineer here. Name one, then "
                "put the file back."
            )

    async def _imported(self) -> set[Digest]:
        """The files that were taken before, from the journal."""
        if self._known is None:
            self._known = set()
            before = 0
            while True:
                page = await self.plant.store.journal_page(
                    Wanted(kinds=("DatasetImported",), before_seq=before, limit=500)
                )
                for entry in page.entries:
                    event = decode(entry.kind, entry.payload_json)
                    if isinstance(event, events.DatasetImported):
                        self._known.add(event.source_digest)
                before = page.next_before_seq
                if not before:
                    break
        return self._known

    async def _learn(self, path: Path, family: Family, dropped: Dropped) -> None:
        """Record every example with its window, then that the file was imported."""
        store, source = self.plant.store, dropped.source_digest
        for example, window in dropped.examples:
            once = IdempotencyKey(NAMELESS, example.example_id, source)
            try:
                await store.commit(
                    events.ExampleAdded(example), window=window, once=once
                )
            except AlreadyDoneError:
                continue  # before andon ended in the middle of this file
            except ConflictError as error:
                raise DatasetError(f"{path.name}: {error.text}") from error
        await store.commit(
            events.DatasetImported(
                family.family_id,
                path.name,
                source,
                len(dropped.examples),
                Actor(self.person, FOLDER),
            )
        )
        (await self._imported()).add(source)
        self.plant.teacher(family.family_id).note_example()
        _log.info("clip_taken", file=path.name, windows=len(dropped.examples))


def drop_folder(plant: Plant, settings: Settings) -> DropFolder | None:
    """Return what watches the configured folder; None where there is none."""
    section = settings.learning
    if not section.watch_folder:
        return None
    return DropFolder(plant, Path(section.watch_folder), PersonId(section.watch_by))


def _put_aside(path: Path, where: str, why: str = "") -> None:
    """Move a clip, beside what lies there already; the reason goes with it. Blocks."""
    folder = path.parent / where
    folder.mkdir(exist_ok=True)
    place, number = folder / path.name, 1
    while place.exists():
        number += 1
        place = folder / f"{path.stem}~{number}{path.suffix}"
    if why:
        place.with_suffix(".txt").write_text(f"{why}\n", encoding="utf-8")
    path.replace(place)
