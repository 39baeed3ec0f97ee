"""What is said against a window before any model sees it."""

import math

import numpy as np
import pytest

from coordinator.clock import SECOND_NS
from coordinator.live.window.check import check
from coordinator.terms import Decision, HoldReason
from tests.builders import CHANNELS, FAMILY, ROWS, make_samples, make_window

COLUMNS = range(len(CHANNELS))


def findings(window, now_ns=0):
    return check(window, FAMILY, now_ns=now_ns, maximum_age_ns=SECOND_NS)


def codes(window, now_ns=0):
    return [finding.code for finding in findings(window, now_ns)]


def present(*absent):
    marks = np.ones(len(CHANNELS), dtype=np.bool_)
    marks[list(absent)] = False
    return marks


def test_a_good_window_has_nothing_against_it():
    assert findings(make_window()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", [0, 7, ROWS - 1])
def test_what_is_no_number_names_channel_and_row(value, column, row):
    samples = make_samples()
    samples[row, column] = value
    [found] = findings(make_window(samples=samples))

    assert (found.decision, found.code) == (Decision.HOLD, "NONFINITE")
    assert found.hold_reason is HoldReason.BAD_DATA
    assert f"row {row}, channel {CHANNELS[column].name}" in found.text


def test_what_is_no_number_counts_in_an_absent_channel_too():
    samples = make_samples()
    samples[2, 3] = math.nan

    assert codes(make_window(samples=samples, present=present(3))) == ["NONFINITE"]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("side", ["minimum", "maximum"])
def test_the_plausible_range_ends_where_it_says(column, side):
    limit = getattr(CHANNELS[column], side)
    outward = np.float32(np.inf if side == "maximum" else -np.inf)
    edge = np.float32(limit)
    if (float(edge) > limit) == (side == "maximum") and float(edge) != limit:
        edge = np.nextafter(edge, -outward)  # the nearest float32 that is inside
    for value, expected in (
        (edge, []),
        (np.nextafter(edge, outward), ["OUT_OF_RANGE"]),
    ):
        samples = make_samples()
        samples[4, column] = value

        assert codes(make_window(samples=samples)) == expected


@pytest.mark.parametrize("value", [1e30, -1e30, 3.4e38])
def test_what_cannot_be_is_out_of_range(value):
    samples = make_samples()
    samples[5, 0] = value
    [found] = findings(make_window(samples=samples))

    assert found.code == "OUT_OF_RANGE"
    assert "row 5, channel joint_pos" in found.text
    assert "-6.3 to 6.3" in found.text


@pytest.mark.parametrize("value", [-0.0, 1e-45, 1e-39])
def test_small_numbers_are_numbers(value):
    samples = make_samples()
    samples[5, 0] = value

    assert findings(make_window(samples=samples)) == []


@pytest.mark.parametrize("rows", [1, ROWS, 2**31])
def test_a_gap_is_never_filled(rows):
    [found] = findings(make_window(gap_rows=rows))

    assert (found.decision, found.code) == (Decision.HOLD, "GAP")


@pytest.mark.parametrize(
    ("length", "stuck"),
    [(7, False), (8, True), (ROWS, True)],
)
def test_a_channel_that_stands_still_too_long_is_stuck(length, stuck):
    samples = make_samples()
    samples[2 : 2 + length, 1] = samples[2, 1]
    found = findings(make_window(samples=samples))

    assert [f.code for f in found] == (["STUCK_CHANNEL"] if stuck else [])
    if stuck:
        assert "joint_effort" in found[0].text


def test_a_channel_that_may_stand_still_may():
    samples = make_samples()
    samples[:, 0] = 1.0

    assert findings(make_window(samples=samples)) == []


def test_a_short_window_that_never_moves_is_stuck():
    samples = make_samples(4)
    samples[:, 1] = 1.0

    assert codes(make_window(samples=samples)) == ["STUCK_CHANNEL"]


def test_a_stuck_channel_is_found_beside_one_out_of_range():
    samples = make_samples()
    samples[:, 1] = 1.0
    samples[0, 0] = 99.0

    assert sorted(codes(make_window(samples=samples))) == [
        "OUT_OF_RANGE",
        "STUCK_CHANNEL",
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param(0, [Decision.HOLD], id="required"),
        pytest.param(2, [Decision.ASK], id="ask"),
        pytest.param(3, [], id="tolerate"),
    ],
)
def test_absence_means_what_the_channel_says(column, expected):
    samples = make_samples()
    samples[:, column] = 0.0
    found = findings(make_window(samples=samples, present=present(column)))

    assert [f.decision for f in found] == expected
    assert all(CHANNELS[column].name in f.text for f in found)


def test_an_absent_channel_is_neither_out_of_range_nor_stuck():
    samples = make_samples()
    samples[:, 1] = 1e9
    found = findings(make_window(samples=samples, present=present(1)))

    assert [f.code for f in found] == ["MISSING_CHANNEL"]


@pytest.mark.parametrize(
    ("age_ns", "waited_ns", "stale"),
    [
        pytest.param(0, SECOND_NS, False, id="exactly-the-limit"),
        pytest.param(1, SECOND_NS, True, id="one-nanosecond-more"),
        pytest.param(5 * SECOND_NS, 0, True, id="old-when-sent"),
        pytest.param(0, 5 * SECOND_NS, True, id="waited-here"),
        pytest.param(-1, 0, True, id="negative-is-not-fresh"),
        pytest.param(-SECOND_NS, 2 * SECOND_NS, False, id="sum-counts"),
    ],
)
def test_age_is_judged_now(age_ns, waited_ns, stale):
    window = make_window(age_ns=age_ns, received_ns=0)
    found = findings(window, now_ns=waited_ns)

    assert [f.code for f in found] == (["STALE"] if stale else [])
    if stale:
        assert found[0].hold_reason is HoldReason.STALE_DATA


def test_the_worst_is_said_first():
    samples = make_samples()
    samples[0, 0] = math.nan
    window = make_window(samples=samples, age_ns=9 * SECOND_NS, present=present(2))

    assert codes(window) == ["NONFINITE", "STALE", "MISSING_CHANNEL"]
