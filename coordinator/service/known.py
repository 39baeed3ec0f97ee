"""Shows a known case again, as one audit among others, when people have room for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from coordinator import log
from coordinator.errors import ConflictError
from coordinator.live.request.known import known_request
from coordinator.service.plant import Plant
from coordinator.terms import FamilyId, GateState, TimeoutOutcome, events
from coordinator.terms.known import KnownCase

AGED: Final = timedelta(hours=8)
"""A shift: nobody is shown again what they have just labelled."""
ALONE: Final = frozenset({GateState.PROVISIONAL, GateState.CERTIFIED})
"""Only where audits come anyway can one of them be a known case."""

_log = log.get("known")


async def offer(
    plant: Plant, *, time_allowed_ns: int, on_timeout: TimeoutOutcome
) -> None:
    """Show a known case, if one is due, there is one, and people have room for it.

    Without one, or without room, it stays due. A flood, a full hour or an empty shop
    floor only mean that it comes later.

    Args:
        plant: Whose people.
        time_allowed_ns: As of every audit.
        on_timeout: As of every audit.

    Raises:
        StoreError: it could not be recorded; nobody is shown it.
    """
    queue, store = plant.requests, plant.store
    if not queue.known.due or not _have_time(plant):
        return
    if not queue.known.fits(await store.asked()):
        queue.known.due = False
        return
    found = await _some(plant)
    if found is None:
        queue.known.due = False
        return
    request = known_request(
        found,
        raised_at=plant.clock.utc_now(),
        now_ns=plant.clock.monotonic_ns(),
        time_allowed_ns=time_allowed_ns,
        on_timeout=on_timeout,
    )
    queue.known.due = False
    try:
        await store.commit(
            events.RequestOpened(request), then=lambda _: queue.add(request)
        )
    except ConflictError as error:
        _log.warning("known_case_not_shown", text=error.text)


def _have_time(plant: Plant) -> bool:
    """Whether somebody is there, and none of what they must do comes later by it."""
    queue = plant.requests
    return (
        plant.people_there() > 0
        and queue.pressure.has_room
        and not any(request.is_known for request in queue.all_open())
    )


async def _some(plant: Plant) -> KnownCase | None:
    """One of the known cases, none more likely than another; None without any."""
    before = plant.clock.utc_now() - AGED
    found: list[KnownCase] = []
    for family in plant.vocabulary.all():
        if _works_alone(plant, family.family_id):
            labels = family.label_names
            found += await plant.store.known_cases(family.family_id, labels, before)
    return _drawn(found, (await plant.store.head()).hash)


def _works_alone(plant: Plant, family: FamilyId) -> bool:
    gate = plant.gates.get(family)
    return gate is not None and gate.state() in ALONE


def _drawn(cases: Sequence[KnownCase], seed: str) -> KnownCase | None:
    """Draw one; who has the journal can draw it again, nobody beforehand."""

    def lot(case: KnownCase) -> bytes:
        text = f"known case/1\n{seed}\n{case.decided.window_id}"
        return hashlib.sha256(text.encode()).digest()

    return min(cases, key=lot, default=None)
