"""What the labelling of stored windows reads from a store, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.terms.events import Event
from coordinator.terms.window import SensorWindow


@dataclass(frozen=True, slots=True)
class TeachingNews:
    """One entry that the labelling of stored windows must know.

    Attributes:
        seq: Its place in the journal.
        event: What happened.
        window: Its samples, when a window was judged that a person may label.
    """

    seq: int
    event: Event
    window: SensorWindow | None = None


@dataclass(frozen=True, slots=True)
class TeachingPage:
    """News in order, as far as one read goes.

    Attributes:
        news: Oldest first.
        up_to: Entry after which to read on.
        more: Whether there is more already.
    """

    news: tuple[TeachingNews, ...]
    up_to: int
    more: bool
