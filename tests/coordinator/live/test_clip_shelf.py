"""What the shelf of clips counts is what the store has, however late it hears."""

from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import StoreLateError
from coordinator.live.clips import ClipLimits, ClipShelf
from coordinator.store import Store
from coordinator.store.clip_files import ClipFolder
from coordinator.terms import CellId, ClipId, StoredClip, events
from tests.builders import NOON, make_digest
from tests.coordinator.store.store_world import (
    answered,
    claimed,
    decided,
    make_window,
    opened,
    session,
)
from tests.still_disk import StillDisk


async def test_a_clip_that_is_removed_late_takes_no_room(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    store = await Store.open(tmp_path, clock=clock, commit_deadline_s=30)
    asked = opened()
    await store.commit(session(), decided(), asked, window=make_window())
    request = asked.request
    await store.commit(claimed())
    await store.commit(answered())
    clip = StoredClip(
        ClipId("c-1"),
        CellId("press-1"),
        request.request_id,
        request.window_id,
        make_digest("clip"),
        1000,
        NOON,
        NOON,
    )
    await store.commit(events.ClipStored(clip))
    files = ClipFolder(tmp_path)
    limits = ClipLimits(10, lambda _: 1000)
    shelf = ClipShelf(store, files, clock, limits=limits, told=lambda *_: None)
    shelf._bytes = clip.bytes

    with StillDisk(store), pytest.raises(StoreLateError):
        await shelf._remove(clip, "no room.")
    await store.commit(events.CoordinatorStopped("a later commit"))
    left = await store.clips(None, 10)
    await files.close()
    await store.close()

    assert (left, shelf._bytes) == ([], 0)
