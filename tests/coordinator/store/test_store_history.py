"""What looking back reads is what was committed, in small rows."""

from datetime import timedelta

from coordinator.clock import ManualClock
from coordinator.history import Wanted
from coordinator.store import Store
from coordinator.terms import (
    CellEvent,
    CellState,
    Decision,
    HeldOutCase,
    HoldReason,
    Outcome,
    WindowId,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    CELL,
    NOON,
    PEG,
    answered,
    claimed,
    clip,
    decided,
    digest,
    example,
    make_window,
    opened,
    registered,
    released,
    session,
)

MINUTE = timedelta(minutes=1)


def moved(before: CellState, after: CellState) -> e.CellMoved:
    return e.CellMoved(CELL, 1, CellEvent.HOLD, before, after)


async def answered_case(store: Store, number: int, label: str) -> None:
    await store.commit(decided(number), opened(number), window=make_window(number))
    await store.commit(claimed(number), answered(number, label=label))
    await store.commit(example(number, label=label))


async def test_a_stretch_of_time_is_what_was_recorded_in_it(
    store: Store, clock: ManualClock
):
    await store.commit(session())
    await store.commit(moved(CellState.OFFLINE, CellState.HELD))
    clock.advance(MINUTE)
    since = clock.utc_now()
    await store.commit(released())
    await store.commit(moved(CellState.HELD, CellState.WORKING))
    await store.commit(decided(1), opened(1), window=make_window(1))
    clock.advance(MINUTE)
    await store.commit(claimed(1))
    await store.commit(answered(1, label="slip"))
    until = clock.utc_now() + MINUTE / 2
    clock.advance(MINUTE)
    await store.commit(moved(CellState.WORKING, CellState.HELD))

    past = await store.past(since, until)

    assert [(d.decision, d.part, d.guess) for d in past.decisions] == [
        (Decision.ASK, "part-1", "ok")
    ]
    assert [(m.before, m.after) for m in past.moves] == [
        (CellState.HELD, CellState.WORKING)
    ]
    assert [r.person for r in past.releases] == ["ana"]
    (request,) = past.requests
    assert request.outcome is Outcome.ANSWERED
    assert (request.label, request.guess) == ("slip", "ok")
    assert request.raised_at == since
    assert request.resolved_at == since + MINUTE
    assert past.now == {CELL: CellState.WORKING}


async def test_an_open_request_belongs_to_every_time_after_it(
    store: Store, clock: ManualClock
):
    await store.commit(session())
    await store.commit(decided(1), opened(1), window=make_window(1))
    clock.advance(MINUTE)
    now = clock.utc_now()

    assert len((await store.past(now, now + MINUTE)).requests) == 1
    assert (await store.past(NOON - MINUTE, NOON)).requests == []


async def test_the_journal_comes_in_pages_newest_first(store: Store):
    await store.commit(session())
    for number in range(1, 6):
        await store.commit(decided(number), window=make_window(number))

    first = await store.journal_page(Wanted(limit=4))
    rest = await store.journal_page(Wanted(limit=4, before_seq=first.next_before_seq))

    assert [entry.seq for entry in first.entries] == [6, 5, 4, 3]
    assert [entry.seq for entry in rest.entries] == [2, 1]
    assert rest.next_before_seq == 0


async def test_the_journal_is_filtered_by_cell_kind_person_and_what_it_is_about(
    store: Store,
):
    await store.commit(session())
    await answered_case(store, 1, "slip")
    await answered_case(store, 2, "ok")
    await store.commit(e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, 'says "ben"'))

    async def seqs(**wanted: object) -> list[str]:
        page = await store.journal_page(Wanted(**wanted))  # type: ignore[arg-type]
        return [entry.kind for entry in page.entries]

    assert await seqs(cell_id="press-9") == []
    assert await seqs(cell_id="press-1", kinds=("SessionOpened",)) == ["SessionOpened"]
    assert await seqs(person="ben") == []  # typed by somebody, not done by ben
    assert "RequestAnswered" in await seqs(person="ana")
    assert "HoldPlaced" not in await seqs(person="ana")
    about = await seqs(about="r-1", kinds=("RequestAnswered", "RequestClaimed"))
    assert about == ["RequestAnswered", "RequestClaimed"]


async def test_the_newest_entries_follow_each_other(store: Store):
    await store.commit(session())
    await store.commit(decided(1), window=make_window(1))

    assert await store.follows_chain(1000) == ""
    assert await store.follows_chain(1) == ""


async def test_the_cases_of_a_model_are_what_people_answered(store: Store):
    await store.commit(session())
    await store.commit(registered())
    await answered_case(store, 1, "slip")
    await answered_case(store, 2, "ok")
    await store.commit(decided(3), opened(3), window=make_window(3))
    await store.commit(clip(2))

    newest, oldest = await store.live_cases(PEG, digest("model"))

    assert (newest.request_id, newest.truth, newest.said) == ("r-2", "ok", "ok")
    assert (oldest.truth, oldest.said, oldest.confidence) == ("slip", "ok", 0.7)
    assert (oldest.part_id, oldest.cycle, oldest.novelty) == ("part-1", 1, 0.4)
    assert (newest.clip_id, oldest.clip_id) == ("c-2", "")
    assert await store.live_cases(PEG, digest("another")) == []


async def test_a_validation_keeps_its_cases_and_where_they_are_from(store: Store):
    await store.commit(session())
    await answered_case(store, 1, "slip")
    held_out = (
        HeldOutCase(WindowId("w-1"), "slip", "ok", 0.9, 0.2),
        HeldOutCase(WindowId("w-gone"), "ok", "ok", 0.8, 0.1),
    )
    model = registered()
    await store.commit(model)
    judged = e.ModelValidated(model.model.digest, PEG, "it is better.", {}, held_out)
    await store.commit(judged)

    kept = await store.validation(model.model.digest)
    assert kept is not None
    assert (kept.passed, kept.reasons) == (True, ("it is better.",))
    assert kept.cases == held_out
    (case,) = await store.cases_of(kept.cases)
    assert (case.window_id, case.request_id, case.part_id) == ("w-1", "r-1", "part-1")
    assert (case.truth, case.said, case.confidence) == ("slip", "ok", 0.9)


async def test_before_a_model_is_judged_nothing_is_kept(store: Store):
    assert await store.validation(digest("nobody")) is None


async def test_a_refusal_keeps_its_cases_too(store: Store):
    model = registered()
    await store.commit(session())
    await store.commit(model)
    case = HeldOutCase(WindowId("w-1"), "slip", "ok", 0.9, 0.2)
    refused = e.ModelRefused(model.model.digest, PEG, ("worse.",), {}, (case,))
    await store.commit(refused)

    kept = await store.validation(model.model.digest)

    assert kept is not None
    assert (kept.passed, kept.cases) == (False, (case,))
