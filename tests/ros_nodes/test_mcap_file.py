"""Recordings: three readers that are not ours find every message as it was."""

import io
from pathlib import Path
from typing import Any

import pytest

from ros_nodes.mcap_file import McapFile
from ros_nodes.msgdef import UnknownTypeError

BEGIN_NS = 1_735_689_600_000_000_000


def _of_every_type() -> list[Any]:
    """One message of each type that andon knows how to read, none of them empty."""
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
    from geometry_msgs.msg import WrenchStamped
    from sensor_msgs.msg import CompressedImage, Image, Imu, JointState, Temperature
    from std_msgs.msg import Bool, Float64, Float64MultiArray, Int32, String

    wrench = WrenchStamped()
    wrench.wrench.force.z = -4.5
    imu = Imu()
    imu.angular_velocity_covariance[4] = 0.25
    imu.linear_acceleration.x = 9.81
    status = DiagnosticStatus(name="arm", values=[KeyValue(key="a", value="b")])
    return [
        # All arrays filled: rclpy's serialize_message, unlike its publishers, leaves
        # bytes behind an empty one, which rosbags refuses.
        JointState(
            name=["a", "b"],
            position=[1.0, 2.0],
            velocity=[0.5, 0.0],
            effort=[float("inf"), -1.0],
        ),
        wrench,
        imu,
        Temperature(temperature=41.5),
        Image(height=1, width=3, encoding="mono8", step=3, data=[1, 2, 3]),
        CompressedImage(format="jpeg", data=[255, 216, 255]),
        Float64(data=0.1),
        Float64MultiArray(data=[1.0, 2.0, 3.0]),
        Int32(data=-7),
        Bool(data=True),
        String(data="Prüfstück 4711"),
        DiagnosticArray(status=[status]),
    ]


def _kind(message: Any) -> str:
    package = type(message).__module__.partition(".")[0]
    return f"{package}/msg/{type(message).__name__}"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    from rclpy.serialization import serialize_message

    path = tmp_path / "all.mcap"
    with path.open("wb") as file:
        mcap = McapFile(file, library="andon test")
        mcap.note("andon", {"cell": "press-1"})
        for n, message in enumerate(_of_every_type()):
            mcap.add(
                f"/{_kind(message).replace('/', '_').lower()}",
                _kind(message),
                serialize_message(message),
                log_ns=BEGIN_NS + n,
                publish_ns=BEGIN_NS - n,
            )
        mcap.close()
    return path


@pytest.mark.ros
def test_rclpy_reads_back_every_message(recording: Path) -> None:
    from mcap.reader import make_reader
    from rclpy.serialization import deserialize_message

    expected = {_kind(message): message for message in _of_every_type()}
    with recording.open("rb") as file:
        for schema, _, message in make_reader(file).iter_messages():
            assert schema is not None
            original = expected.pop(schema.name)

            assert deserialize_message(message.data, type(original)) == original

    assert expected == {}


@pytest.mark.ros
def test_mcap_decodes_every_message_by_the_definitions_inside(recording: Path) -> None:
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    with recording.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        found = {
            schema.name: (message, decoded)
            for schema, _, message, decoded in reader.iter_decoded_messages()
            if schema is not None
        }
        header = reader.get_header()
        noted = [(one.name, one.metadata) for one in reader.iter_metadata()]

    assert (header.profile, header.library) == ("ros2", "andon test")
    assert noted == [("andon", {"cell": "press-1"})]
    joints, decoded = found["sensor_msgs/msg/JointState"]
    assert (joints.log_time, joints.publish_time) == (BEGIN_NS, BEGIN_NS)
    assert decoded.name == ["a", "b"]
    assert list(decoded.effort) == [float("inf"), -1.0]
    assert found["std_msgs/msg/String"][1].data == "Prüfstück 4711"
    assert found["sensor_msgs/msg/Imu"][1].angular_velocity_covariance[4] == 0.25
    assert found["geometry_msgs/msg/WrenchStamped"][1].wrench.force.z == -4.5
    assert found["diagnostic_msgs/msg/DiagnosticArray"][1].status[0].name == "arm"
    assert len(found) == len(_of_every_type())


@pytest.mark.ros
def test_rosbags_reads_every_message_without_knowing_a_type(recording: Path) -> None:
    rosbags = pytest.importorskip("rosbags.highlevel")

    found = {}
    with rosbags.AnyReader([recording]) as reader:
        for connection, stamp_ns, data in reader.messages():
            found[connection.msgtype] = (
                stamp_ns,
                reader.deserialize(data, connection.msgtype),
            )

    stamp_ns, wrench = found["geometry_msgs/msg/WrenchStamped"]
    assert stamp_ns == BEGIN_NS + 1
    assert wrench.wrench.force.z == -4.5
    assert found["sensor_msgs/msg/CompressedImage"][1].data.tolist() == [255, 216, 255]
    assert len(found) == len(_of_every_type())


def _plain(kind: str) -> str:
    return "float64 data\n"


def test_the_statistics_say_what_is_in_the_file() -> None:
    mcap = McapFile(io.BytesIO(), library="andon test", definition_of=_plain)
    mcap.declare("/silent", "std_msgs/msg/Float64", {"offered_qos_profiles": "- x"})
    for at_ns in (30, 10, 20):
        mcap.add("/t", "std_msgs/msg/Float64", b"12345", log_ns=at_ns, publish_ns=0)

    said = mcap.close()

    assert said.messages == {"/silent": 0, "/t": 3}
    assert (said.count, said.message_bytes) == (3, 15)
    assert (said.first_ns, said.last_ns) == (10, 30)


def test_one_topic_has_one_type() -> None:
    mcap = McapFile(io.BytesIO(), library="andon test", definition_of=_plain)
    mcap.declare("/t", "std_msgs/msg/Float64")

    with pytest.raises(ValueError, match="/t is std_msgs/msg/Float64"):
        mcap.add("/t", "std_msgs/msg/Bool", b"", log_ns=0, publish_ns=0)


def test_a_type_that_is_not_installed_is_refused_before_anything_is_written() -> None:
    file = io.BytesIO()
    mcap = McapFile(file, library="andon test")
    before = file.getvalue()

    with pytest.raises(UnknownTypeError):
        mcap.add("/t", "nobody_has_this/msg/Grip", b"", log_ns=0, publish_ns=0)

    assert file.getvalue() == before
