"""The watch over unlabelled windows: patient with small moves, and names what moved."""

import numpy as np

from coordinator.model.risk.drift import FINEST, STRETCH, DriftWatch, Moved, Reference

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
    assert [moved.signal for moved in up.moved()] == [2]
    assert up.moved()[0].rank > 0.9
    assert not up.moved()[0].apart
    assert down.moved()[0].rank < 0.1


def test_a_signal_that_spreads_out_is_found():
    spread = watch(np.random.default_rng(3), windows=400, scale=8.0)

    assert spread.alarmed(0.05)
    assert [moved.signal for moved in spread.moved()] == [2]
    assert spread.moved()[0].apart


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
    assert now.moved()[0] == Moved(4, 0.0, apart=False)


def test_swings_within_what_is_usual_raise_no_alarm():
    rng = np.random.default_rng(6)
    now, values = DriftWatch.begin(Reference.of(usual(rng, 300))), np.zeros(SIGNALS)
    for noise in usual(rng, 500):
        values = 0.8 * values + 0.6 * noise
        now = now.see(values)

    assert not now.alarmed(0.05)


def wandering(rng, count, first=0):
    """Signal 1 is slow: up and down once in 800 windows."""
    windows = usual(rng, count)
    windows[:, 1] += 4.0 * np.sin(2 * np.pi * np.arange(first, first + count) / 800)
    return windows


def windows_until(now, windows) -> int | None:
    for i, values in enumerate(windows, 1):
        now = now.see(values)
        if now.alarmed(0.05):
            return i
    return None


def test_a_signal_that_wandered_before_may_wander_on():
    rng = np.random.default_rng(7)
    now = DriftWatch.begin(Reference.of(wandering(rng, 1600)))

    assert windows_until(now, wandering(rng, 3200, first=1600)) is None


def test_a_signal_that_never_wandered_may_not_go_where_another_does():
    rng = np.random.default_rng(8)
    now = DriftWatch.begin(Reference.of(wandering(rng, 1600)))
    moved = wandering(rng, 400, first=1600)
    moved[:, 0] += 4.0

    found = windows_until(now, moved)
    assert found is not None
    assert found < 60


def test_a_wandering_signal_is_found_when_it_leaves_all_it_ever_was():
    rng = np.random.default_rng(9)
    now = DriftWatch.begin(Reference.of(wandering(rng, 1600)))
    moved = wandering(rng, 400, first=1600)
    moved[:, 1] = 9.0

    found = windows_until(now, moved)
    assert found is not None
    assert found < 60


def test_few_windows_tell_nothing_of_wandering():
    rng = np.random.default_rng(10)

    assert (Reference.of(usual(rng, STRETCH - 1)).limits == 0.75).all()
    assert (Reference.of(usual(rng, STRETCH)).limits == 0.75).all()


def test_a_long_reference_keeps_its_extremes_and_its_ranks():
    rng = np.random.default_rng(11)
    windows = usual(rng, 3000)
    windows[::2, 3] = np.nan
    windows[:, 4] = np.nan
    reference = Reference.of(windows)

    assert len(reference.values) == FINEST
    assert reference.there.tolist() == [FINEST] * 4 + [0, FINEST]
    ends = np.stack(
        [np.nanmin(windows[:, :4], axis=0), np.nanmax(windows[:, :4], axis=0)]
    )
    low, high = (reference.ranks(np.r_[end, np.nan, 0.0]) for end in ends)
    assert ((low[:4] > 0.0) & (low[:4] < 0.01)).all()
    assert ((high[:4] < 1.0) & (high[:4] > 0.99)).all()
    middle = reference.ranks(np.zeros(SIGNALS))
    assert np.abs(middle - 0.5).max() < 0.05


def test_what_is_told_is_where_a_signal_lies_now_and_not_where_it_was():
    rng = np.random.default_rng(12)
    now = DriftWatch.begin(Reference.of(usual(rng)))
    for number, values in enumerate(usual(rng, 400)):
        moved = values.copy()
        moved[2] += -6.0 if number >= 340 else 6.0 * (-1) ** number
        now = now.see(moved)

    assert now.moved()[0] == Moved(2, 0.0, apart=False)
