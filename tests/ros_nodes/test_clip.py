"""The ring of full-rate messages: never over its bounds, and spans that are whole."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.clip import (
    HEADROOM_NS,
    LATE_NS,
    MOST_DUE,
    MOST_KEPT,
    OVERHEAD_BYTES,
    Clips,
    ClipSource,
    Kept,
    Ring,
    Wanted,
)
from ros_nodes.clock import SECOND_NS, ManualClock
from ros_nodes.config import read_cell
from ros_nodes.windowing import Span
from tests.ros_nodes.node_builders import TEMPLATE

SOURCE = ClipSource(
    cell_id="press-1",
    software="andon test",
    topics={
        "joints": ("/press_1/joint_states", "sensor_msgs/msg/JointState"),
        "steps": ("/press_1/steps", "std_msgs/msg/String"),
    },
    channels={"elbow": "/press_1/joint_states:effort:elbow N*m"},
    before_ns=3 * SECOND_NS,
    after_ns=SECOND_NS,
    maximum_bytes=1_000_000,
)

arrivals = st.lists(
    st.tuples(
        st.sampled_from(["joints", "wrench", "steps"]),
        st.integers(0, 40),  # time since the message before
        st.integers(-60, 60),  # stamp minus arrival
        st.integers(0, 300),  # size
    ),
    max_size=60,
)


@given(arrivals, st.integers(1, 400), st.integers(100, 4000))
def test_a_ring_is_never_over_its_bounds(messages, reach_ns, maximum_bytes) -> None:
    ring, all_of_it, now_ns = (
        Ring(reach_ns=reach_ns, maximum_bytes=maximum_bytes),
        [],
        0,
    )
    for topic, passed_ns, skew_ns, size in messages:
        now_ns += passed_ns
        kept = Kept(topic, now_ns + skew_ns, now_ns, bytes(size))
        all_of_it.append(kept)
        ring.append(kept)

        held = ring.span(Span(-(10**9), 10**9))
        assert ring.bytes == sum(OVERHEAD_BYTES + len(k.message) for k in held)
        assert ring.bytes <= maximum_bytes
        assert all(k.heard_ns >= now_ns - reach_ns for k in held)
        # Oldest lost first: what is left is the end of what came.
        assert list(held) == all_of_it[len(all_of_it) - len(held) :]


@given(arrivals, st.integers(1, 400), st.integers(100, 4000), st.integers(0, 900))
def test_a_span_is_whole_or_says_that_it_is_not(
    messages, reach_ns, maximum_bytes, begin_ns
) -> None:
    ring, all_of_it, now_ns = (
        Ring(reach_ns=reach_ns, maximum_bytes=maximum_bytes),
        [],
        0,
    )
    for topic, passed_ns, _, size in messages:
        now_ns += passed_ns
        all_of_it.append(Kept(topic, now_ns, now_ns, bytes(size)))
        ring.append(all_of_it[-1])

    span = Span(begin_ns, begin_ns + 300)
    expected = [k for k in all_of_it if span.begin_ns <= k.stamp_ns <= span.end_ns]
    found = list(ring.span(span))

    assert found == expected[len(expected) - len(found) :]
    if ring.whole_since_ns is not None and ring.whole_since_ns <= span.begin_ns:
        assert found == expected


@given(arrivals, st.integers(0, 60))
def test_what_was_cut_stays_as_it_was_while_the_ring_goes_on(messages, half) -> None:
    clock, lost = ManualClock(), Counter[str]()
    clips = Clips(SOURCE, clock, lost)
    clips.remember("w-1", Span(clock.monotonic_ns(), clock.monotonic_ns() + SECOND_NS))
    clips.want(Wanted("r-1", "w-1"))
    for _, passed_ns, _, size in messages[:half]:
        clock.advance(passed_ns / 10)
        clips.keep("joints", bytes(size))
    clock.advance(3.0)
    (cut,) = clips.tick(clock.monotonic_ns())
    before = list(cut.messages)
    for _, passed_ns, _, size in messages[half:]:
        clock.advance(passed_ns)
        clips.keep("joints", bytes(size))

    assert list(cut.messages) == before
    assert all(cut.span.begin_ns <= k.stamp_ns <= cut.span.end_ns for k in cut.messages)


def _felt(clips: Clips, clock: ManualClock, seconds: float, hz: int = 100) -> None:
    for _ in range(round(seconds * hz)):
        clock.advance(1 / hz)
        clips.keep("joints", b"x" * 100)


def test_a_clip_is_cut_when_the_time_after_it_has_passed() -> None:
    clock, lost = ManualClock(), Counter[str]()
    clips = Clips(SOURCE, clock, lost)
    _felt(clips, clock, 6.0)
    end_ns = clock.monotonic_ns()
    clips.remember("w-1", Span(end_ns - 2 * SECOND_NS, end_ns))

    assert clips.want(Wanted("r-1", "w-1"))
    _felt(clips, clock, 1.0)
    assert clips.tick(clock.monotonic_ns()) == ()
    clock.advance(LATE_NS / SECOND_NS)
    (cut,) = clips.tick(clock.monotonic_ns())

    assert cut.span == Span(end_ns - 3 * SECOND_NS, end_ns + SECOND_NS)
    assert cut.window == Span(end_ns - 2 * SECOND_NS, end_ns)
    assert cut.whole
    assert len(cut.messages) == 401
    assert clips.tick(clock.monotonic_ns()) == ()


def test_asking_twice_about_one_window_cuts_one_clip() -> None:
    clock = ManualClock()
    clips = Clips(SOURCE, clock, Counter())
    clips.remember("w-1", Span(0, clock.monotonic_ns()))

    assert clips.want(Wanted("r-1", "w-1"))
    assert not clips.want(Wanted("r-2", "w-1"))
    clock.advance(2.0)
    assert len(clips.tick(clock.monotonic_ns())) == 1
    assert not clips.want(Wanted("r-1", "w-1"))


def test_a_window_of_another_node_is_counted_and_left_alone() -> None:
    lost = Counter[str]()

    assert not Clips(SOURCE, ManualClock(), lost).want(Wanted("r-1", "w-1"))
    assert lost == {"clip_unknown_window": 1}


def test_a_node_that_began_lately_says_that_its_clip_is_not_whole() -> None:
    clock = ManualClock()
    clips = Clips(SOURCE, clock, Counter())
    _felt(clips, clock, 1.0)
    clips.remember("w-1", Span(0, clock.monotonic_ns()))
    clips.want(Wanted("r-1", "w-1"))
    _felt(clips, clock, 1.5)

    (cut,) = clips.tick(clock.monotonic_ns())

    assert not cut.whole
    assert len(cut.messages) == 200


def test_the_coordinator_may_ask_for_less_and_for_no_more_than_there_is() -> None:
    clock = ManualClock()
    clips = Clips(SOURCE, clock, Counter())
    end_ns = clock.monotonic_ns()
    clips.remember("w-1", Span(end_ns, end_ns))
    clips.want(Wanted("r-1", "w-1", before_ns=SECOND_NS, after_ns=SECOND_NS // 2))
    clips.remember("w-2", Span(end_ns, end_ns))
    clips.want(Wanted("r-2", "w-2", before_ns=10**15, after_ns=1))
    clock.advance(2.0)

    small, large = clips.tick(clock.monotonic_ns())

    assert small.span == Span(end_ns - SECOND_NS, end_ns + SECOND_NS // 2)
    assert large.span.begin_ns == end_ns - 4 * SECOND_NS - HEADROOM_NS


def test_a_stamp_of_another_clock_counts_as_now() -> None:
    clock = ManualClock()
    clips = Clips(SOURCE, clock, Counter())
    now_ns = clock.monotonic_ns()
    clips.keep("joints", b"near", now_ns - SECOND_NS)
    clips.keep("joints", b"far", now_ns - 10**15)
    clips.keep("joints", b"none")

    found = clips.ring.span(Span(0, 10**18))

    assert [k.stamp_ns - now_ns for k in found] == [-SECOND_NS, 0, 0]


def test_losses_are_counted_by_name() -> None:
    clock, lost = ManualClock(), Counter[str]()
    clips = Clips(SOURCE, clock, lost)
    clips.keep("odd", b"")
    clips.keep("joints", b"x" * 600_000)
    clips.keep("joints", b"y" * 600_000)
    clips.keep("joints", b"z" * 2_000_000)

    assert lost == {"clip_unknown_topic": 1, "clip_overrun": 3}
    assert len(clips.ring) == 0


def test_clips_that_nobody_fetches_do_not_pile_up() -> None:
    clock, lost = ManualClock(), Counter[str]()
    clips = Clips(SOURCE, clock, lost)
    for n in range(MOST_KEPT + 2):
        clips.remember(f"w-{n}", Span(0, clock.monotonic_ns()))
        clips.want(Wanted(f"r-{n}", f"w-{n}"))
        clock.advance(2.0)
        clips.tick(clock.monotonic_ns())

    assert lost == {"clip_lost": 2}


def test_more_questions_than_anybody_asks_do_not_pile_up_either() -> None:
    clock, lost = ManualClock(), Counter[str]()
    clips = Clips(SOURCE, clock, lost)
    for n in range(MOST_DUE + 3):
        clips.remember(f"w-{n}", Span(0, clock.monotonic_ns()))
        clips.want(Wanted(f"r-{n}", f"w-{n}"))

    assert lost == {"clip_lost": 3}


async def test_the_upload_waits_for_the_oldest_cut() -> None:
    clock = ManualClock()
    clips = Clips(SOURCE, clock, Counter())
    waiting = asyncio.create_task(clips.next())
    await asyncio.sleep(0)
    for n in (1, 2):
        clips.remember(f"w-{n}", Span(0, clock.monotonic_ns()))
        clips.want(Wanted(f"r-{n}", f"w-{n}"))
    clock.advance(2.0)
    clips.tick(clock.monotonic_ns())

    assert (await waiting).wanted.request_id == "r-1"
    assert (await clips.next()).wanted.request_id == "r-2"


def test_the_configuration_says_what_is_kept() -> None:
    source = ClipSource.of(read_cell(TEMPLATE, "press-1"), "andon test")

    assert source.before_ns == 10 * SECOND_NS
    assert source.after_ns == 2 * SECOND_NS
    assert source.maximum_bytes == 64_000_000
    assert source.channels["force_z"] == "/press_1/wrench:force:z N"
    assert len(source.channels) == 24
    assert source.topics == {
        "joints": ("/press_1/joint_states", "sensor_msgs/msg/JointState"),
        "wrench": ("/press_1/wrench", "geometry_msgs/msg/WrenchStamped"),
        "steps": ("/press_1/steps", "std_msgs/msg/String"),
    }


@pytest.mark.parametrize(
    ("said", "full"), [("/other/js", "/other/js"), ("js", "/press_1/js")]
)
def test_topics_are_named_in_full(tmp_path, said: str, full: str) -> None:
    text = TEMPLATE.read_text(encoding="utf-8").replace(
        'name = "joint_states"', f'name = "{said}"'
    )
    (tmp_path / "andon.toml").write_text(text, encoding="utf-8")

    source = ClipSource.of(read_cell(tmp_path / "andon.toml", "press-1"), "andon test")

    assert source.topics["joints"][0] == full
