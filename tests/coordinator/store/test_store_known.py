"""Known cases in the store: what they are drawn from, and what may never become one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import IllegalTransitionError
from coordinator.store import Store
from coordinator.terms import (
    Actor,
    Decision,
    ExampleId,
    Outcome,
    PersonId,
    RequestId,
    RequestKind,
    WindowId,
)
from coordinator.terms import events as e
from coordinator.terms.known import Asked
from coordinator.terms.teaching import OpinionId
from tests.builders import BEN
from tests.coordinator.store.store_world import (
    ANA,
    PEG,
    answered,
    claimed,
    decided,
    ended,
    example,
    known,
    label_decided,
    make_window,
    opened,
    opinion,
)

LATER = timedelta(hours=9)
LABELS = ("ok", "slip")


async def kept(store: Store, decision: Decision = Decision.ACT) -> None:
    await store.commit(decided(1, decision), window=make_window(1))


async def said(
    store: Store, who=ANA, label: str = "slip", number: int = 1, like: str = ""
) -> None:
    example_id = ExampleId(f"e-{number}-{who.person}" if label else "")
    word = opinion(
        number,
        opinion_id=OpinionId(f"o-{number}-{who.person}"),
        person=who.person,
        device=who.device,
        label=label,
        example_id=example_id,
        like=WindowId(like),
    )
    taught = (
        [example(number, example_id=example_id, person=who.person, label=label)]
        if label
        else []
    )
    await store.commit(e.OpinionGiven(word.opinion, who), *taught)


async def drawn(store: Store, clock: ManualClock) -> list[tuple[str, str]]:
    before = clock.utc_now() + LATER
    found = await store.known_cases(PEG, LABELS, before)
    return [(case.decided.window_id, case.label) for case in found]


async def test_two_people_who_looked_and_agree_make_a_known_case(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    alone = await drawn(store, clock)
    await said(store, BEN)

    assert alone == []
    assert await drawn(store, clock) == [("w-1", "slip")]


async def test_an_engineer_who_decided_makes_one_whatever_others_say(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA, "ok")
    await said(store, BEN, "ok")
    await store.commit(label_decided(1))

    assert await drawn(store, clock) == [("w-1", label_decided(1).label)]


async def test_nothing_is_known_of_what_nobody_can_tell(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    await store.commit(replace(label_decided(1), label=""))

    assert await drawn(store, clock) == []


@pytest.mark.parametrize(
    ("label", "like"),
    [
        pytest.param("ok", "", id="says another thing"),
        pytest.param("", "", id="cannot tell"),
        pytest.param("slip", "w-7", id="did not look at it"),
    ],
)
async def test_no_known_case_when_the_second_person(
    store: Store, clock: ManualClock, label: str, like: str
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN, label, like=like)

    assert await drawn(store, clock) == []


async def test_a_third_person_who_cannot_tell_ends_it(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    await said(store, Actor(PersonId("cem")), "")

    assert await drawn(store, clock) == []


async def test_a_word_that_was_taken_back_does_not_count(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    await store.commit(e.OpinionTakenBack(OpinionId("o-1-ben"), BEN))

    assert await drawn(store, clock) == []


async def test_what_is_kept_apart_is_not_settled(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    await store.commit(e.ExampleQuarantined(ExampleId("e-1-ben"), "waits."))

    assert await drawn(store, clock) == []


async def test_only_what_was_decided_alone_looks_like_an_audit(
    store: Store, clock: ManualClock
) -> None:
    await kept(store, Decision.ASK)
    await said(store, ANA)
    await said(store, BEN)

    assert await drawn(store, clock) == []


async def test_what_was_just_agreed_or_has_no_label_any_more_waits(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    now: datetime = clock.utc_now()

    assert await store.known_cases(PEG, LABELS, now) == []
    assert await store.known_cases(PEG, ("ok",), now + LATER) == []


async def test_a_case_is_shown_once_and_not_while_people_are_asked_about_it(
    store: Store, clock: ManualClock
) -> None:
    await kept(store)
    await said(store, ANA)
    await said(store, BEN)
    audit = opened(1, kind=RequestKind.AUDIT)
    await store.commit(audit)
    asked = await drawn(store, clock)
    await store.commit(ended(1, Outcome.TIMED_OUT))
    free = await drawn(store, clock)
    await store.commit(known(1))

    assert (asked, free) == ([], [("w-1", "slip")])
    assert await drawn(store, clock) == []
    assert await store.asked() == Asked(ordinary=1, known=1)
    with pytest.raises(IllegalTransitionError, match="shown as a known case before"):
        await store.commit(known(1, RequestId("k-2")))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": RequestKind.QUESTION}, id="a question"),
        pytest.param({"propensity": 0.05}, id="what could be learned from"),
    ],
)
async def test_a_known_case_is_never(store: Store, changes: dict[str, object]) -> None:
    await kept(store)

    with pytest.raises(IllegalTransitionError, match="teaches nothing"):
        await store.commit(known(1, **changes))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(
            e.KnownCaseEnded(RequestId("r-9"), "slip", ""), id="of no request"
        ),
        pytest.param(
            e.KnownCaseEnded(RequestId("r-1"), "slip", ""), id="of a question"
        ),
        pytest.param(
            e.KnownCaseEnded(RequestId("k-1"), "slip", ""), id="of an open one"
        ),
    ],
)
async def test_an_end_is_not_told(store: Store, told: e.KnownCaseEnded) -> None:
    await kept(store)
    await store.commit(known(1), opened(1))

    with pytest.raises(IllegalTransitionError):
        await store.commit(told)


async def test_an_end_is_told_as_it_was(store: Store) -> None:
    await kept(store)
    await store.commit(known(1))
    claim = replace(claimed(1), request_id=RequestId("k-1"))
    said_now = replace(answered(1, label="ok"), request_id=RequestId("k-1"))
    await store.commit(claim, said_now)

    with pytest.raises(IllegalTransitionError, match="not how"):
        await store.commit(e.KnownCaseEnded(RequestId("k-1"), "slip", "slip"))
    await store.commit(e.KnownCaseEnded(RequestId("k-1"), "slip", "ok"))
