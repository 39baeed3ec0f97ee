"""What waits for the writer's thread, and how it hears what became of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from coordinator.seams import Then, nothing_follows
from coordinator.store.codec import Recorded
from coordinator.store.windows import Packed
from coordinator.terms.events import JournalEntry

Answer = tuple[JournalEntry, ...] | BaseException


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it will stand in the journal, all but its place."""

    record: Recorded
    recorded_at: str
    payload: str


@dataclass(eq=False, slots=True)
class Waiting:
    """Somebody on the event loop who waits for the writer thread.

    Attributes:
        loop: Its loop.
        future: Where it waits.
    """

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(eq=False, slots=True)
class Unit(Waiting):
    """What one commit() call brought: kept as a whole or not at all.

    Attributes:
        doubt: Done when the commit failed and may be kept for all that; `future`
            follows when it is known.
        entries: In order.
        window: Kept with them.
        then: What follows in memory once they are durable; see store.landing.
    """

    doubt: asyncio.Future[None]
    entries: tuple[Entry, ...]
    window: Packed | None
    then: Then = nothing_follows


@dataclass(eq=False, slots=True)
class Query(Waiting):
    """A read on the writer's own connection, for a store in memory."""

    ask: Callable[[sqlite3.Connection], Any]


def resolve(answers: Sequence[tuple[Waiting, Any]]) -> None:
    """Wake everybody who waits, each on its own loop; from any thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiting, Any]]] = {}
    for waiting, answer in answers:
        by_loop.setdefault(waiting.loop, []).append((waiting, answer))
    for loop, answers_here in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answers_here)


def in_doubt(units: Sequence[Unit]) -> None:
    """Tell everybody that nobody knows yet whether it is kept; from any thread."""
    resolve([(Waiting(unit.loop, unit.doubt), None) for unit in units])


def _settle(answers: Sequence[tuple[Waiting, Any]]) -> None:
    for waiting, answer in answers:
        if waiting.future.done():
            continue
        if isinstance(answer, BaseException):
            waiting.future.set_exception(answer)
        else:
            waiting.future.set_result(answer)
