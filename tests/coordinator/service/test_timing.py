"""How old a message is on arrival, by differences of two clocks that share no zero."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.clock import SECOND_NS
from coordinator.service.timing import Skew, Transit

MS = SECOND_NS // 1000
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ZERO_NS = 7 * 24 * 3600 * SECOND_NS
"""The coordinator was started a week before the node."""


def arrivals(*ways_ms: int, every_ms: int = 500, round_trip_ms: int = 0) -> list[int]:
    """Longest ways, in ms, of messages that were so long on theirs."""
    transit = Transit()
    transit.measured(round_trip_ms * MS)
    longest = []
    for number, way_ms in enumerate(ways_ms, start=1):
        sent_ns = number * every_ms * MS
        longest.append(transit.longest_ns(sent_ns, ZERO_NS + sent_ns + way_ms * MS))
    return [round(one / MS) for one in longest]


def test_a_message_is_as_much_older_as_it_comes_later_than_the_fastest() -> None:
    assert arrivals(1, 1, 4_001, 1, 801) == [0, 0, 4_000, 0, 800]


def test_a_way_that_is_always_long_shows_in_the_round_trip() -> None:
    assert arrivals(800, 800, 800, round_trip_ms=1_600) == [1_600] * 3


def test_a_message_that_does_not_say_when_it_left_is_not_judged() -> None:
    transit = Transit()
    transit.longest_ns(1, SECOND_NS)

    assert transit.longest_ns(0, 99 * SECOND_NS) == 0


@pytest.mark.parametrize("drift_ppm", [-500, 500])
def test_clocks_that_drift_apart_make_no_message_old(drift_ppm: int) -> None:
    transit = Transit()
    worst_ns = 0
    for second in range(3600):
        sent_ns = (second + 1) * SECOND_NS
        received_ns = ZERO_NS + sent_ns + sent_ns * drift_ppm // 1_000_000
        worst_ns = max(worst_ns, transit.longest_ns(sent_ns, received_ns))

    assert worst_ns <= 10 * MS + MS


@given(
    st.lists(st.integers(0, 3_000), min_size=1, max_size=60),
    st.integers(-(10**15), 10**15),
    st.integers(0, 100),
)
def test_no_message_is_taken_for_younger_than_it_is(ways_ms, offset_ns, least_ms):
    transit = Transit()
    # What the node measures: there and back, at the fastest.
    transit.measured(2 * least_ms * MS)
    fastest_ms = None
    for number, more_ms in enumerate(ways_ms, start=1):
        sent_ns = number * 250 * MS
        way_ms = least_ms + more_ms
        fastest_ms = way_ms if fastest_ms is None else min(fastest_ms, way_ms)
        longest_ns = transit.longest_ns(sent_ns, sent_ns + way_ms * MS + offset_ns)

        # Nothing can be known of what even the fastest message lost in buffers.
        assert longest_ns >= (way_ms - (fastest_ms - least_ms)) * MS


@pytest.mark.parametrize(
    ("ahead_s", "text"),
    [
        (3.0, "the node's wall clock is 3.0 s ahead of the coordinator's."),
        (-75.5, "the node's wall clock is 75.5 s behind the coordinator's."),
    ],
)
def test_a_wrong_clock_is_said_in_seconds_and_which_way(ahead_s, text) -> None:
    skew = Skew()
    skew.told((NOON + timedelta(seconds=ahead_s)).timestamp(), NOON)

    assert str(skew) == text


def test_a_wrong_clock_is_worth_one_warning_until_it_was_right_again() -> None:
    skew = Skew()
    warned = [
        skew.told((NOON + timedelta(seconds=ahead_s)).timestamp(), NOON)
        for ahead_s in [0.0, 5.0, 5.0, 5.0, 0.0, -5.0, -5.0]
    ]

    assert warned == [False, False, True, False, False, False, True]


def test_a_clock_that_jumps_under_one_heartbeat_is_not_wrong() -> None:
    skew = Skew()
    held = []
    for ahead_s in [0.0, 3600.0, 0.0, -3600.0, 0.0, 3600.0, 3600.0]:
        skew.told((NOON + timedelta(seconds=ahead_s)).timestamp(), NOON)
        held.append(skew.holds)

    assert held == [False] * 6 + [True]


@pytest.mark.parametrize("sent_s", [-(2.0**62), 2.0**62, math.nan])
def test_a_time_of_no_era_is_wrong(sent_s: float) -> None:
    skew = Skew()
    for _ in range(2):
        skew.told(sent_s, NOON)

    assert skew.holds
