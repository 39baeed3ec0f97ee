"""From serialised messages to windows: stamps, missing joints, broken sensors."""

import numpy as np
import pytest

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS, ManualClock, on_monotonic_clock
from ros_nodes.config import ChannelSpec, RosNames, Source, TopicSpec
from ros_nodes.evidence import Evidence, WindowKind, Work
from ros_nodes.window_bytes import window_digest
from ros_nodes.windowing import Span
from tests.ros_nodes.messages import (
    JOINTS,
    write_bool,
    write_float64,
    write_temperature,
)
from tests.ros_nodes.node_builders import make_config

MS = SECOND_NS // 1000


class Sensors:
    """A publisher of both topics on the clock of the test."""

    def __init__(self, names=("elbow", "gripper")) -> None:
        self.clock = ManualClock()
        self.evidence = Evidence(make_config(), self.clock)
        self.writer = JointWriter(names)

    def publish(self, *, elbow=1.0, effort=2.0, force=3.0, stamp_ns=None):
        self.clock.advance(0.001)
        stamp_ns = self.clock.monotonic_ns() if stamp_ns is None else stamp_ns
        joints = self.writer.write(stamp_ns, [elbow, 9.0], [], [effort, 9.0])
        wrench = write_wrench(stamp_ns, [0, 0, force, 0, 0, 0])
        self.evidence.take("joints", [(joints, {})])
        self.evidence.take("wrench", [(wrench, {})])
        return stamp_ns

    def cut(self, span: Span):
        work = Work(WindowKind.DECISION, 3, "insert", "part-3", span)
        return self.evidence.cut(work)


def test_channels_are_filled_from_their_sources() -> None:
    sensors = Sensors()
    begin = sensors.publish()
    end = [sensors.publish() for _ in range(20)][-1]

    window = sensors.cut(Span(begin, end))

    assert window.samples.tolist() == [[1.0, 2.0, 3.0]] * 8
    assert window.present.all()
    assert window.gap_rows == 0
    assert window.digest == window_digest(
        make_config().schema_digest, window.samples, window.present
    )


def test_a_joint_that_the_driver_does_not_know_is_absent() -> None:
    sensors = Sensors(names=("wrist", "gripper"))
    begin = sensors.publish()
    end = sensors.publish()

    window = sensors.cut(Span(begin, end))

    assert window.present.tolist() == [False, False, True]
    assert not window.samples[:, 0].any()


def test_joints_are_found_by_name_not_by_place() -> None:
    sensors = Sensors(names=("gripper", "elbow"))
    begin = sensors.publish()
    end = sensors.publish()

    window = sensors.cut(Span(begin, end))

    assert window.samples[0].tolist() == [9.0, 9.0, 3.0]


def test_system_time_is_placed_on_the_monotonic_clock() -> None:
    sensors = Sensors()
    begin = sensors.publish()
    for _ in range(20):
        sensors.publish(stamp_ns=sensors.clock.utc_ns() + MS)
    end = sensors.clock.monotonic_ns()

    window = sensors.cut(Span(begin, end))

    assert window.gap_rows == 0
    assert sensors.evidence.heard_until_ns == end


def test_a_jump_of_the_wall_clock_moves_no_age() -> None:
    clock = ManualClock()
    now_ns, before_ns = clock.monotonic_ns(), clock.utc_ns()
    after_ns = before_ns + 3600 * SECOND_NS

    before = on_monotonic_clock(before_ns, monotonic_ns=now_ns, utc_ns=before_ns)
    after = on_monotonic_clock(after_ns, monotonic_ns=now_ns, utc_ns=after_ns)

    assert before == after == now_ns


@pytest.mark.parametrize("stamp_ns", [0, 5, 2**60])
def test_a_stamp_of_no_clock_of_this_machine_is_left_out(stamp_ns) -> None:
    sensors = Sensors()

    sensors.publish(stamp_ns=stamp_ns)

    assert sensors.evidence.heard_until_ns is None
    assert sensors.evidence.dropped["foreign_stamp"] == 2


def test_malformed_messages_are_counted() -> None:
    sensors = Sensors()

    sensors.evidence.take("joints", [(b"\x00\x01nonsense", {})])
    sensors.evidence.take("wrench", [(b"", {})])

    assert sensors.evidence.dropped == {"malformed_joints": 1, "malformed_wrench": 1}


def test_positions_that_are_old_say_nothing() -> None:
    sensors = Sensors()
    sensors.publish(elbow=0.5)

    now = sensors.evidence.positions(maximum_age_ns=100 * MS)
    sensors.clock.advance(0.2)
    later = sensors.evidence.positions(maximum_age_ns=100 * MS)

    assert now == (0.5, 9.0)
    assert later is None


def test_a_nan_of_a_sensor_reaches_the_window() -> None:
    sensors = Sensors()
    begin = sensors.publish()
    sensors.publish(force=float("nan"))
    end = sensors.publish()

    window = sensors.cut(Span(begin, end))

    assert np.isnan(window.samples[:, 2]).any()
    assert window.present.all()


# --------------------------------------------------------------------- other topics

TOPICS = {
    "joints": TopicSpec("joints", "joint_states", JOINTS, rate_hz=500.0),
    "scaling": TopicSpec("scaling", "scaling", "std_msgs/msg/Float64", rate_hz=100.0),
    "temp": TopicSpec("temp", "temp", "sensor_msgs/msg/Temperature", rate_hz=1.0),
    "runs": TopicSpec("runs", "runs", "std_msgs/msg/Bool", latched=True),
}


class Mixed:
    """A cell with joints, a speed scaling, a temperature and a latched state."""

    def __init__(self, *, use_sim_time: bool = False) -> None:
        channels = (
            ChannelSpec("elbow", "rad", Source("joints", "position", "elbow")),
            ChannelSpec("finger", "m", Source("joints", "position", "finger")),
            ChannelSpec("speed", "1", Source("scaling", "data", "value"), "ask"),
            ChannelSpec(
                "heat", "K", Source("temp", "temperature", "value"), "tolerate"
            ),
            ChannelSpec("runs", "1", Source("runs", "data", "value"), "ask"),
        )
        self.config = make_config(
            channels=channels, ros=RosNames(topics=TOPICS, use_sim_time=use_sim_time)
        )
        self.clock = ManualClock()
        self.evidence = Evidence(self.config, self.clock)
        self.arm, self.hand = JointWriter(["elbow"]), JointWriter(["finger"])

    def facts(self, age_ns: int = 0) -> dict[str, int]:
        sent_ns = self.clock.utc_ns() - age_ns
        return {"source_timestamp": sent_ns, "received_timestamp": sent_ns}

    def work(self, seconds: float, *, heat: bool = True) -> Span:
        """Live for a while at the rates of a real robot; return the span of it."""
        begin_ns = self.clock.monotonic_ns()
        for tick in range(round(seconds * 500)):
            self.clock.advance(0.002)
            now_ns = self.clock.monotonic_ns()
            arm = self.arm.write(now_ns, [1.0], [], [])
            self.evidence.take("joints", [(arm, {})])
            if tick % 5 == 0:
                hand = self.hand.write(now_ns, [2.0], [], [])
                self.evidence.take("joints", [(hand, {})])
                self.evidence.take("scaling", [(write_float64(0.9), self.facts())])
            if heat and tick % 500 == 250:
                self.evidence.take("temp", [(write_temperature(now_ns, 300.0), {})])
        return Span(begin_ns + 2 * MS, self.clock.monotonic_ns())

    def cut(self, span: Span):
        work = Work(WindowKind.DECISION, 3, "insert", "part-3", span)
        return self.evidence.cut(work)


def test_topics_of_very_different_rates_become_one_window() -> None:
    cell = Mixed()
    cell.evidence.take("runs", [(write_bool(value=True), cell.facts(3600 * SECOND_NS))])
    cell.work(1.0)

    window = cell.cut(cell.work(0.4, heat=False))

    np.testing.assert_allclose(window.samples, [[1.0, 2.0, 0.9, 300.0, 1.0]] * 8)
    assert window.present.all()
    assert window.gap_rows == 0
    assert cell.evidence.dropped == {}


def test_what_speaks_seldom_is_absent_once_it_is_too_old() -> None:
    cell = Mixed()
    cell.work(1.0)
    cell.work(3.0, heat=False)

    window = cell.cut(cell.work(0.4, heat=False))

    assert window.present.tolist() == [True, True, True, False, False]
    assert window.gap_rows == 0


def test_nobody_waits_for_what_speaks_seldom_or_is_not_required() -> None:
    cell = Mixed()
    span = cell.work(0.1, heat=False)

    assert cell.evidence.heard_until_ns == span.end_ns
    assert [cell.evidence.requires(key) for key in TOPICS] == [
        True,
        False,
        False,
        False,
    ]


def test_two_drivers_on_one_topic_together_say_where_the_robot_stands() -> None:
    cell = Mixed()
    cell.work(0.1)
    both = cell.evidence.positions(maximum_age_ns=100 * MS)
    for _ in range(60):
        cell.clock.advance(0.002)
        arm = cell.arm.write(cell.clock.monotonic_ns(), [1.0], [], [])
        cell.evidence.take("joints", [(arm, {})])
    silent = cell.evidence.positions(maximum_age_ns=100 * MS)

    assert both == (1.0, 2.0)
    assert silent is None


def test_positions_keep_their_order_when_the_names_change_theirs() -> None:
    cell = Mixed()
    for names, values in (
        (["elbow", "finger"], [1.0, 2.0]),
        (["finger", "elbow"], [2.0, 1.0]),
    ):
        cell.clock.advance(0.002)
        message = JointWriter(names).write(cell.clock.monotonic_ns(), values, [], [])
        cell.evidence.take("joints", [(message, {})])

        assert cell.evidence.positions(maximum_age_ns=MS) == (1.0, 2.0)


def test_a_cell_without_joints_has_no_pose_to_compare() -> None:
    channel = ChannelSpec("heat", "K", Source("temp", "temperature", "value"))
    topics = {"temp": TOPICS["temp"]}
    config = make_config(channels=(channel,), ros=RosNames(topics=topics))

    assert Evidence(config, ManualClock()).positions(maximum_age_ns=MS) == ()


def test_messages_that_came_together_are_stamped_one_by_one() -> None:
    cell = Mixed()
    cell.clock.advance(1.0)
    now_ns = cell.clock.monotonic_ns()
    messages = [
        cell.arm.write(now_ns - 4 * MS, [1.0], [], []),
        b"nonsense",
        cell.hand.write(now_ns - 3 * MS, [2.0], [], []),
        cell.arm.write(7, [1.0], [], []),
        cell.arm.write(now_ns - 2 * MS, [1.0], [], []),
    ]

    stamps = cell.evidence.take("joints", [(message, {}) for message in messages])

    assert stamps == [now_ns - 4 * MS, None, now_ns - 3 * MS, None, now_ns - 2 * MS]
    assert cell.evidence.dropped == {"malformed_joints": 1, "foreign_stamp": 1}


def test_an_old_message_is_a_sample_only_of_a_latched_topic() -> None:
    cell = Mixed()
    cell.clock.advance(9_000.0)
    old = cell.facts(3_600 * SECOND_NS)

    latched = cell.evidence.take("runs", [(write_bool(value=True), old)])
    plain = cell.evidence.take("scaling", [(write_float64(1.0), old)])

    assert latched == [cell.clock.monotonic_ns() - 3_600 * SECOND_NS]
    assert plain == [None]


# ----------------------------------------------------------------------- simulated time


def simulated(cell: Mixed, sim_ns: int) -> None:
    """/clock speaks, and a sample stamped by it follows."""
    cell.evidence.clock_said(sim_ns, cell.facts())
    message = JointWriter(["elbow", "finger"]).write(sim_ns, [1.0, 2.0], [], [])
    cell.evidence.take("joints", [(message, {})])


def test_samples_of_simulated_time_are_cut_like_any_others() -> None:
    cell = Mixed(use_sim_time=True)
    for tick in range(200):  # half as fast as the wall
        cell.clock.advance(0.010)
        simulated(cell, 7 * SECOND_NS + tick * 5 * MS)
    end_ns = cell.evidence.place(7 * SECOND_NS + 199 * 5 * MS)

    window = cell.cut(Span(end_ns - SECOND_NS, end_ns))

    assert end_ns == cell.clock.monotonic_ns()
    assert window.present.tolist()[:2] == [True, True]
    assert window.gap_rows == 0
    np.testing.assert_allclose(window.samples[:, :2], [[1.0, 2.0]] * 8)


def test_a_recording_that_begins_again_begins_new_evidence() -> None:
    cell = Mixed(use_sim_time=True)
    for tick in range(100):
        cell.clock.advance(0.010)
        simulated(cell, 50 * SECOND_NS + tick * 10 * MS)
    before = cell.evidence.heard_until_ns
    cell.clock.advance(0.010)
    cell.evidence.clock_said(0, cell.facts())
    between = (
        cell.evidence.heard_until_ns,
        cell.evidence.positions(maximum_age_ns=10**12),
    )
    simulated(cell, 10 * MS)

    assert before is not None
    assert between == (None, None)
    assert cell.evidence.heard_until_ns == cell.clock.monotonic_ns()
    assert cell.evidence.dropped == {"clock_jumped_back": 1}


def test_before_the_clock_spoke_samples_are_counted_and_left_out() -> None:
    cell = Mixed(use_sim_time=True)
    message = cell.arm.write(7 * SECOND_NS, [1.0], [], [])

    assert cell.evidence.take("joints", [(message, {})]) == [None]
    assert cell.evidence.dropped == {"no_clock": 1}
