"""A recording of messages is a robot: it works in cycles and stands between them."""

import json

import pytest

from ros_nodes.bags.body import BagBody, BagCycle, Cuts, read_cycles
from ros_nodes.bags.stamps import stamp_ns
from ros_nodes.bags.terms import RecordingRefusedError
from ros_nodes.clock import SECOND_NS
from ros_nodes.recording import USUAL_PERIOD_S
from ros_nodes.simulated_robot import RawSample
from ros_nodes.talk import step_text
from ros_nodes.terms import StepEvent, StepMoment
from tests.ros_nodes.bags.bag_builders import (
    BEGIN_NS,
    FORCES,
    JOINTS,
    STATES,
    TEXT,
    HeldBag,
    Line,
    joints,
    robot_lines,
    text,
)

MS = 1_000_000


def step(moment: StepMoment, at_ms: int, part: str = "s-1") -> Line:
    event = StepEvent(moment, 3, part, "insert", 99, "p-1")
    return ("/press_1/steps", TEXT, text(step_text(event)), at_ms * MS)


def cycles(lines, cuts: Cuts, **part) -> tuple[BagCycle, ...]:
    return read_cycles(HeldBag(lines), [STATES, FORCES], cuts, **part)


def test_each_step_of_the_recording_is_a_cycle_with_its_part() -> None:
    lines = [
        *robot_lines(100),
        step(StepMoment.BEGIN, 100),
        step(StepMoment.END, 300),
        step(StepMoment.BEGIN, 500, "s-2"),
        step(StepMoment.END, 600, "s-2"),
        step(StepMoment.BEGIN, 900, "never ended"),
    ]

    first, second = cycles(lines, Cuts("/press_1/steps"))

    assert (first.part_id, second.part_id) == ("s-1", "s-2")
    assert [m.log_ns - BEGIN_NS for m in first.messages[:2]] == [100 * MS, 105 * MS]
    assert len(first.messages) == 41  # both ends are inside
    assert {m.topic for m in first.messages} == {STATES, FORCES}


def test_words_that_nobody_understands_cut_nothing() -> None:
    lines = [
        *robot_lines(50),
        ("/press_1/steps", TEXT, b"\x00", 1),
        ("/press_1/steps", TEXT, text(json.dumps({"event": "dance"})), 2),
        step(StepMoment.END, 100),
    ]

    with pytest.raises(RecordingRefusedError, match="no whole cycle"):
        cycles(lines, Cuts("/press_1/steps"))


def test_without_steps_it_is_cut_into_equal_pieces_and_the_rest_is_left() -> None:
    pieces = cycles(robot_lines(100), Cuts(cycle_s=0.3))

    assert [piece.part_id for piece in pieces] == ["part-0", "part-1", "part-2"]
    assert [len(piece.messages) for piece in pieces] == [60, 60, 60]


def test_without_a_length_it_is_one_cycle() -> None:
    (only,) = cycles(robot_lines(100), Cuts())

    assert len(only.messages) == 200


def test_a_part_of_the_recording_may_be_taken() -> None:
    (only,) = cycles(
        robot_lines(100),
        Cuts(),
        from_ns=BEGIN_NS + 500 * MS,
        until_ns=BEGIN_NS + 600 * MS,
    )

    assert len(only.messages) == 20


def test_a_recording_that_does_not_fit_into_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ros_nodes.bags.body.LARGEST_BYTES", 1_000)

    with pytest.raises(RecordingRefusedError, match="too large"):
        cycles(robot_lines(100), Cuts())


def said(sample: RawSample, stamp: int = 5 * SECOND_NS) -> dict[str, bytes]:
    return {say.topic: bytes(say.content) for say in sample.said(stamp)}  # type: ignore[arg-type]


def make_body(count: int = 3) -> BagBody:
    return BagBody(cycles(robot_lines(count), Cuts()), [STATES, FORCES])


def test_messages_are_said_one_by_one_with_the_stamp_of_their_moment() -> None:
    body = make_body()
    body.begin_cycle(0)

    topics, periods, stamps = [], [], []
    while (sample := body.advance()) is not None:
        ((topic, message),) = said(sample).items()
        topics.append(topic)
        periods.append(body.period_s)
        stamps.append(stamp_ns(message))

    assert topics == [STATES, FORCES] * 3
    assert periods == [*([pytest.approx(0.005)] * 5), USUAL_PERIOD_S]
    assert set(stamps) == {5 * SECOND_NS}


def test_a_robot_that_stands_says_the_newest_of_every_topic() -> None:
    body = make_body()
    first = said(body.idle())
    body.begin_cycle(0)
    body.advance()
    body.advance()
    body.advance()

    assert set(first) == {STATES, FORCES}
    assert said(body.idle())[STATES] == said(body.idle(), 5 * SECOND_NS)[STATES]
    assert said(body.idle())[STATES] != first[STATES]
    assert said(body.idle())[FORCES] == first[FORCES]


def test_paused_it_stands_and_then_goes_on() -> None:
    body = make_body()
    body.begin_cycle(0)
    body.advance()
    body.pause()

    standing = body.advance()
    body.resume()
    sample = body.advance()

    assert standing is not None
    assert set(said(standing)) == {STATES, FORCES}
    assert sample is not None
    assert set(said(sample)) == {FORCES}


def test_a_topic_without_stamps_is_said_as_it_was() -> None:
    line = (STATES, JOINTS, joints(0), 0)
    body = BagBody(cycles([line], Cuts()), [])
    body.begin_cycle(0)
    sample = body.advance()

    assert sample is not None
    assert said(sample) == {STATES: joints(0)}


def test_after_the_last_cycle_it_begins_anew() -> None:
    body = BagBody(cycles(robot_lines(100), Cuts(cycle_s=0.4)), [])

    parts = [body.begin_cycle(n).part_id for n in range(3)]

    assert parts == ["part-0", "part-1", "part-0"]
