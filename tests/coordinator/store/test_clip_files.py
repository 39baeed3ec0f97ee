"""Files of clips: whole under their name, or not there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coordinator.errors import StoreDegradedError, StoreIntegrityError
from coordinator.store.clip_files import READ_BYTES, ClipFolder
from coordinator.terms import ClipId

ONE, TWO = ClipId("c-1"), ClipId("c-2")


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[ClipFolder]:
    opened = ClipFolder(tmp_path)
    yield opened
    await opened.close()


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "clips").iterdir())


async def settled(folder: ClipFolder) -> None:
    """Wait for what nobody waits for."""
    await folder.run(lambda: None)


async def read(folder: ClipFolder, clip_id: ClipId) -> list[bytes]:
    return [piece async for piece in folder.read(clip_id)]


async def test_a_clip_has_its_name_when_it_is_whole(
    folder: ClipFolder, tmp_path: Path
) -> None:
    part = folder.begin(ONE)
    await part.write(b"ab")
    await part.write(b"c")
    during = names(tmp_path)
    await part.keep()

    assert during == ["c-1.part"]
    assert names(tmp_path) == ["c-1.mcap"]
    assert part.digest() == hashlib.sha256(b"abc").hexdigest()
    assert await read(folder, ONE) == [b"abc"]
    assert (tmp_path / "clips/c-1.mcap").stat().st_mode & 0o077 == 0


async def test_what_is_dropped_leaves_nothing(
    folder: ClipFolder, tmp_path: Path
) -> None:
    part = folder.begin(ONE)
    await part.write(b"ab")
    part.drop()
    part.drop()
    folder.begin(TWO).drop()
    await settled(folder)

    assert names(tmp_path) == []
    with pytest.raises(ValueError, match="dropped already"):
        await part.write(b"c")


async def test_dropping_what_was_kept_changes_nothing(
    folder: ClipFolder, tmp_path: Path
) -> None:
    part = folder.begin(ONE)
    await part.keep()
    part.drop()
    await settled(folder)

    assert names(tmp_path) == ["c-1.mcap"]


async def test_a_clip_is_read_in_pieces_and_survives_its_removal(
    folder: ClipFolder,
) -> None:
    content = bytes(range(256)) * (READ_BYTES // 100)
    part = folder.begin(ONE)
    await part.write(content)
    await part.keep()

    reading = folder.read(ONE)
    pieces = [await anext(reading)]
    await folder.remove(ONE)
    pieces += [piece async for piece in reading]

    assert b"".join(pieces) == content
    assert [len(piece) for piece in pieces[:2]] == [READ_BYTES, READ_BYTES]
    with pytest.raises(StoreIntegrityError, match="c-1 is gone"):
        await read(folder, ONE)
    await folder.remove(ONE)


async def test_leftovers_are_swept_and_what_is_known_stays(
    folder: ClipFolder, tmp_path: Path
) -> None:
    for name in ("c-1.mcap", "c-2.mcap", "c-3.part", "notes.txt"):
        (tmp_path / "clips" / name).write_bytes(b"x")

    swept = await folder.sweep({ONE})

    assert swept == 2
    assert names(tmp_path) == ["c-1.mcap", "notes.txt"]


async def test_a_disk_that_takes_nothing_is_named(
    folder: ClipFolder, tmp_path: Path
) -> None:
    (tmp_path / "clips").rmdir()

    with pytest.raises(StoreDegradedError):
        await folder.begin(ONE).write(b"x")
    with pytest.raises(StoreDegradedError):
        await folder.sweep(())


async def test_the_loop_goes_on_while_the_disk_is_slow(folder: ClipFolder) -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> None:
        loop.call_soon_threadsafe(began.set)
        done.result(timeout=10)

    done = asyncio.run_coroutine_threadsafe(began.wait(), loop)
    await folder.run(slow)

    assert began.is_set()
