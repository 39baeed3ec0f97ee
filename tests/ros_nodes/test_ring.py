"""A ring keeps the newest samples in order; a track has one for each set of values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.ring import AS_THEY_ARE, SampleRing, Span, Track

ALWAYS = Span(-(10**9), 10**9)


def pieces(track: Track, span: Span = ALWAYS):
    return {
        piece.columns: (piece.stamps.tolist(), piece.values.tolist())
        for piece in track.within(span)
    }


@given(st.lists(st.integers(1, 7), max_size=12), st.integers(1, 9))
def test_a_ring_keeps_the_newest_samples(batches, capacity) -> None:
    ring = SampleRing(1, capacity=capacity)
    count = 0
    for size in batches:
        batch = list(range(count, count + size))
        ring.extend(batch, [[float(stamp)] for stamp in batch], AS_THEY_ARE)
        count += size

    stamps, values = ring.within(ALWAYS)

    expected = list(range(max(0, count - capacity), count))
    assert stamps.tolist() == expected
    assert values[:, 0].tolist() == expected
    assert ring.newest_ns == (count - 1 if count else None)


@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=6), max_size=9))
def test_only_stamps_that_rise_are_kept_and_the_others_are_counted(batches) -> None:
    track = Track(capacity=64)
    left_out = sum(track.extend((0,), batch, [[1.0]] * len(batch)) for batch in batches)
    said = [stamp for batch in batches for stamp in batch]
    rising = [s for n, s in enumerate(said) if all(s > before for before in said[:n])]

    assert pieces(track).get((0,), ([], []))[0] == rising
    assert left_out == len(said) - len(rising)


def test_the_samples_of_a_span_are_read_where_they_lie() -> None:
    track = Track(capacity=8)
    track.extend((0, 1), [1, 2, 3], [[1.0, 2.0]] * 3)

    [first] = track.within(Span(2, 3))
    [second] = track.within(Span(1, 2))

    assert first.stamps.tolist() == [2, 3]
    assert np.shares_memory(first.values, second.values)


def test_values_are_found_by_what_they_are_not_by_their_order() -> None:
    track = Track(capacity=8)
    track.extend((0, 1), [1], [[1.0, 2.0]])
    track.extend((1, 0), [2], [[2.0, 1.0]])

    assert pieces(track) == {(0, 1): ([1, 2], [[1.0, 2.0], [1.0, 2.0]])}


def test_two_drivers_on_one_topic_do_not_spoil_each_other() -> None:
    track = Track(capacity=8)
    track.extend((0, 1), [1, 5], [[1.0, 2.0]] * 2)
    track.extend((2,), [1, 4], [[3.0]] * 2)  # stamped alike, and earlier

    assert pieces(track) == {
        (0, 1): ([1, 5], [[1.0, 2.0]] * 2),
        (2,): ([1, 4], [[3.0]] * 2),
    }


def test_a_value_that_comes_in_two_sets_has_the_samples_of_both() -> None:
    track = Track(capacity=8)
    track.extend((0, 1), [1, 5], [[1.0, 2.0], [5.0, 6.0]])
    track.extend((0,), [3], [[3.0]])

    assert pieces(track) == {
        (0,): ([1, 3, 5], [[1.0], [3.0], [5.0]]),
        (1,): ([1, 5], [[2.0], [6.0]]),
    }


def test_a_topic_that_names_ever_new_values_keeps_few_sets() -> None:
    track = Track(capacity=4)
    for n in range(50):
        track.extend((n,), [n], [[1.0]])

    assert list(pieces(track)) == [(46,), (47,), (48,), (49,)]


def test_a_number_beyond_float32_is_infinite_not_an_error() -> None:
    ring = SampleRing(1, capacity=4)

    ring.extend([1], [[1e300]], AS_THEY_ARE)

    assert np.isinf(ring.within(ALWAYS)[1]).all()


def test_a_track_that_was_cleared_begins_anew() -> None:
    track = Track(capacity=4)
    track.extend((0,), [9], [[1.0]])

    track.clear()

    assert track.newest_ns is None
    assert track.extend((0,), [1], [[1.0]]) == 0


@pytest.mark.parametrize("span", [Span(5, 4), Span(20, 30)])
def test_a_span_without_samples_has_no_pieces(span) -> None:
    track = Track(capacity=4)
    track.extend((0,), [9], [[1.0]])

    assert pieces(track, span) == {}
