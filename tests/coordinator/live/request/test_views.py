"""What people saw with a request: an answer fits every view of it, and no other."""

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import StoreDegradedError
from coordinator.live.request.view import view_digest
from coordinator.live.request.views import Views
from coordinator.store import Store
from coordinator.store.codec import decode
from coordinator.terms import Action, Digest, Label, events
from coordinator.terms.why import ChannelWeight, Why
from tests.builders import FAMILY, NOON, make_family, make_request

MOVED = Why(about="ok", weights=(ChannelWeight("force_z", 1.0, 3, 5, (0.5, 1.0)),))


@pytest.fixture
async def store():
    opened = await Store.open(None, clock=ManualClock(NOON))
    yield opened
    await opened.close()


async def test_an_answer_fits_what_was_shown_and_nothing_else(store) -> None:
    views, request = Views(store), make_request()

    await views.show(request, MOVED)

    assert views.fits(view_digest(request, FAMILY, MOVED.digest), request, FAMILY)
    assert views.fits(view_digest(request, FAMILY), request, FAMILY)
    other = view_digest(request, FAMILY, Why(about="slip").digest)
    assert not views.fits(other, request, FAMILY)


async def test_both_of_two_people_who_saw_different_reasons_may_answer(store) -> None:
    views, request = Views(store), make_request()
    late = Why(lacks=("too late.",))

    await views.show(request, late)
    await views.show(request, MOVED)

    for why in (late, MOVED):
        assert views.fits(view_digest(request, FAMILY, why.digest), request, FAMILY)


async def test_a_new_label_makes_every_older_view_another_question(store) -> None:
    views, request = Views(store), make_request()
    await views.show(request, MOVED)
    shown = view_digest(request, FAMILY, MOVED.digest)

    more = make_family(labels=(*FAMILY.labels, Label("scraped", Action.REJECT)))

    assert not views.fits(shown, request, more)


async def test_what_was_shown_is_recorded_once_and_known_after_a_restart(
    store,
) -> None:
    views, request = Views(store), make_request()
    await views.show(request, MOVED)
    await views.show(request, MOVED)

    entries = await store.entries(0, 10)
    (explained,) = [decode(entry.kind, entry.payload_json) for entry in entries]
    assert isinstance(explained, events.RequestExplained)
    assert explained.shown == MOVED.digest
    assert explained.why == MOVED.in_short

    after = Views(store)
    await after.load([request])
    assert after.fits(view_digest(request, FAMILY, MOVED.digest), request, FAMILY)


async def test_a_full_disk_does_not_keep_a_question_from_being_shown() -> None:
    class FullStore:
        async def commit(self, *_events: events.Event) -> None:
            raise StoreDegradedError("no room.")

        async def shown(self, _request_id) -> list[Digest]:
            return []

    views, request = Views(FullStore()), make_request()

    await views.show(request, MOVED)

    assert views.fits(view_digest(request, FAMILY, MOVED.digest), request, FAMILY)
