"""What becomes of a commit: told in time, or late; it is mirrored either way.

Whoever keeps in memory what a commit changes gives the change along. It is made once,
when the commit is durable, and in the order of the commits, whether its caller heard in
time, was told that it is late, or is gone. So memory never differs from the store.

A commit that failed and may be kept for all that counts as late. The writer finds out
by itself once the disk lets it; if the commit is found kept, memory follows then,
without a restart. Until it is known the store takes nothing else: the cells hold.
"""

from __future__ import annotations

import asyncio

from coordinator import log
from coordinator.errors import StoreDegradedError, StoreLateError
from coordinator.store.unit import Unit
from coordinator.store.writer import Writer
from coordinator.terms.events import JournalEntry

_log = log.get("store")


async def landed(
    writer: Writer, unit: Unit, deadline_s: float | None
) -> tuple[JournalEntry, ...]:
    """Wait until a unit is durable, and mirror it.

    Args:
        writer: Has it in its queue.
        unit: What was brought.
        deadline_s: Longest wait, in seconds; None for as long as it takes.

    Raises:
        StoreLateError: it is under way, and not yet known whether it is kept.
        StoreDegradedError: nothing was kept.
        AndonError: a guard refused it.
    """
    try:
        await asyncio.wait(
            (unit.future, unit.doubt),
            timeout=deadline_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
    except asyncio.CancelledError:
        _Later(unit)
        raise
    if unit.doubt.done():
        doubtful = "the disk is failing; the commit may yet be kept."
        raise StoreLateError(doubtful, _Later(unit).is_known)
    if not unit.future.done():
        late = f"the disk took longer than {deadline_s:g} s;"
        if writer.take_back(unit):
            raise StoreDegradedError(f"{late} nothing was kept.")
        later = _Later(unit)
        raise StoreLateError(f"{late} the commit may yet be kept.", later.is_known)
    entries: tuple[JournalEntry, ...] = unit.future.result()
    unit.then(entries)
    return entries


class _Later:
    """A commit that nobody waits for any more."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known = False
        # One turn of the loop later, as for those who wait: so the order stays.
        unit.future.add_done_callback(lambda _: unit.loop.call_soon(self._land))

    def is_known(self) -> bool:
        """Whether it is known by now what became of it."""
        return self._known

    def _land(self) -> None:
        self._known = True
        future = self._unit.future
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            if isinstance(error, StoreLateError):
                _log.error("late_commit_unknown", text="the next start will know.")
                return
            _log.warning("late_commit_not_kept", error=type(error).__name__)
            return
        _log.warning("late_commit_kept")
        self._unit.then(future.result())
