"""How often a topic speaks, how old it is and what it says, by its messages."""

import struct
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from ros_nodes.check.ear import ClockEar, Ear, rate_hz
from ros_nodes.check.wants import Part, WantedTopic
from ros_nodes.clock import SECOND_NS
from ros_nodes.node_time import Moment
from ros_nodes.tap import Tap

UTC_NS = 1_800_000_000 * SECOND_NS
NOW = Moment(node_ns=1_000 * SECOND_NS, utc_ns=UTC_NS)
TOPIC = WantedTopic("/joints", "sensor_msgs/msg/JointState", "topics.j", Part.SENSOR)


def stamped(stamp_ns: int, **fields: Any) -> SimpleNamespace:
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    stamp = SimpleNamespace(sec=seconds, nanosec=nanoseconds)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), **fields)


def heard_of(*messages: Any, read=None):
    tap = Tap("joints", Counter())
    by_number = dict(enumerate(messages))
    ear = Ear(TOPIC, tap, lambda data: by_number[int(data)], read)
    for number in by_number:
        tap.keep(str(number).encode())
        ear.hear(NOW)
    return ear.heard(UTC_NS, 1.0)


@pytest.mark.parametrize(
    ("arrived_s", "end_s", "expected_hz"),
    [
        pytest.param([], 3.0, 0.0, id="nothing-came"),
        pytest.param([1.0], 3.0, 0.0, id="one-says-nothing"),
        pytest.param([0.5, 1.5, 2.5], 3.0, 1.0, id="slow-and-steady"),
        pytest.param([0.0, 0.1, 0.2], 3.0, 2 / 3, id="fell-silent"),
    ],
)
def test_rate(arrived_s, end_s, expected_hz) -> None:
    arrived_ns = [round(at * SECOND_NS) for at in arrived_s]

    assert rate_hz(arrived_ns, round(end_s * SECOND_NS)) == pytest.approx(expected_hz)


@pytest.mark.parametrize(
    "stamp_ns",
    [
        pytest.param(UTC_NS - SECOND_NS // 2, id="system-time"),
        pytest.param(NOW.node_ns - SECOND_NS // 2, id="monotonic-clock"),
    ],
)
def test_a_stamp_is_read_on_the_clock_it_is_of(stamp_ns) -> None:
    assert heard_of(stamped(stamp_ns)).age_s == pytest.approx(0.5)


def test_one_late_message_is_no_skew() -> None:
    late, fresh = stamped(UTC_NS - 9 * SECOND_NS), stamped(UTC_NS)

    assert heard_of(fresh, late, fresh).age_s == pytest.approx(0.0)


def test_a_stamp_of_zero_is_none() -> None:
    heard = heard_of(stamped(0))

    assert heard.unstamped
    assert heard.age_s is None


def test_names_and_lengths_are_those_of_all_messages_together() -> None:
    arm = stamped(UTC_NS, name=["elbow"], position=[0.0], effort=[])
    hand = stamped(UTC_NS, name=["finger"], position=[0.0], effort=[1.0])

    heard = heard_of(arm, hand)

    assert heard.names == ("elbow", "finger")
    assert heard.lengths["effort"] == 1


def test_a_plain_value_has_no_length_and_is_read() -> None:
    heard = heard_of(SimpleNamespace(data=True), read=lambda message: message.data)

    assert heard.value is True
    assert "data" not in heard.lengths


def clock_message(sim_ns: int) -> bytes:
    seconds, nanoseconds = divmod(sim_ns, SECOND_NS)
    return b"\x00\x01\x00\x00" + struct.pack("<iI", seconds, nanoseconds)


def test_a_simulation_at_five_times_its_pace_is_told() -> None:
    ear = ClockEar()
    ear.tap = Tap("clock", Counter())
    for second in range(3):
        ear.tap.keep(clock_message(5 * second * SECOND_NS))
        ear.hear(NOW.node_ns + second * SECOND_NS)

    assert ear.runs
    assert ear.pace == pytest.approx(5.0)


def test_a_clock_that_stands_still_does_not_run() -> None:
    ear = ClockEar()
    ear.tap = Tap("clock", Counter())
    for second in range(3):
        ear.tap.keep(clock_message(7 * SECOND_NS))
        ear.hear(NOW.node_ns + second * SECOND_NS)

    assert not ear.runs
    assert ear.pace == 1.0
