"""Windows: one clock, equal bins, counted gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.windowing import Column, Flow, Span, Windowing


def one_channel(
    stamps, values, *, flow: Flow | None = None, age: int = 10**9
) -> Windowing:
    windowing = Windowing(
        [Column("t", 0, age)], {"t": flow or Flow(capacity=max(1, len(stamps)))}
    )
    if stamps:
        windowing.tracks["t"].extend((0,), list(stamps), [[value] for value in values])
    return windowing


def two_topics() -> Windowing:
    return Windowing(
        [Column("joints", 0), Column("wrench", 0)],
        {
            "joints": Flow(capacity=8),
            "wrench": Flow(capacity=8),
        },
    )


def test_a_bin_is_the_mean_of_its_samples() -> None:
    grid = one_channel([0, 1, 2, 3], [1.0, 3.0, 5.0, 9.0]).cut(Span(0, 4), 2)

    np.testing.assert_array_equal(grid.samples, [[2.0], [7.0]])
    assert grid.gap_rows == 0
    assert grid.present.tolist() == [True]


def test_only_samples_of_the_span_count() -> None:
    grid = one_channel([0, 10, 11, 20], [100.0, 1.0, 2.0, 100.0]).cut(Span(10, 12), 2)

    np.testing.assert_array_equal(grid.samples, [[1.0], [2.0]])


def test_one_empty_bin_between_two_is_interpolated() -> None:
    grid = one_channel([0, 20], [1.0, 3.0]).cut(Span(0, 30), 3)

    np.testing.assert_array_equal(grid.samples, [[1.0], [2.0], [3.0]])
    assert grid.gap_rows == 0


def test_a_longer_gap_is_counted_and_never_looks_like_a_measurement() -> None:
    grid = one_channel([0, 40], [1.0, 9.0]).cut(Span(0, 50), 5)

    assert grid.samples[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0, 9.0]
    assert grid.gap_rows == 3


def test_a_channel_without_samples_is_absent_and_zero() -> None:
    windowing = two_topics()
    windowing.tracks["joints"].extend((0,), [1, 2], [[5.0]] * 2)

    grid = windowing.cut(Span(0, 2), 1)

    assert grid.present.tolist() == [True, False]
    assert grid.samples.tolist() == [[5.0, 0.0]]
    assert grid.gap_rows == 0


def test_a_channel_that_every_sample_lacks_is_absent() -> None:
    windowing = Windowing([Column("t", 0), Column("t", 1)], {"t": Flow(capacity=8)})
    windowing.tracks["t"].extend((0, 1), [1], [[1.0, np.nan]])

    grid = windowing.cut(Span(0, 2), 1)

    assert grid.present.tolist() == [True, False]


def test_a_single_nan_stays_visible() -> None:
    grid = one_channel([0, 1, 2], [1.0, float("nan"), 1.0]).cut(Span(0, 3), 1)

    assert np.isnan(grid.samples[0, 0])
    assert grid.present.tolist() == [True]


def test_a_pause_is_taken_out_of_the_time() -> None:
    samples = {0: 1.0, 10: 2.0, 50: 99.0, 100: 3.0, 110: 4.0}
    windowing = one_channel(samples.keys(), samples.values())

    grid = windowing.cut(Span(0, 120), 4, pauses=[Span(20, 100)])

    assert grid.samples[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert grid.gap_rows == 0


# -------------------------------------------------------------- topics slower than bins


def test_a_slow_topic_is_held_from_before_the_window() -> None:
    slow = Flow(period_ns=1000, capacity=8)
    grid = one_channel([-300, 450], [20.0, 21.0], flow=slow, age=3000).cut(
        Span(0, 800), 8
    )

    assert grid.samples[:, 0].tolist() == [20.0] * 4 + [21.0] * 4
    assert grid.gap_rows == 0


def test_a_slow_topic_is_held_up_to_its_maximum_age_then_it_is_a_gap() -> None:
    slow = Flow(period_ns=1000, capacity=8)
    grid = one_channel([0, 790], [20.0, 21.0], flow=slow, age=500).cut(Span(0, 800), 8)

    assert grid.present.tolist() == [True]
    # Rows end at 99, 199, ... 799: from 599 on the first sample is too old.
    assert grid.gap_rows == 2
    assert grid.samples[:, 0].tolist() == [20.0] * 7 + [21.0]


def test_a_slow_topic_that_fell_silent_is_absent_not_a_gap() -> None:
    slow = Flow(period_ns=1000, capacity=8)
    grid = one_channel([0], [20.0], flow=slow, age=500).cut(Span(0, 800), 8)

    assert grid.present.tolist() == [False]
    assert not grid.samples.any()
    assert grid.gap_rows == 0


def test_a_fast_topic_that_fell_silent_before_the_end_is_absent() -> None:
    stamps = list(range(0, 500, 10))
    grid = one_channel(stamps, [1.0] * 50, age=250).cut(Span(0, 800), 8)

    assert grid.present.tolist() == [False]
    assert grid.gap_rows == 0


def test_a_fast_topic_is_never_held_however_long_it_may_be_silent() -> None:
    fast = Flow(period_ns=10, capacity=8)
    grid = one_channel([0, 790], [1.0, 1.0], flow=fast, age=10**9).cut(Span(0, 800), 8)

    assert grid.gap_rows == 6


def test_what_is_said_only_when_it_changes_is_held_however_wide_the_bins() -> None:
    latched = Flow(held=True, capacity=8)
    grid = one_channel([-5000, 410], [1.0, 0.0], flow=latched).cut(Span(0, 800), 4)

    assert grid.samples[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert grid.gap_rows == 0


def test_before_the_first_word_of_a_held_topic_there_is_a_gap() -> None:
    latched = Flow(held=True, capacity=8)
    grid = one_channel([410], [1.0], flow=latched).cut(Span(0, 800), 4)

    assert grid.present.tolist() == [True]
    assert grid.gap_rows == 2


def test_channels_of_one_topic_may_have_their_own_age() -> None:
    windowing = Windowing(
        [Column("t", 0, 100), Column("t", 1, 600)],
        {"t": Flow(period_ns=1000, capacity=8)},
    )
    windowing.tracks["t"].extend((0, 1), [0, 300], [[1.0, 2.0]] * 2)

    grid = windowing.cut(Span(0, 800), 8)

    assert grid.present.tolist() == [False, True]
    assert grid.gap_rows == 0


def test_a_slow_topic_is_held_over_a_pause_by_the_clock_on_the_wall() -> None:
    slow = Flow(period_ns=500, capacity=8)
    pause = [Span(100, 900)]
    kept = one_channel([0, 950], [1.0, 2.0], flow=slow, age=10**6)
    aged = one_channel([0, 950], [1.0, 2.0], flow=slow, age=500)

    first = kept.cut(Span(0, 1000), 4, pause)
    second = aged.cut(Span(0, 1000), 4, pause)

    assert first.samples[:, 0].tolist() == [1.0, 1.0, 1.0, 2.0]
    assert (first.gap_rows, second.gap_rows) == (0, 1)


def test_two_drivers_on_one_topic_fill_their_own_channels() -> None:
    windowing = Windowing(
        [Column("joints", 0), Column("joints", 1)], {"joints": Flow(capacity=64)}
    )
    arm, hand = list(range(0, 80, 10)), list(range(0, 80, 20))
    windowing.tracks["joints"].extend((0,), arm, [[1.0]] * len(arm))
    windowing.tracks["joints"].extend((1,), hand, [[2.0]] * len(hand))

    grid = windowing.cut(Span(0, 80), 4)

    assert grid.samples.tolist() == [[1.0, 2.0]] * 4
    assert grid.gap_rows == 0
    assert grid.present.all()


def test_a_joint_that_its_driver_stops_naming_is_absent() -> None:
    windowing = Windowing(
        [Column("joints", 0, 20), Column("joints", 1, 20)],
        {"joints": Flow(capacity=64)},
    )
    windowing.tracks["joints"].extend((0, 1), [0, 10, 20], [[1.0, 2.0]] * 3)
    windowing.tracks["joints"].extend((0,), [30, 40, 50, 60, 70], [[1.0]] * 5)

    grid = windowing.cut(Span(0, 80), 4)

    assert grid.present.tolist() == [True, False]
    assert grid.samples[:, 0].tolist() == [1.0] * 4


# --------------------------------------------------------------------- against a model


def model(samples, span: Span, rows: int, *, age: int, held: bool):
    """One channel in plain Python: what each row shows, and how many are gaps."""
    length = span.end_ns - span.begin_ns
    bins: list[list[float]] = [[] for _ in range(rows)]
    for stamp, value in samples.items():
        if span.begin_ns <= stamp <= span.end_ns:
            place = min((stamp - span.begin_ns) * rows // length, rows - 1)
            bins[place].append(value)
    since = min(samples, default=0) if held else span.begin_ns
    heard = [stamp for stamp in samples if since <= stamp <= span.end_ns]
    if not heard or span.end_ns - max(heard) > age:
        return None
    means = [sum(b) / len(b) if b else None for b in bins]
    show = held_row if held else measured_row
    shown = [
        (mean, False)
        if mean is not None
        else show(samples, means, row, end_of(span, rows, row), age)
        for row, mean in enumerate(means)
    ]
    return [value for value, _ in shown], sum(gap for _, gap in shown)


def end_of(span: Span, rows: int, row: int) -> int:
    """The last moment of a row: just before the next, or the end of the span."""
    length = span.end_ns - span.begin_ns
    last = row == rows - 1
    return span.end_ns if last else span.begin_ns - 1 - (-(row + 1) * length // rows)


def held_row(samples, means, row, end, age):
    known = [stamp for stamp in samples if stamp <= end]
    if not known:
        return None, True
    return samples[max(known)], end - max(known) > age


def measured_row(samples, means, row, end, age):
    inner = 0 < row < len(means) - 1
    if inner and None not in (means[row - 1], means[row + 1]):
        return (means[row - 1] + means[row + 1]) / 2, False
    earlier = [mean for mean in means[:row] if mean is not None]
    later = [mean for mean in means[row:] if mean is not None]
    return (earlier[-1] if earlier else later[0]), True


@given(
    st.dictionaries(
        st.integers(-400, 1_200), st.integers(-8, 8).map(float), max_size=60
    ),
    st.integers(1, 40),
    st.integers(1, 1_500),
    st.booleans(),
    st.integers(1, 997),
)
def test_any_samples_become_what_a_plain_model_says(
    samples, rows, age, held, length
) -> None:
    samples = dict(sorted(samples.items()))
    span = Span(0, length)
    windowing = one_channel(
        samples.keys(), samples.values(), flow=Flow(held=held, capacity=64), age=age
    )

    grid = windowing.cut(span, rows)
    expected = model(samples, span, rows, age=age, held=held)

    if expected is None:
        assert grid.present.tolist() == [False]
        assert grid.gap_rows == 0
        assert not grid.samples.any()
        return
    shown, gaps = expected
    assert grid.present.tolist() == [True]
    assert grid.gap_rows == gaps
    for row, value in enumerate(shown):
        if value is not None:
            assert grid.samples[row, 0] == pytest.approx(value, rel=1e-6, abs=1e-6)


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=80, unique=True),
    st.integers(1, 40),
    st.integers(0, 10**15),
)
def test_a_window_does_not_depend_on_when_it_was(stamps, rows, shift) -> None:
    stamps, span = sorted(stamps), Span(0, 10**12)
    values = [float(n) for n in range(len(stamps))]
    here = one_channel(stamps, values).cut(span, rows)
    there = one_channel([s + shift for s in stamps], values).cut(
        Span(shift, span.end_ns + shift), rows
    )

    np.testing.assert_array_equal(here.samples, there.samples)
    assert here.gap_rows == there.gap_rows


@given(
    st.lists(st.integers(0, 999), min_size=1, max_size=60, unique=True),
    st.lists(st.integers(1, 5), max_size=60),
)
def test_a_window_does_not_depend_on_how_samples_came_together(stamps, sizes) -> None:
    stamps = sorted(stamps)
    whole = one_channel(stamps, stamps).cut(Span(0, 1000), 16)
    windowing = one_channel([], [], flow=Flow(capacity=64))
    rest = stamps
    for size in [*sizes, len(stamps)]:
        batch, rest = rest[:size], rest[size:]
        if batch:
            windowing.tracks["t"].extend((0,), batch, [[float(s)] for s in batch])

    parts = windowing.cut(Span(0, 1000), 16)

    np.testing.assert_array_equal(whole.samples, parts.samples)


@pytest.mark.parametrize(("span", "rows"), [(Span(5, 5), 4), (Span(5, 9), 0)])
def test_a_window_without_length_or_rows_is_refused(span, rows) -> None:
    with pytest.raises(ValueError, match="a window needs"):
        one_channel([1], [1.0]).cut(span, rows)


# --------------------------------------------------------------------------- the moment


def test_a_topic_that_was_never_heard_leaves_the_newest_moment_open() -> None:
    windowing = two_topics()
    windowing.tracks["joints"].extend((0,), [7], [[1.0]])

    assert windowing.newest_ns is None
    windowing.tracks["wrench"].extend((0,), [5], [[1.0]])

    assert windowing.newest_ns == 5


def test_a_topic_that_nobody_waits_for_moves_no_moment() -> None:
    windowing = Windowing(
        [Column("joints", 0), Column("temp", 0)],
        {"joints": Flow(capacity=8), "temp": Flow(awaited=False, capacity=8)},
    )
    windowing.tracks["joints"].extend((0,), [7], [[1.0]])

    assert windowing.newest_ns == 7


def test_where_nobody_is_waited_for_any_topic_will_do() -> None:
    windowing = one_channel([3], [1.0], flow=Flow(awaited=False, capacity=8))

    assert windowing.newest_ns == 3
