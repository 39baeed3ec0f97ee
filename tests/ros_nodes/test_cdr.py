"""Bytes of sensor messages: what is written is read, what is broken is refused."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.cdr import (
    CdrError,
    JointReader,
    JointWriter,
    read_text,
    read_wrench,
    write_wrench,
)

names = st.lists(st.text("abcdefg_0123", min_size=1, max_size=9), max_size=8)
frames = st.text("abc_/", max_size=9)
floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
stamps = st.integers(0, 2**31 * 1_000_000_000 - 1)


@given(stamps, names, frames, st.data())
def test_joint_states_come_back_as_they_were_written(stamp, joints, frame, data):
    fields = [
        data.draw(st.one_of(st.just([]), st.lists(floats, min_size=n, max_size=n)))
        for n in [len(joints)] * 3
    ]

    sample = JointReader().read(JointWriter(joints, frame).write(stamp, *fields))

    assert sample.stamp_ns == stamp
    assert sample.names == tuple(joints)
    for read, written in zip(
        (sample.position, sample.velocity, sample.effort), fields, strict=True
    ):
        np.testing.assert_array_equal(read, written)


@given(stamps, frames, st.lists(floats, min_size=6, max_size=6))
def test_wrenches_come_back_as_they_were_written(stamp, frame, wrench) -> None:
    sample = read_wrench(write_wrench(stamp, wrench, frame))

    assert sample.stamp_ns == stamp
    np.testing.assert_array_equal(sample.wrench, wrench)


def test_trailing_bytes_do_not_matter() -> None:
    message = JointWriter(["a"]).write(5, [1.0], [], [3.0]) + b"\x00\x01\x02"

    assert JointReader().read(message).effort.tolist() == [3.0]


def test_a_reader_notices_that_the_joints_changed() -> None:
    reader = JointReader()
    first = reader.read(JointWriter(["a", "b"]).write(1, [1, 2], [], []))
    second = reader.read(JointWriter(["b", "a"]).write(2, [2, 1], [], []))

    assert first.names == ("a", "b")
    assert second.names == ("b", "a")


@given(st.integers(0, 200), st.binary(max_size=60))
def test_cut_and_random_bytes_are_refused_never_guessed(size, noise) -> None:
    whole = JointWriter(["elbow", "wrist"], "base").write(7, [1, 2], [3, 4], [5, 6])
    reader = JointReader()
    for message in (whole[: min(size, len(whole) - 1)], noise, whole[:12] + noise):
        for read in (reader.read, read_wrench, read_text):
            with contextlib.suppress(CdrError):
                read(message)


def test_a_count_that_does_not_fit_the_joints_is_refused() -> None:
    message = bytearray(JointWriter(["a", "b"]).write(1, [1.0, 2.0], [], []))
    message[message.index(b"b\x00") + 4] = 1  # one position for two joints

    with pytest.raises(CdrError):
        JointReader().read(bytes(message))


def test_more_joints_than_any_robot_has_are_refused() -> None:
    message = JointWriter([f"joint_{n}" for n in range(257)]).write(1, [], [], [])

    with pytest.raises(CdrError, match="limit 256"):
        JointReader().read(message)


def test_big_endian_is_refused() -> None:
    message = b"\x00\x00" + write_wrench(1, [0.0] * 6)[2:]

    with pytest.raises(CdrError, match="little-endian"):
        read_wrench(message)


@pytest.mark.ros
def test_ros_reads_what_is_written_here_and_the_other_way_round() -> None:
    serialization = pytest.importorskip("rclpy.serialization")
    from geometry_msgs.msg import WrenchStamped
    from sensor_msgs.msg import JointState

    message = JointWriter(["abc", "defgh"], "base").write(
        1_500_000_000, [1, 2], [], [math.inf, 4]
    )
    state = serialization.deserialize_message(message, JointState)
    sample = JointReader().read(serialization.serialize_message(state))
    wrench = write_wrench(7, np.arange(6.0), "tool")
    stamped = serialization.deserialize_message(wrench, WrenchStamped)

    assert list(state.name) == ["abc", "defgh"]
    assert state.header.stamp.sec == 1
    assert sample.effort.tolist() == [math.inf, 4.0]
    assert stamped.wrench.torque.z == 5.0
    again = read_wrench(serialization.serialize_message(stamped))
    assert again.wrench.tolist() == [0, 1, 2, 3, 4, 5]
