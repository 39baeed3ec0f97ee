"""Bytes of sensor messages: what is written is read, what is broken is refused."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.cdr import (
    READABLE,
    CdrError,
    JointWriter,
    PoseReader,
    Reader,
    read_clock,
    read_compressed_image,
    read_image,
    read_text,
    write_wrench,
)
from tests.ros_nodes.messages import (
    JOINTS,
    WRENCH,
    stamp_of,
    values_of,
    write_bool,
    write_clock,
    write_float64,
)

names = st.lists(
    st.text("abcdefg_0123", min_size=1, max_size=9), max_size=8, unique=True
)
frames = st.text("abc_/", max_size=9)
floats = st.floats(allow_nan=True, allow_infinity=True, width=64)
stamps = st.integers(0, 2**31 * 1_000_000_000 - 1)

FIELDS = ("position", "velocity", "effort")
AXES = [(field, axis) for field in ("force", "torque") for axis in "xyz"]


@given(stamps, names, frames, st.data())
def test_joint_states_come_back_as_they_were_written(stamp, joints, frame, data):
    fields = [
        data.draw(st.one_of(st.just([]), st.lists(floats, min_size=n, max_size=n)))
        for n in [len(joints)] * 3
    ]
    wanted = data.draw(
        st.permutations([(field, joint) for field in FIELDS for joint in joints])
    )
    message = JointWriter(joints, frame).write(stamp, *fields)

    found = values_of(Reader(JOINTS, wanted), wanted, message)

    assert stamp_of(message) == stamp
    sent = {
        (field, joint): value
        for field, values in zip(FIELDS, fields, strict=True)
        for joint, value in zip(joints, values or [], strict=bool(values))
    }
    assert found.keys() == sent.keys()
    for element, value in sent.items():
        np.testing.assert_array_equal(found[element], value)


@given(stamps, frames, st.lists(floats, min_size=6, max_size=6))
def test_wrenches_come_back_as_they_were_written(stamp, frame, wrench) -> None:
    message = write_wrench(stamp, wrench, frame)

    found = values_of(Reader(WRENCH, AXES), AXES, message)

    assert stamp_of(message, WRENCH) == stamp
    np.testing.assert_array_equal([found[axis] for axis in AXES], wrench)


def test_trailing_bytes_do_not_matter() -> None:
    message = JointWriter(["a"]).write(5, [1.0], [], [3.0]) + b"\x00\x01\x02"
    wanted = [("effort", "a"), ("velocity", "a")]

    assert values_of(Reader(JOINTS, wanted), wanted, message) == {("effort", "a"): 3.0}


@given(st.lists(st.permutations(["a", "bc", "d"]), min_size=2, max_size=12))
def test_a_reader_notices_that_the_order_of_the_joints_changed(orders) -> None:
    wanted = [("position", "a"), ("position", "d")]
    reader = Reader(JOINTS, wanted)
    for order in orders:
        place = {name: float(n) for n, name in enumerate(order)}
        message = JointWriter(order).write(1, list(place.values()), [], [])

        found = values_of(reader, wanted, message)

        assert found == {("position", n): place[n] for n in ("a", "d")}


def test_two_drivers_on_one_topic_keep_their_layouts() -> None:
    wanted = [("position", "elbow"), ("position", "finger")]
    reader = Reader(JOINTS, wanted)
    arm = JointWriter(["elbow"]).write(1, [1.0], [], [])
    hand = JointWriter(["finger"]).write(1, [2.0], [], [])

    layouts = [reader.read(message)[0] for message in (arm, hand, arm, hand)]

    assert layouts[0] is layouts[2]
    assert layouts[1] is layouts[3]
    assert [layout.columns for layout in layouts[:2]] == [(0,), (1,)]


@given(st.binary(min_size=3, max_size=3))
def test_what_stands_in_the_padding_does_not_matter(noise) -> None:
    plain = JointWriter(["a", "b"], "xy").write(7, [1, 2], [], [3, 4])
    padded = bytearray(plain)
    begin = plain.index(b"a\x00") + 2
    assert plain[begin : begin + 2] == b"\x00\x00"
    padded[begin : begin + 2] = noise[:2]
    wanted = [("effort", "b")]
    reader = Reader(JOINTS, wanted)

    first, _ = reader.read(plain)
    second, values = reader.read(bytes(padded))

    assert first is second
    assert values[2:] == (4.0,)


def test_positions_are_found_whatever_their_order() -> None:
    reader = PoseReader()

    read = [
        reader.read(JointWriter(["a", "b"]).write(1, [1.0, 2.0], [], [])),
        reader.read(JointWriter(["b", "a"]).write(2, [2.0, 1.0], [], [])),
        reader.read(JointWriter(["a", "b", "c"]).write(3, [1.0, 2.0, 3.0], [], [])),
        reader.read(JointWriter(["a", "b"]).write(4, [], [], [3.0, 4.0])),
    ]

    assert read == [
        {"a": 1.0, "b": 2.0},
        {"a": 1.0, "b": 2.0},
        {"a": 1.0, "b": 2.0, "c": 3.0},
        {},
    ]


WHOLE = {
    JOINTS: JointWriter(["elbow", "wrist"], "base").write(7, [1, 2], [3, 4], [5, 6]),
    WRENCH: write_wrench(7, [1, 2, 3, 4, 5, 6], "tool"),
    "std_msgs/msg/Float64": write_float64(3.5),
    "std_msgs/msg/Bool": write_bool(value=True),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_message_that_is_cut_short_is_refused_at_any_length(kind) -> None:
    whole = WHOLE[kind]
    warm = Reader(kind, ())
    warm.read(whole)
    for size in range(len(whole)):
        for reader in (Reader(kind, ()), warm):
            with pytest.raises(CdrError):
                reader.read(whole[:size])


@given(st.sampled_from(sorted(READABLE)), st.binary(max_size=90), st.booleans())
def test_random_bytes_are_refused_never_guessed(kind, noise, headed) -> None:
    message = b"\x00\x01\x00\x00" + noise if headed else noise
    elements = {
        JOINTS: ("effort", "elbow"),
        WRENCH: ("force", "x"),
        "sensor_msgs/msg/Imu": ("orientation", "w"),
        "std_msgs/msg/Float64MultiArray": ("data", "1"),
    }
    reader = Reader(kind, [elements.get(kind, ("data", "value"))])
    for read in (reader.read, read_text, read_clock, read_image, read_compressed_image):
        with contextlib.suppress(CdrError):
            read(message)


def test_a_count_that_does_not_fit_the_joints_is_refused() -> None:
    message = bytearray(JointWriter(["a", "b"]).write(1, [1.0, 2.0], [], []))
    message[message.index(b"b\x00") + 4] = 1  # one position for two joints

    with pytest.raises(CdrError):
        Reader(JOINTS, ()).read(bytes(message))


def test_more_joints_than_any_robot_has_are_refused() -> None:
    message = JointWriter([f"joint_{n}" for n in range(257)]).write(1, [], [], [])

    with pytest.raises(CdrError, match="limit 256"):
        Reader(JOINTS, ()).read(message)


@pytest.mark.parametrize(
    "encapsulation",
    [
        pytest.param(b"\x00\x00", id="big-endian"),
        pytest.param(b"\x00\x03", id="parameter-list"),
        pytest.param(b"\x00\x07", id="xcdr2"),
    ],
)
def test_any_other_encoding_than_plain_little_endian_is_refused(encapsulation) -> None:
    message = write_wrench(1, [0.0] * 6)
    reader = Reader(WRENCH, ())
    reader.read(message)

    with pytest.raises(CdrError, match="little-endian"):
        reader.read(encapsulation + message[2:])


def test_a_bool_is_yes_or_no_and_nothing_else() -> None:
    wanted = [("data", "value")]
    reader = Reader("std_msgs/msg/Bool", wanted)
    said = [
        values_of(reader, wanted, write_bool(value=value))["data", "value"]
        for value in (True, False, True)
    ]

    assert said == [1, 0, 1]
    with pytest.raises(CdrError, match="neither"):
        reader.read(b"\x00\x01\x00\x00\x02")


def test_an_image_is_read_up_to_its_pixels() -> None:
    head = struct.pack("<iII4xII", 1, 5, 1, 2, 3) + struct.pack("<I", 6) + b"mono8\x00"
    message = b"\x00\x01\x00\x00" + head + struct.pack("<BxII", 0, 3, 6) + bytes(6)

    image = read_image(message)

    assert (image.height, image.width, image.encoding) == (2, 3, "mono8")
    assert (image.stamp_ns, image.step, len(image.data)) == (1_000_000_005, 3, 6)
    with pytest.raises(CdrError):
        read_image(message[:-1])


def test_a_clock_is_read() -> None:
    assert read_clock(write_clock(3_000_000_007)) == 3_000_000_007
    with pytest.raises(CdrError):
        read_clock(write_clock(1)[:-1])
