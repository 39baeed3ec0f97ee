"""Stamps of any clock of this machine lie on the node's own, simulated time too."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.clock import SECOND_NS, ManualClock
from ros_nodes.node_time import Moment, NodeTime, SimTime

MS = SECOND_NS // 1000
NODE_NS, UTC_NS = 5_000 * SECOND_NS, 1_800_000_000 * SECOND_NS
NOW = Moment(NODE_NS, UTC_NS)


def spoken(*points: tuple[int, int]) -> SimTime:
    sim = SimTime()
    for sim_ns, node_ns in points:
        assert not sim.hear(sim_ns, node_ns)
    return sim


def test_before_the_clock_spoke_nothing_can_be_placed() -> None:
    assert SimTime().place(5) is None
    assert Moment(NODE_NS, UTC_NS, SimTime()).stamped(5) is None


@pytest.mark.parametrize("pace", [0.25, 1.0, 4.0])
def test_simulated_time_runs_at_its_own_pace(pace) -> None:
    sim = spoken(
        *((round(n * 10 * MS * pace), NODE_NS + n * 10 * MS) for n in range(200))
    )
    for after_ms in (100, 995, 1_500, 1_990, 2_100):
        placed = sim.place(round(after_ms * MS * pace))
        assert placed is not None
        assert abs(placed - (NODE_NS + after_ms * MS)) <= 4


@given(
    st.lists(
        st.tuples(st.integers(0, 80 * MS), st.integers(1, 80 * MS)),
        min_size=1,
        max_size=60,
    ),
    st.lists(st.integers(-SECOND_NS, 6 * SECOND_NS), min_size=2, max_size=8),
)
def test_later_stamps_are_never_placed_earlier(steps, stamps) -> None:
    sim, sim_ns, node_ns = SimTime(), 0, NODE_NS
    for sim_step, node_step in steps:
        sim_ns, node_ns = sim_ns + sim_step, node_ns + node_step
        sim.hear(sim_ns, node_ns)
    placed = [sim.place(stamp) for stamp in sorted(stamps)]

    assert all(a <= b for a, b in itertools.pairwise(placed))  # type: ignore[operator]


def test_while_it_stands_still_its_newest_moment_is_now() -> None:
    sim = spoken((0, 0), (100 * MS, 100 * MS), (100 * MS, 9_000 * MS))

    assert sim.place(100 * MS) == 9_000 * MS


def test_a_clock_that_jumps_back_begins_anew() -> None:
    sim = spoken((50 * SECOND_NS, NODE_NS), (51 * SECOND_NS, NODE_NS + SECOND_NS))

    assert sim.hear(0, NODE_NS + 2 * SECOND_NS)
    assert sim.place(SECOND_NS) == NODE_NS + 3 * SECOND_NS


def test_a_clock_that_was_overtaken_by_itself_does_not_jump() -> None:
    sim = spoken((50 * SECOND_NS, NODE_NS))

    assert not sim.hear(50 * SECOND_NS - 10 * MS, NODE_NS + MS)
    assert sim.now_ns == 50 * SECOND_NS


def test_it_remembers_only_the_last_seconds() -> None:
    sim = spoken(*((n * 100 * MS, n * 100 * MS) for n in range(5_000)))

    assert len(sim._sim) <= 256
    assert sim.place(499_950 * MS) == 499_950 * MS


@given(st.integers(-3_000 * MS, 0), st.booleans())
def test_a_stamp_of_either_clock_of_the_machine_is_known_by_its_value(
    age_ns, utc
) -> None:
    said = (UTC_NS if utc else NODE_NS) + age_ns

    assert NOW.stamped(said) == NODE_NS + age_ns


@pytest.mark.parametrize(
    ("facts", "age_ms"),
    [
        pytest.param({}, 0, id="nothing-is-known"),
        pytest.param({"received_timestamp": UTC_NS - 3 * MS}, 3, id="received"),
        pytest.param(
            {
                "received_timestamp": UTC_NS - 3 * MS,
                "source_timestamp": UTC_NS - 7 * MS,
            },
            7,
            id="sent",
        ),
        pytest.param(
            {
                "received_timestamp": UTC_NS - 3 * MS,
                "source_timestamp": UTC_NS + 900 * MS,
            },
            3,
            id="sent-by-a-clock-that-is-ahead",
        ),
        pytest.param({"received_timestamp": 17}, 0, id="received-by-no-clock"),
        pytest.param(
            {"source_timestamp": 0, "received_timestamp": 0}, 0, id="unsupported"
        ),
    ],
)
def test_a_message_without_a_stamp_has_that_of_the_middleware(facts, age_ms) -> None:
    assert NOW.sent(facts) == NODE_NS - age_ms * MS


def test_a_program_may_stamp_by_any_clock_there_is() -> None:
    sim = spoken((40 * SECOND_NS, NODE_NS))
    now = Moment(NODE_NS, UTC_NS, sim)

    placed = [now.said(stamp - 20 * MS) for stamp in (40 * SECOND_NS, NODE_NS, UTC_NS)]

    assert placed == [NODE_NS - 20 * MS] * 3


def test_only_a_node_on_simulated_time_hears_the_clock() -> None:
    clock = ManualClock()
    real, simulated = NodeTime(clock), NodeTime(clock, simulated=True)

    for time in (real, simulated):
        assert not time.hear(7 * SECOND_NS, {})
        clock.advance(1.0)
        time.hear(0, {})

    assert real.now().sim is None
    placed = simulated.now().stamped(0)
    assert placed == clock.monotonic_ns()
