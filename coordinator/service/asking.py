"""The questions of a plant: built from its configuration, and looked after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from coordinator import log
from coordinator.clock import Clock, seconds_to_ns
from coordinator.config import Settings
from coordinator.errors import AndonError
from coordinator.feed import PresenceChanged
from coordinator.history import History, Wanted
from coordinator.learning.correction.accept import accept
from coordinator.live.cell import control
from coordinator.live.request.known import KnownShare
from coordinator.live.request.looks import Looks
from coordinator.live.request.mirror import Publish
from coordinator.live.request.pressure import Limits, Pressure
from coordinator.live.request.queue import RequestQueue, Times
from coordinator.seams import Store
from coordinator.service import known
from coordinator.service.plant import Plant
from coordinator.terms import Outcome, events
from coordinator.vocabulary import Vocabulary

_log = log.get("app")
MOST_REMEMBERED: Final = 2_000
"""Ended requests that are read at the start; more in an hour is a flood anyway."""
_FLOODS: Final = (events.FloodBegan.__name__, events.FloodEnded.__name__)


def build(
    settings: Settings,
    *,
    store: Store,
    clock: Clock,
    vocabulary: Vocabulary,
    publish: Publish,
    plant: Callable[[], Plant],
) -> RequestQueue:
    """Build the queue of a plant; `plant` is asked only once the plant is there."""
    section = settings.requests
    return RequestQueue(
        store=store,
        clock=clock,
        publish=publish,
        family_of=vocabulary.family,
        make_example=partial(accept, clock=clock),
        times=Times(
            claim_lease_ns=seconds_to_ns(section.claim_lease_s),
            undo_ns=seconds_to_ns(section.undo_s),
            warning_share=section.warning_share,
            extra_share=section.spread_share,
        ),
        answered=lambda request, actor: plant().carry_out(request, actor),
        pressure=Pressure(
            clock,
            limits=Limits(section.flood_per_10_min, section.budget_per_hour),
            people=lambda: plant().people_there(),
            cells_of=Counter(settings.family_of().values()),
        ),
        known=KnownShare(settings.people.known_share),
        looks=Looks(clock, least_view_ns(settings)),
    )


async def load(requests: RequestQueue, store: Store, history: History) -> None:
    """Take over what is open, and how much people were asked before this start."""
    await requests.load()
    ended = await store.ended_requests(MOST_REMEMBERED)
    page = await history.journal_page(Wanted(kinds=_FLOODS, limit=1))
    newest = next(iter(page.entries), None)
    lasts = newest is not None and newest.kind == events.FloodBegan.__name__
    requests.pressure.remember(ended, newest.recorded_at if newest and lasts else None)


def least_view_ns(settings: Settings) -> int:
    """How soon is too soon for an answer to be taken, ns; 0: never."""
    people = settings.people
    return seconds_to_ns(people.least_view_s) if people.refuse_rash else 0


async def look_after(plant: Plant, settings: Settings) -> None:
    """Let time do its part: deadlines, undo, warnings, claims, sessions, floods.

    A full disk must not end the coordinator, nor one thing keep another waiting: what
    the store did not take is tried again the next time.
    """
    requests = plant.requests
    for step in (
        partial(_expire, plant),
        requests.make_final,
        requests.end_lapsed_claims,
        plant.people.sessions.tick,
        partial(_weigh, plant),
        partial(_offer_known, plant, settings),
    ):
        try:
            await step()
        except AndonError as error:
            _log.error("expiry_waits", code=error.code, text=error.text)
    requests.warn()


async def _expire(plant: Plant) -> None:
    """End what is out of time, and tell the cells."""
    for ended in await plant.requests.expire_due():
        path = plant.cells.get(ended.cell_id)
        if path is not None and ended.outcome is Outcome.TIMED_OUT:
            path.inbox.post(control.Expired(ended))


async def _weigh(plant: Plant) -> None:
    """Say when a flood, or a model's doubt, begins or ends."""
    if await plant.requests.look_at_load():
        plant.feed.publish(PresenceChanged())


async def _offer_known(plant: Plant, settings: Settings) -> None:
    await known.offer(
        plant,
        time_allowed_ns=seconds_to_ns(settings.gate.audit_deadline_s),
        on_timeout=settings.requests.timeout_outcome,
    )
