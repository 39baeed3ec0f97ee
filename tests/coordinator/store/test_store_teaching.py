"""Opinions in the store: one a person and window, taken back only by who gave it."""

from dataclasses import replace

import pytest

from coordinator.errors import IllegalTransitionError, NotFoundError
from coordinator.store import Store
from coordinator.terms import Decision, ExampleId, WindowId, WindowKind
from coordinator.terms import events as e
from coordinator.terms.teaching import OpinionId
from tests.builders import BEN
from tests.coordinator.store.store_world import (
    ANA,
    PEG,
    decided,
    digest,
    example,
    label_decided,
    make_window,
    opinion,
)


async def kept(store: Store, number: int = 1) -> None:
    await store.commit(decided(number, Decision.ACT), window=make_window(number))


async def test_one_opinion_a_person_and_window(store: Store) -> None:
    await kept(store)
    await store.commit(opinion(1), example(1))

    with pytest.raises(IllegalTransitionError) as refused:
        await store.commit(opinion(1, opinion_id=OpinionId("o-2")))

    assert refused.value.code == "ALREADY_SAID"


async def test_what_was_taken_back_may_be_said_anew(store: Store) -> None:
    await kept(store)
    await store.commit(opinion(1), example(1))
    await store.commit(e.OpinionTakenBack(OpinionId("o-1"), ANA))

    await store.commit(
        opinion(1, opinion_id=OpinionId("o-2"), example_id=ExampleId("e-2"))
    )

    [first] = await store.examples(PEG)
    assert first.retracted


@pytest.mark.parametrize(
    ("event", "error", "token"),
    [
        pytest.param(
            e.OpinionTakenBack(OpinionId("o-9"), ANA),
            NotFoundError,
            "NOT_FOUND",
            id="one that is not there",
        ),
        pytest.param(
            e.OpinionTakenBack(OpinionId("o-1"), BEN),
            IllegalTransitionError,
            "NOT_YOUR_OPINION",
            id="another person's",
        ),
        pytest.param(
            e.ExampleReinstated(ExampleId("e-9"), "settled."),
            NotFoundError,
            "NOT_FOUND",
            id="no such example",
        ),
        pytest.param(
            e.OpinionGiven(opinion(2).opinion, BEN),
            IllegalTransitionError,
            "NOT_YOUR_OPINION",
            id="in another's name",
        ),
        pytest.param(
            opinion(1, window_digest=digest("else"), opinion_id=OpinionId("o-3")),
            IllegalTransitionError,
            "NO_WINDOW",
            id="other evidence",
        ),
        pytest.param(label_decided(7), IllegalTransitionError, "NO_WINDOW", id="gone"),
        pytest.param(
            opinion(2, opinion_id=OpinionId("o-1")),
            IllegalTransitionError,
            "ALREADY_THERE",
            id="an id twice",
        ),
    ],
)
async def test_what_does_not_stand_changes_nothing(
    store: Store, event: e.Event, error: type[Exception], token: str
) -> None:
    await kept(store, 1)
    await kept(store, 2)
    await store.commit(opinion(1), example(1))
    head = await store.head()

    with pytest.raises(error) as refused:
        await store.commit(event)

    assert refused.value.code == token  # type: ignore[attr-defined]
    assert await store.head() == head


async def test_taken_back_twice_is_refused(store: Store) -> None:
    await kept(store)
    await store.commit(opinion(1), example(1))
    await store.commit(e.OpinionTakenBack(OpinionId("o-1"), ANA))

    with pytest.raises(IllegalTransitionError):
        await store.commit(e.OpinionTakenBack(OpinionId("o-1"), ANA))


async def test_a_reinstated_example_is_used_again(store: Store) -> None:
    await kept(store)
    await store.commit(example(1), e.ExampleQuarantined(ExampleId("e-1"), "why."))
    assert await store.example_windows(PEG) == []

    await store.commit(e.ExampleReinstated(ExampleId("e-1"), "settled."))

    assert len(await store.example_windows(PEG)) == 1


async def test_news_come_in_pages_and_only_windows_that_can_teach(
    store: Store,
) -> None:
    for number in range(1, 6):
        await kept(store, number)
    await store.commit(decided(6, Decision.HOLD), window=make_window(6))
    await store.commit(
        replace(decided(7, Decision.ACT), kind=WindowKind.MONITOR),
        window=make_window(7),
    )
    await store.commit(opinion(1), example(1))

    first = await store.teaching(0, 3)
    rest = await store.teaching(first.up_to, 100)
    nothing = await store.teaching(rest.up_to, 100)

    assert first.more
    assert not rest.more
    windows = [n.window.window_id for n in (*first.news, *rest.news) if n.window]
    assert windows == [WindowId(make_window(n).window_id) for n in range(1, 6)]
    said = [type(n.event) for n in rest.news if n.window is None]
    assert said == [e.OpinionGiven, e.ExampleAdded]
    assert (nothing.news, nothing.more) == ((), False)


async def test_only_the_newest_windows_are_read(store: Store) -> None:
    for number in range(1, 6):
        await kept(store, number)

    after = await store.teaching_from(2)
    page = await store.teaching(0, 100, after)

    assert [n.window.window_id for n in page.news if n.window] == [
        make_window(n).window_id for n in (4, 5)
    ]
    assert await store.teaching_from(100) == 0
