"""From serialised messages to windows: stamps, missing joints, broken sensors."""

import numpy as np
import pytest

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS, ManualClock, on_monotonic_clock
from ros_nodes.evidence import Evidence, WindowKind, Work
from ros_nodes.windowing import Span, window_digest
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
    before = on_monotonic_clock(
        clock.utc_ns(), monotonic_ns=clock.monotonic_ns(), utc_ns=clock.utc_ns()
    )
    clock.step_utc(3600)
    after = on_monotonic_clock(
        clock.utc_ns(), monotonic_ns=clock.monotonic_ns(), utc_ns=clock.utc_ns()
    )

    assert before == after == clock.monotonic_ns()


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
