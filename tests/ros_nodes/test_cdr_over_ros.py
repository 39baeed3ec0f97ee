"""What rclpy serialises is read as it was meant, for every type that a node reads."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ros_nodes.cdr import (
    JointWriter,
    Reader,
    read_clock,
    read_compressed_image,
    read_image,
    write_wrench,
)
from tests.ros_nodes.messages import JOINTS, WRENCH, stamp_of, values_of

serialization = pytest.importorskip("rclpy.serialization")
pytestmark = pytest.mark.ros

floats = st.floats(allow_nan=False, width=64)
frames = st.text("abc_/é", max_size=9)
seconds = st.integers(-(2**31), 2**31 - 1)
nanoseconds = st.integers(0, 999_999_999)
few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def headed(message: Any, data: st.DataObject) -> Any:
    message.header.stamp.sec = data.draw(seconds)
    message.header.stamp.nanosec = data.draw(nanoseconds)
    message.header.frame_id = data.draw(frames)
    return message


def stamped(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


@few
@given(st.data())
def test_joint_states(data) -> None:
    from sensor_msgs.msg import JointState

    joints = data.draw(
        st.lists(st.text("ab_é1", min_size=1, max_size=7), max_size=45, unique=True)
    )
    message = headed(JointState(name=joints), data)
    sent: dict[tuple[str, str], float] = {}
    for field in ("position", "velocity", "effort"):
        if data.draw(st.booleans()):
            values = data.draw(
                st.lists(floats, min_size=len(joints), max_size=len(joints))
            )
            setattr(message, field, values)
            sent |= {(field, j): v for j, v in zip(joints, values, strict=True)}
    wanted = [(f, j) for f in ("effort", "position", "velocity") for j in joints]
    content = serialization.serialize_message(message)

    assert values_of(Reader(JOINTS, wanted), wanted, content) == sent
    assert stamp_of(content) == stamped(message)


@few
@given(st.data())
def test_wrenches(data) -> None:
    from geometry_msgs.msg import WrenchStamped

    message = headed(WrenchStamped(), data)
    wanted = [(f, a) for f in ("torque", "force") for a in "zyx"]
    sent = {}
    for field, axis in wanted:
        sent[field, axis] = data.draw(floats)
        setattr(getattr(message.wrench, field), axis, sent[field, axis])
    content = serialization.serialize_message(message)

    reader = Reader(WRENCH, wanted)
    assert values_of(reader, wanted, content) == sent
    assert stamp_of(content, WRENCH) == stamped(message)


@few
@given(st.data())
def test_imus(data) -> None:
    from sensor_msgs.msg import Imu

    message = headed(Imu(), data)
    message.orientation_covariance = np.arange(9.0)
    fields = {
        "linear_acceleration": "xyz",
        "orientation": "xyzw",
        "angular_velocity": "xyz",
    }
    wanted = [(field, axis) for field, axes in fields.items() for axis in axes]
    sent = {}
    for field, axis in wanted:
        sent[field, axis] = data.draw(floats)
        setattr(getattr(message, field), axis, sent[field, axis])
    content = serialization.serialize_message(message)

    assert values_of(Reader("sensor_msgs/msg/Imu", wanted), wanted, content) == sent


@few
@given(st.data(), floats, floats)
def test_temperatures(data, temperature, variance) -> None:
    from sensor_msgs.msg import Temperature

    message = headed(Temperature(temperature=temperature, variance=variance), data)
    wanted = [("temperature", "value")]
    content = serialization.serialize_message(message)

    reader = Reader("sensor_msgs/msg/Temperature", wanted)
    assert values_of(reader, wanted, content) == {wanted[0]: temperature}
    assert stamp_of(content, "sensor_msgs/msg/Temperature") == stamped(message)


@few
@given(floats, st.booleans())
def test_single_values(number, flag) -> None:
    from std_msgs.msg import Bool, Float64

    wanted = [("data", "value")]
    for message, kind, value in (
        (Float64(data=number), "std_msgs/msg/Float64", number),
        (Bool(data=flag), "std_msgs/msg/Bool", float(flag)),
    ):
        content = serialization.serialize_message(message)

        assert values_of(Reader(kind, wanted), wanted, content) == {wanted[0]: value}


@few
@given(st.lists(floats, max_size=12), st.lists(frames, max_size=3))
def test_arrays(values, labels) -> None:
    from std_msgs.msg import Float64MultiArray, MultiArrayDimension

    message = Float64MultiArray(data=values)
    message.layout.dim = [MultiArrayDimension(label=text, size=3) for text in labels]
    wanted = [("data", str(n)) for n in range(14)]
    content = serialization.serialize_message(message)

    found = values_of(Reader("std_msgs/msg/Float64MultiArray", wanted), wanted, content)

    assert found == {("data", str(n)): v for n, v in enumerate(values)}


@few
@given(st.data(), st.integers(1, 5), st.integers(1, 5))
def test_images(data, height, width) -> None:
    from sensor_msgs.msg import CompressedImage, Image

    pixels = bytes(range(height * width))
    raw = headed(Image(height=height, width=width, step=width), data)
    raw.encoding, raw.is_bigendian, raw.data = "mono8", 1, pixels
    packed = headed(CompressedImage(format="jpeg", data=pixels), data)

    image = read_image(serialization.serialize_message(raw))
    file = read_compressed_image(serialization.serialize_message(packed))

    assert (image.height, image.width, image.step) == (height, width, width)
    assert (image.encoding, image.big_endian) == ("mono8", True)
    assert bytes(image.data) == bytes(file.data) == pixels
    assert file.format == "jpeg"
    assert (image.stamp_ns, file.stamp_ns) == (stamped(raw), stamped(packed))


@few
@given(seconds, nanoseconds)
def test_clocks(second, nanosecond) -> None:
    from builtin_interfaces.msg import Time
    from rosgraph_msgs.msg import Clock

    message = Clock(clock=Time(sec=second, nanosec=nanosecond))

    assert (
        read_clock(serialization.serialize_message(message))
        == second * 1_000_000_000 + nanosecond
    )


def test_ros_reads_what_a_simulated_robot_writes() -> None:
    from geometry_msgs.msg import WrenchStamped
    from sensor_msgs.msg import JointState

    message = JointWriter(["abc", "defgh"], "base").write(
        1_500_000_000, [1, 2], [], [math.inf, 4]
    )
    state = serialization.deserialize_message(message, JointState)
    wrench = write_wrench(7, np.arange(6.0), "tool")
    stamped_wrench = serialization.deserialize_message(wrench, WrenchStamped)

    assert list(state.name) == ["abc", "defgh"]
    assert (state.header.stamp.sec, state.header.stamp.nanosec) == (1, 500_000_000)
    assert list(state.effort) == [math.inf, 4.0]
    assert stamped_wrench.wrench.torque.z == 5.0
