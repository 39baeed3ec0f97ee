"""From the journal into the parties: windows to be shown, and what was said of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from coordinator.clock import SECOND_NS, Clock
from coordinator.learning.correction.party import Party
from coordinator.learning.correction.pool import Comparison, Pool, Stored, stored
from coordinator.model.sketch import Sketcher
from coordinator.seams import StoreReader
from coordinator.terms import Digest, Family, FamilyId, SensorWindow, events
from coordinator.terms.teaching_news import TeachingNews

PAGE: Final = 200
"""News of one read: a few megabytes, and a few milliseconds of the event loop."""
MOST_WINDOWS: Final = 20_000
"""Newest judged windows that are offered."""
FIT_FROM: Final = 64
"""Windows from which it is learned what is usual; fewer wait until all is read."""
FIT_WELL: Final = 1000
"""From so many it is learned once and for all."""
PATIENCE_NS: Final = 2 * SECOND_NS
"""Longest time that one call reads; the next one reads on."""


@dataclass(slots=True)
class _Progress:
    """Windows of one family on their way into its pool."""

    fit_from: int = FIT_FROM
    sketcher: Sketcher | None = None
    fitted: int = 0
    measured: int = 0
    waiting: list[tuple[Stored, SensorWindow]] = field(default_factory=list)


class NewsReader:
    """Keeps the parties up to date. Not thread-safe: it lives on the event loop.

    What is heavy, reading and drawing sketches, runs on other threads.
    """

    def __init__(
        self,
        parties: Mapping[FamilyId, Party],
        *,
        store: StoreReader,
        clock: Clock,
        family_of: Callable[[FamilyId], Family],
    ) -> None:
        self._parties = parties
        self._store = store
        self._clock = clock
        self._family_of = family_of
        self._progress = {family: _Progress() for family in parties}
        self._seq = 0
        self._windows_after: int | None = None
        self._turn = asyncio.Lock()
        self.unread = True

    async def refresh(self) -> None:
        """Take in what is new in the store, for a while; a later call reads on.

        Raises:
            StoreError: the store could not be read.
        """
        async with self._turn:
            began_ns = self._clock.monotonic_ns()
            if self._windows_after is None:
                self._windows_after = await self._store.teaching_from(MOST_WINDOWS)
            while True:
                page = await self._store.teaching(self._seq, PAGE, self._windows_after)
                await self._take_in(page.news, last=not page.more)
                self._seq, self.unread = page.up_to, page.more
                spent_ns = self._clock.monotonic_ns() - began_ns
                if not page.more or spent_ns > PATIENCE_NS:
                    break
            if any(self._outgrown(family) for family in self._parties):
                self._begin_again()

    def _outgrown(self, family: FamilyId) -> bool:
        fitted = self._progress[family].fitted
        return 0 < fitted < FIT_WELL <= len(self._parties[family].pool)

    def _begin_again(self) -> None:
        """Read all again: what was usual among few windows may not be among many."""
        for family, party in self._parties.items():
            many = len(party.pool) >= FIT_WELL
            self._progress[family] = _Progress(FIT_WELL if many else FIT_FROM)
            party.start_over()
        self._seq, self._windows_after, self.unread = 0, None, True

    async def _take_in(self, news: Sequence[TeachingNews], *, last: bool) -> None:
        for one in news:
            event, window = one.event, one.window
            if isinstance(event, events.WindowDecided) and window is not None:
                self._expect(one.seq, event, window)
        for family, party in self._parties.items():
            await self._pour(family, party, last=last)
            touched = [
                digest
                for one in news
                if not isinstance(one.event, events.WindowDecided)
                and family_of(one.event) in ("", family)
                and (digest := party.opinions.fold(one.event)) is not None
            ]
            await _compare(party.pool, party.pool.began(*_places(party, touched)))

    def _expect(
        self, seq: int, decided: events.WindowDecided, window: SensorWindow
    ) -> None:
        progress = self._progress.get(decided.family)
        if progress is None:
            return
        family = self._family_of(decided.family)
        shape = (family.rows, len(family.channels))
        if window.samples.shape == shape and np.isfinite(window.samples).all():
            progress.waiting.append((stored(seq, decided, window), window))

    async def _pour(self, family: FamilyId, party: Party, *, last: bool) -> None:
        """Move windows into the pool, once it is known what is usual."""
        progress = self._progress[family]
        waiting = progress.waiting
        enough = len(waiting) >= progress.fit_from or last
        if progress.sketcher is None and not enough:
            return
        if not waiting:
            return
        progress.waiting = []
        sketches = await asyncio.to_thread(_draw, progress, waiting)
        pool = party.pool
        await _compare(
            pool, pool.came([described for described, _ in waiting], sketches)
        )
        await _compare(pool, pool.began(*_places(party, party.opinions.labelled())))
        if len(party.pool) > 1.5 * progress.measured:
            party.pool.measure()
            progress.measured = len(party.pool)


def _draw(
    progress: _Progress, waiting: Sequence[tuple[Stored, SensorWindow]]
) -> NDArray[np.float32]:
    """Sketches of windows: float32, shape (windows, NUMBERS). Blocking."""
    samples = np.stack([window.samples for _, window in waiting])
    present = np.stack([window.present for _, window in waiting])
    if progress.sketcher is None:
        progress.sketcher = Sketcher.fit(samples, present)
        progress.fitted = len(waiting)
    return progress.sketcher.sketch(samples, present)


async def _compare(pool: Pool, comparison: Comparison | None) -> None:
    """Find how near windows are to labelled ones, while the event loop goes on."""
    if comparison is not None:
        near = await asyncio.to_thread(comparison.nearest)
        pool.compared(comparison, near)


def family_of(event: events.Event) -> FamilyId:
    """Whose news it is; "" when the event does not say: then everybody looks."""
    match event:
        case events.ExampleAdded(example=example):
            return example.family
        case events.OpinionGiven(opinion=said):
            return said.family
        case events.LabelDecided(family=family):
            return family
        case _:
            return FamilyId("")


def _places(party: Party, evidence: Iterable[Digest]) -> list[int]:
    found = (party.pool.find(digest) for digest in evidence)
    return [i for i in found if i is not None]
