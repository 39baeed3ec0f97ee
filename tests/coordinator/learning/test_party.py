"""Which stored window comes next, for whom, and for how long."""

import threading
from typing import Any

import numpy as np
import pytest

from coordinator.learning.correction import pool as pools
from coordinator.learning.correction import reading
from coordinator.learning.correction.pool import Comparison, Pool, Stored, doubt
from coordinator.terms import CellId, Digest, WindowId, events
from coordinator.terms.teaching import Pick
from tests.builders import make_digest, make_prediction
from tests.coordinator.learning.teach_world import (
    ANA,
    BEN,
    CEM,
    LEASE_S,
    TeachWorld,
)


@pytest.fixture
async def world():
    opened = await TeachWorld.open()
    yield opened
    await opened.close()


def stored(number: int, *, doubt: float = 1.0, guess: str = "") -> Stored:
    return Stored(
        seq=number,
        window_id=WindowId(f"w-{number}"),
        window_digest=make_digest(f"window {number}"),
        cell_id=CellId("press-1"),
        cycle=number,
        part_id="",
        model_digest=Digest(""),
        guess=guess,
        doubt=doubt,
    )


def pool_of(*rows: tuple[float, float], doubts: list[float] | None = None) -> Pool:
    pool = Pool()
    sketches = np.zeros((len(rows), 32), np.float32)
    sketches[:, :2] = rows
    sure = doubts or [1.0] * len(rows)
    pool.add([stored(i, doubt=d) for i, d in enumerate(sure)], sketches)
    return pool


ALL = np.ones


# -- what teaches most -------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(None, 1.0, id="no model"),
        pytest.param(make_prediction("ok", 0.97), 0.04, id="sure"),
        pytest.param(make_prediction("ok", 0.4), 0.8, id="unsure"),
        pytest.param(make_prediction("ok", 0.99, novelty=1.2), 1.0, id="never seen"),
        pytest.param(make_prediction("ok", float("nan")), 1.0, id="no number"),
    ],
)
def test_doubt_is_what_the_margin_leaves(said, expected):
    assert doubt(said) == pytest.approx(expected)


def test_what_the_model_doubts_comes_first():
    pool = pool_of((0, 0), (9, 0), (0, 9), doubts=[0.1, 0.9, 0.5])

    assert pool.most(ALL(3, bool)) == 1


def test_of_what_the_model_is_sure_the_unlike_comes_first():
    pool = pool_of((0, 0), (1, 0), (9, 0), doubts=[1.0, 0.0, 0.0])
    pool.take(0)

    assert pool.most(np.array([False, True, True])) == 2


def test_near_duplicates_do_not_follow_one_another():
    pool = pool_of((0, 0), (0, 0.01), (0, 0.02), (5, 5), (9, 0))
    pool.radius = 1.0
    order, may = [], ALL(5, bool)
    while (i := pool.most(may)) is not None:
        order.append(i)
        pool.take(i)
        may[i] = False

    assert set(order[:3]) >= {3, 4}
    assert set(order[3:]) < {0, 1, 2}


def test_the_same_evidence_twice_is_one_window():
    pool = Pool()
    one = stored(1)
    pool.add([one, one], np.zeros((2, 32), np.float32))

    assert len(pool) == 1


def test_what_comes_later_knows_what_was_taken():
    pool = pool_of((0, 0), (50, 50))
    pool.take(0)

    pool.add(
        [stored(8), stored(9)],
        np.pad(np.array([[0, 0.01], [30, 0]], np.float32), ((0, 0), (0, 30))),
    )

    may = np.array([False, False, True, True])
    assert pool.most(may) == 3


def test_alike_are_the_near_ones_the_nearest_first_with_the_same_guess():
    pool = Pool()
    sketches = np.zeros((5, 32), np.float32)
    sketches[:, 0] = [0.0, 0.5, 0.2, 0.3, 8.0]
    guesses = ["ok", "ok", "ok", "bent", "ok"]
    pool.add([stored(i, guess=g) for i, g in enumerate(guesses)], sketches)
    pool.radius = 1.0

    assert pool.alike(0, ALL(5, bool), 9) == [2, 1]
    assert pool.alike(0, ALL(5, bool), 1) == [2]


def test_a_pool_grows_beyond_its_first_room():
    pool = Pool()
    rng = np.random.default_rng(1)
    for start in range(0, 900, 300):
        sketches = rng.normal(size=(300, 32)).astype(np.float32)
        pool.add([stored(start + i) for i in range(300)], sketches)
        pool.take(start)
    pool.measure()

    assert len(pool) == 900
    assert 0.0 < pool.radius < 20.0
    assert pool.most(ALL(900, bool)) is not None


# -- who gets what -----------------------------------------------------------------


async def test_every_fifth_window_is_for_a_second_opinion(world):
    for window in await world.put_many(20):
        await world.say(window.window_id, "ok", BEN)
    await world.put_many(20, first=100)

    picks = [lent.pick for lent in await world.lend(ANA, 10)]

    assert picks.count(Pick.SECOND) == 2
    assert picks[4] is picks[9] is Pick.SECOND


async def test_a_second_opinion_is_drawn_and_its_chance_is_kept(world):
    for window in await world.put_many(4):
        await world.say(window.window_id, "ok", BEN)

    lent = await world.lend(ANA, 4)

    assert [one.chance for one in lent] == [1 / 4, 1 / 3, 1 / 2, 1.0]
    await world.say(lent[0].window.window_id, "ok", ANA)
    given = [e for e in await world.journal() if isinstance(e, events.OpinionGiven)]
    assert given[-1].opinion.pick is Pick.SECOND
    assert given[-1].opinion.chance == 0.25


async def test_what_two_have_labelled_needs_no_second_opinion(world):
    windows = [window.window_id for window in await world.put_many(4)]
    for window_id in windows:
        await world.say(window_id, "ok", BEN)
    for window_id in windows[:2]:
        await world.say(window_id, "ok", CEM)

    lent = await world.lend(ANA, 4)

    assert {one.window.window_id for one in lent} == set(windows[2:])
    assert [(one.pick, one.chance) for one in lent] == [
        (Pick.SECOND, 1 / 2),
        (Pick.SECOND, 1.0),
    ]


async def test_two_people_are_not_drawn_the_same_second_opinions(world):
    windows = await world.put_many(30)
    for window in windows:
        await world.say(window.window_id, "ok", CEM)

    ana = [one.window.window_id for one in await world.lend(ANA, 8)]
    ben = [one.window.window_id for one in await world.lend(BEN, 8)]

    assert not set(ana) & set(ben)


async def test_a_dispute_comes_before_other_second_opinions(world):
    windows = await world.put_many(6)
    for window in windows:
        await world.say(window.window_id, "ok", ANA)
    await world.say(windows[3].window_id, "misaligned", BEN)

    [lent] = await world.lend(CEM)

    assert lent.window.window_id == windows[3].window_id
    assert lent.pick is Pick.DISPUTED


async def test_one_who_is_held_back_is_looked_at_by_another(world):
    windows = await world.put_many(6)
    for window in windows:
        await world.say(window.window_id, "ok", ANA)
    example = next(
        e
        for e in await world.store.examples(world.party.family)
        if e.window_id == windows[2].window_id
    )
    held = events.ExampleQuarantined(
        example.example_id, "ana alone says ok of the same window."
    )
    await world.store.commit(held)

    [lent] = await world.lend(BEN)
    assert lent.window.window_id == windows[2].window_id
    await world.say(lent.window.window_id, "ok", BEN)

    assert set((await world.learned())[windows[2].window_id]) == {"ok"}
    assert len((await world.learned())[windows[2].window_id]) == 2


async def test_a_window_comes_back_after_its_lease_but_not_to_who_passed(world):
    [window] = await world.put_many(1)
    [lent] = await world.lend(ANA)
    assert await world.lend(BEN) == []

    world.advance(LEASE_S + 1)
    [again] = await world.lend(BEN)
    world.party.give_back(BEN.person, again.window.window_id, passed=True)

    assert lent.window.window_id == again.window.window_id == window.window_id
    assert await world.lend(BEN) == []
    assert len(await world.lend(ANA)) == 1


async def test_people_who_left_are_not_here_any_more(world):
    await world.put_many(3)
    await world.lend(ANA)
    world.advance(20)
    await world.lend(BEN)

    assert world.party.status().people == ("ana", "ben")
    world.advance(20)
    assert world.party.status().people == ("ben",)


async def test_the_pace_is_told_in_opinions_a_minute(world):
    windows = await world.put_many(12)
    for window in windows:
        await world.say(window.window_id, "ok")
        world.advance(10)

    assert world.party.status().per_minute == pytest.approx(6.0, rel=0.1)
    world.advance(600)
    assert world.party.status().per_minute == 0.0


async def test_with_many_windows_it_is_learned_anew_what_is_usual(world, monkeypatch):
    monkeypatch.setattr(reading, "FIT_WELL", 40)
    monkeypatch.setattr(reading, "FIT_FROM", 5)
    monkeypatch.setattr(reading, "PAGE", 7)
    first = await world.put_many(10)
    await world.say(first[0].window_id, "ok")
    [mine] = await world.lend(ANA)
    await world.put_many(60, first=100)

    for _ in range(3):
        await world.teaching.party(world.party.family)

    assert not world.teaching.news.unread
    assert len(world.party.pool) == 70
    assert world.party.status().left == 69
    others = {one.window.window_id for one in await world.lend(BEN, 69)}
    assert mine.window.window_id not in others
    assert len(others) == 69


async def test_what_was_learned_of_many_is_not_learned_again(world, monkeypatch):
    monkeypatch.setattr(reading, "FIT_WELL", 8)
    monkeypatch.setattr(reading, "FIT_FROM", 2)
    await world.put_many(6)
    few = world.party.pool
    await world.teaching.party(world.party.family)
    assert world.party.pool is few
    await world.put_many(2, first=100)
    for _ in range(2):
        await world.teaching.party(world.party.family)
    many = world.party.pool

    await world.put_many(2, first=200)
    await world.teaching.party(world.party.family)

    assert many is not few
    assert world.party.pool is many
    assert len(many) == 10


# -- among many --------------------------------------------------------------------


def test_many_are_compared_some_at_a_time_and_come_to_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    rng = np.random.default_rng(3)
    rows = [(float(x), float(y)) for x, y in rng.normal(size=(90, 2))]
    whole, in_parts = pool_of(*rows), pool_of(*rows)
    labelled = list(range(0, 90, 2))
    whole.take(*labelled)
    sizes: list[int] = []
    apart = pools._apart

    def noted(some: Any, others: Any) -> Any:
        sizes.append(len(others))
        return apart(some, others)

    monkeypatch.setattr(pools, "_apart", noted)
    monkeypatch.setattr(pools, "AT_ONCE", 8)
    in_parts.take(*labelled)

    assert max(sizes) == 8
    assert sum(sizes) == len(labelled)
    assert np.array_equal(whole._near, in_parts._near)


def test_what_came_meanwhile_is_compared_too():
    pool = pool_of((0, 0), (5, 0))
    under_way = pool.began(0)
    sketches = np.zeros((1, 32), np.float32)
    sketches[0, 0] = 3.0
    pool.add([stored(7)], sketches)
    pool.compared(under_way)

    assert list(pool._near[:3]) == [0.0, 5.0, 3.0]


async def test_reading_compares_on_another_thread(
    world: TeachWorld, monkeypatch: pytest.MonkeyPatch
):
    window, *_ = [await world.put() for _ in range(3)]
    await world.say(window.window_id, "misaligned")
    threads: list[int] = []
    nearest = Comparison.nearest

    def noted(one: Comparison) -> Any:
        threads.append(threading.get_ident())
        return nearest(one)

    monkeypatch.setattr(Comparison, "nearest", noted)
    await world.restarted().teaching.party("peg")

    assert threads
    assert threading.get_ident() not in threads
