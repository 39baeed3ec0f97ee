"""The watch over unlabelled windows: patient with small moves, and names what moved."""

import numpy as np

from coordinator.model.risk.drift import DriftWatch, Reference

SIGNALS = 6


def usual(rng, count=200):
    return rng.normal(size=(count, SIGNALS))


def watch(rng, *, windows, shift=0.0, scale=1.0) -> DriftWatch:
    now = DriftWatch.begin(Reference.of(usual(rng)))
    for values in usual(rng, windows):
        moved = values.copy()
        moved[2] = moved[2] * scale + shift
        now = now.see(moved)
    return now


def test_a_rank_says_where_a_value_lies_among_the_usual():
    reference = Reference.of(np.array([[1.0], [2.0], [3.0], [4.0]]))

    ranks = [float(reference.ranks(np.array([v]))[0]) for v in (0.0, 2.0, 2.5, 9.0)]

    assert ranks == [0.0, 0.375, 0.5, 1.0]


def test_a_signal_that_is_not_there_says_nothing():
    reference = Reference.of(np.array([[1.0, np.nan], [2.0, np.nan], [np.inf, np.nan]]))

    assert reference.ranks(np.array([np.nan, 3.0])).tolist() == [0.5, 0.5]
    assert reference.ranks(np.array([1.5, np.nan])).tolist() == [0.5, 0.5]


def test_what_stays_as_it_was_raises_no_alarm():
    quiet = watch(np.random.default_rng(0), windows=400)

    assert not quiet.alarmed(0.05)
    assert quiet.moved() == []


def test_a_small_move_is_no_alarm():
    assert not watch(np.random.default_rng(1), windows=400, shift=0.4).alarmed(0.05)


def test_a_signal_that_moves_far_is_found_and_named():
    up = watch(np.random.default_rng(2), windows=150, shift=3.0)
    down = watch(np.random.default_rng(2), windows=150, shift=-3.0)

    assert up.alarmed(0.05)
    assert down.alarmed(0.05)
    assert [place for place, _ in up.moved()] == [2]
    assert up.moved()[0][1] > 0.9
    assert down.moved()[0][1] < 0.1


def test_a_signal_that_spreads_out_is_found():
    assert watch(np.random.default_rng(3), windows=400, scale=8.0).alarmed(0.05)


def test_before_the_first_window_nothing_has_moved():
    rng = np.random.default_rng(4)
    fresh = DriftWatch.begin(Reference.of(usual(rng, 60)))

    assert fresh.moved() == []
    assert not fresh.alarmed(0.05)


def test_what_lies_beyond_everything_usual_is_found_sooner():
    rng = np.random.default_rng(5)
    now = DriftWatch.begin(Reference.of(usual(rng)))
    found = 0
    for values in usual(rng, 60):
        moved = values.copy()
        moved[4] = -9.0
        now = now.see(moved)
        found += not now.alarmed(0.05)

    assert found < 30
    assert now.moved()[0] == (4, 0.0)


def test_swings_within_what_is_usual_raise_no_alarm():
    rng = np.random.default_rng(6)
    now, values = DriftWatch.begin(Reference.of(usual(rng, 300))), np.zeros(SIGNALS)
    for noise in usual(rng, 500):
        values = 0.8 * values + 0.6 * noise
        now = now.see(values)

    assert not now.alarmed(0.05)
