"""How long the way to the coordinator and back is, as the node measures it."""

from ros_nodes.clock import SECOND_NS
from ros_nodes.round_trips import RoundTrips

MS = SECOND_NS // 1000


def test_before_the_first_answer_nothing_is_known() -> None:
    trips = RoundTrips()
    trips.sent(1, 0)

    assert trips.shortest_ns is None


def test_one_late_answer_says_nothing_four_do() -> None:
    trips = RoundTrips()
    shortest = []
    for seq, took_ms in enumerate([2, 900, 900, 900, 900], start=1):
        trips.sent(seq, seq * SECOND_NS)
        trips.answered(seq, seq * SECOND_NS + took_ms * MS)
        shortest.append(trips.shortest_ns)

    assert shortest == [2 * MS, 2 * MS, 2 * MS, 2 * MS, 900 * MS]


def test_an_answer_to_nothing_and_a_second_answer_are_none() -> None:
    trips = RoundTrips()
    trips.sent(1, 10 * MS)
    trips.answered(1, 15 * MS)
    trips.answered(1, 11 * MS)
    trips.answered(7, 11 * MS)

    assert trips.shortest_ns == 5 * MS
