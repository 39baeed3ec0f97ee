"""A simulated robot works under a permit of its own for each cycle, or stands."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_nodes.clock import SECOND_NS, ManualClock
from ros_nodes.recording import RecordedTruth
from ros_nodes.simulated_robot import Pace, Records, Say, SimulatedRobot
from ros_nodes.talk import read_step
from ros_nodes.terms import StepMoment
from ros_nodes.trace import Trace
from tests.ros_nodes.messages import stamp_of


@dataclass
class Still:
    position: np.ndarray = field(default_factory=lambda: np.zeros(1))
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(1))
    effort: np.ndarray = field(default_factory=lambda: np.zeros(1))
    wrench: np.ndarray = field(default_factory=lambda: np.zeros(6))
    joints_sent: bool = True
    wrench_sent: bool = True


class Dummy:
    """A body of ten samples a cycle; stands for the twin."""

    period_s = 0.02

    def __init__(self) -> None:
        self.left = 0
        self.paused = False
        self.silent = False

    def begin_cycle(self, cycle: int) -> RecordedTruth:
        self.left = 10
        return RecordedTruth(f"part-{cycle}", label="ok")

    def advance(self) -> Still | None:
        if self.paused:
            return Still()
        if self.left == 0:
            return None
        self.left -= 1
        return Still(joints_sent=not self.silent)

    def idle(self) -> Still:
        return Still()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Rig:
    def __init__(self, folder: Path, **pace: Any):
        self.clock = ManualClock()
        self.body = Dummy()
        self.folder = folder
        self.records = Records(
            Trace(folder / "truth.jsonl", self.clock),
            Trace(folder / "motions.jsonl", self.clock),
        )
        self.robot = SimulatedRobot(
            "press-1",
            ("elbow",),
            self.body,
            Pace(**pace),
            clock=self.clock,
            records=self.records,
        )
        self.said: list[Say] = []

    def live(self, seconds: float) -> "Rig":
        for _ in range(round(seconds / 0.02)):
            self.clock.advance(0.02)
            self.said += self.robot.tick()
        return self

    def leave(self, permit_id: str, *, within_s: float = 1.0, action="continue"):
        self.robot.hear_leave(
            json.dumps(
                {
                    "permit_id": permit_id,
                    "purpose": "next_step",
                    "action": action,
                    "cycle": 0,
                    "start_by_ns": self.clock.monotonic_ns()
                    + round(within_s * SECOND_NS),
                }
            )
        )
        return self

    @property
    def steps(self):
        return [read_step(str(s.content)) for s in self.said if s.topic == "steps"]

    def lines(self, name: str) -> list[dict[str, object]]:
        text = (self.folder / f"{name}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(**facts) -> Rig:
        made.append(Rig(tmp_path, **facts))
        return made[-1]

    yield make
    for rig in made:
        rig.records.truth.close()
        rig.records.motions.close()


def test_without_leave_it_stands_and_publishes(make_rig) -> None:
    rig = make_rig().live(1.0)

    assert rig.steps == []
    assert [s.topic for s in rig.said[:2]] == ["joints", "wrench"]


def test_one_leave_is_one_cycle(make_rig) -> None:
    rig = make_rig().leave("p-1").live(1.0)

    assert [(s.moment, s.permit_id) for s in rig.steps] == [
        (StepMoment.BEGIN, "p-1"),
        (StepMoment.END, "p-1"),
    ]


def test_the_truth_is_written_before_the_cycle_ends(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.1)

    assert [s.moment for s in rig.steps] == [StepMoment.BEGIN]
    [truth] = rig.lines("truth")
    assert truth["cell"] == "press-1"
    assert (truth["cycle"], truth["part_id"], truth["label"]) == (0, "part-0", "ok")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda rig: rig.leave("p-1", within_s=-0.1), id="too-late"),
        pytest.param(lambda rig: rig.leave("p-1", action="stop"), id="stop"),
        pytest.param(lambda rig: rig.robot.hear_leave("{"), id="no-json"),
    ],
)
def test_leave_that_is_worth_nothing_moves_nothing(make_rig, spoil) -> None:
    rig = make_rig()
    spoil(rig)
    rig.live(1.0)

    assert rig.steps == []
    assert rig.lines("motions")[0]["event"] == "leave_refused"


def test_the_same_leave_twice_is_one_cycle(make_rig) -> None:
    rig = make_rig().leave("p-1").live(1.0).leave("p-1").live(1.0)

    assert len(rig.steps) == 2


def test_rework_is_another_cycle_with_the_same_part(make_rig) -> None:
    rig = make_rig().leave("p-1").live(1.0)
    rig.leave("p-2", action="rework").live(1.0).leave("p-3").live(1.0)

    begun = [s for s in rig.steps if s.moment is StepMoment.BEGIN]
    assert [(s.cycle, s.part_id) for s in begun] == [
        (0, "part-0"),
        (1, "part-0"),
        (2, "part-2"),
    ]


def test_after_its_last_cycle_it_stays_where_it_is(make_rig) -> None:
    rig = make_rig(cycles=1).leave("p-1").live(1.0).leave("p-2").live(1.0)

    assert rig.robot.done
    assert len(rig.steps) == 2


def test_a_hold_stops_it_within_the_cycle_and_a_resume_goes_on(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.1)
    rig.said += rig.robot.hold()
    rig.live(5.0)
    assert len(rig.steps) == 1

    rig.robot.resume()
    rig.live(1.0)

    assert [s.moment for s in rig.steps] == [StepMoment.BEGIN, StepMoment.END]
    events = [line["event"] for line in rig.lines("motions")]
    assert events == ["begin", "pause", "stands", "resume", "end"]


def test_held_between_cycles_it_takes_no_leave(make_rig) -> None:
    rig = make_rig().live(0.1)
    rig.said += rig.robot.hold()
    rig.leave("p-1").live(1.0)

    assert rig.steps == []


def test_a_hold_takes_back_leave_that_was_not_begun(make_rig) -> None:
    rig = make_rig().live(0.1).leave("p-1")
    rig.said += rig.robot.hold()
    rig.robot.resume()
    rig.live(1.0)

    assert rig.steps == []


def test_a_safety_stop_ends_the_step_and_the_program(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.1)
    rig.said += rig.robot.safety_stop()
    rig.robot.resume()
    rig.leave("p-2").live(5.0)

    assert rig.robot.ended
    assert [s.moment for s in rig.steps] == [StepMoment.BEGIN]
    refused = rig.lines("motions")[-1]
    assert refused["text"] == "its program does not run"


def test_a_program_that_people_start_anew_waits_for_leave(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.1)
    rig.said += rig.robot.hold()
    rig.said += rig.robot.safety_stop()
    rig.robot.start_anew()
    rig.live(1.0)
    assert len(rig.steps) == 1
    rig.leave("p-2").live(2.0)

    assert [s.cycle for s in rig.steps] == [0, 1, 1]


def test_a_steady_robot_sends_as_much_while_it_stands(make_rig) -> None:
    rig = make_rig(steady=True)
    rig.body.period_s = 0.002
    rig.live(1.0)
    said = [s for s in rig.said if s.topic == "joints"]

    assert len(said) == pytest.approx(1.0 / rig.body.period_s, abs=2)


@pytest.mark.parametrize("time_factor", [1.0, 5.0])
def test_samples_are_spaced_by_the_time_factor(make_rig, time_factor) -> None:
    rig = make_rig(time_factor=time_factor).leave("p-1").live(1.0)
    begin, end = rig.steps

    stamps = [stamp_of(s.content) for s in rig.said if s.topic == "joints"]
    within = [s for s in stamps if begin.stamp_ns <= s <= end.stamp_ns]

    assert len(within) == 10
    assert set(np.diff(within)) == {round(0.02 * SECOND_NS / time_factor)}
    assert all(np.diff(stamps) > 0)


def test_a_robot_that_lags_a_little_catches_up_without_a_gap(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.06)
    rig.clock.advance(3.0)
    rig.live(0.1)

    begin, end = rig.steps
    stamps = [stamp_of(s.content) for s in rig.said if s.topic == "joints"]
    within = [s for s in stamps if begin.stamp_ns <= s <= end.stamp_ns]
    assert set(np.diff(within)) == {round(0.02 * SECOND_NS)}
    assert len(within) == 10


def test_a_robot_that_lags_for_long_leaves_a_gap_instead_of_rushing(make_rig) -> None:
    rig = make_rig().leave("p-1").live(0.06)
    rig.clock.advance(30.0)
    before = len(rig.said)

    rig.said += rig.robot.tick()

    assert len(rig.said) - before <= 4
    assert rig.lines("motions")[-1]["event"] == "lag"


def test_a_silent_driver_publishes_nothing(make_rig) -> None:
    rig = make_rig()
    rig.body.silent = True
    rig.leave("p-1").live(0.1)

    topics = [s.topic for s in rig.said if s.topic != "steps"]
    assert set(topics) == {"wrench"}
