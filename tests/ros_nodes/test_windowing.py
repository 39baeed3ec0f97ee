"""Windows: one clock, equal bins, counted gaps, digests that both sides know."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.terms import channels, window
from coordinator.terms.ids import Digest
from ros_nodes.windowing import (
    SampleRing,
    Span,
    Windowing,
    schema_digest,
    window_digest,
)


def one_channel(stamps, values, *, capacity: int = 64) -> Windowing:
    windowing = Windowing([("joints", 0)], {"joints": 1}, capacity=capacity)
    for stamp, value in zip(stamps, values, strict=True):
        windowing.rings["joints"].append(stamp, np.array([value]))
    return windowing


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
    windowing = Windowing([("joints", 0), ("wrench", 0)], {"joints": 1, "wrench": 1})
    windowing.rings["joints"].append(1, np.array([5.0]))
    windowing.rings["joints"].append(2, np.array([5.0]))

    grid = windowing.cut(Span(0, 2), 1)

    assert grid.present.tolist() == [True, False]
    assert grid.samples.tolist() == [[5.0, 0.0]]
    assert grid.gap_rows == 0


def test_a_channel_that_every_sample_lacks_is_absent() -> None:
    windowing = Windowing([("joints", 0), ("joints", 1)], {"joints": 2})
    windowing.rings["joints"].append(1, np.array([1.0, np.nan]))

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


def test_a_stamp_that_does_not_rise_is_left_out_and_counted() -> None:
    ring = SampleRing(1, capacity=4)

    assert ring.append(5, np.array([1.0]))
    assert not ring.append(5, np.array([2.0]))
    assert not ring.append(4, np.array([3.0]))

    assert ring.out_of_order == 2
    assert ring.newest_ns == 5


@given(st.integers(1, 50), st.integers(1, 9))
def test_a_ring_keeps_the_newest_samples(count, capacity) -> None:
    ring = SampleRing(1, capacity=capacity)
    for stamp in range(count):
        ring.append(stamp, np.array([float(stamp)]))

    stamps, values = ring.within(Span(0, count))

    expected = list(range(max(0, count - capacity), count))
    assert stamps.tolist() == expected
    assert values[:, 0].tolist() == expected


@given(
    st.lists(st.integers(0, 1_000_000), min_size=1, max_size=80, unique=True),
    st.integers(1, 40),
)
def test_every_sample_lands_in_the_bin_of_its_time(stamps, rows) -> None:
    stamps = sorted(stamps)
    span = Span(0, 1_000_001)
    grid = one_channel(stamps, [float(s) for s in stamps], capacity=128).cut(span, rows)

    bins: dict[int, list[int]] = {}
    for stamp in stamps:
        bins.setdefault(stamp * rows // span.end_ns, []).append(stamp)

    for row, members in bins.items():
        assert grid.samples[row, 0] == pytest.approx(np.mean(members), rel=1e-6)
    assert grid.gap_rows <= rows - len(bins)
    assert np.isfinite(grid.samples).all()


@pytest.mark.parametrize(("span", "rows"), [(Span(5, 5), 4), (Span(5, 9), 0)])
def test_a_window_without_length_or_rows_is_refused(span, rows) -> None:
    with pytest.raises(ValueError, match="a window needs"):
        one_channel([1], [1.0]).cut(span, rows)


def test_a_topic_that_was_never_heard_leaves_the_newest_moment_open() -> None:
    windowing = Windowing([("joints", 0), ("wrench", 0)], {"joints": 1, "wrench": 1})
    windowing.rings["joints"].append(7, np.array([1.0]))

    assert windowing.newest_ns is None
    windowing.rings["wrench"].append(5, np.array([1.0]))

    assert windowing.newest_ns == 5


def test_both_programs_compute_the_same_schema_digest() -> None:
    names = [("elbow_pos", "rad"), ("force_z", "N")]

    assert schema_digest(names) == channels.schema_digest(names)


def test_both_programs_compute_the_same_window_digest() -> None:
    schema = hashlib.sha256(b"schema").hexdigest()
    samples = np.arange(6, dtype=np.float32).reshape(3, 2)
    present = np.array([True, False])

    told = window_digest(schema, samples, present)

    assert told == window.window_digest(Digest(schema), samples, present)
