"""Clips as a node would make them, in MCAP, of messages that need no ROS here."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from typing import Any

from mcap_ros2.writer import Writer

END_NS = 1_735_732_800_000_000_000
"""End of the window: 2025-01-01 12:00:00 UTC."""
SECOND_NS = 1_000_000_000

_RULER = "=" * 80
_HEADER = (
    f"{_RULER}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    f"{_RULER}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)
JOINTS = (
    "sensor_msgs/msg/JointState",
    "std_msgs/Header header\nstring[] name\nfloat64[] position\n"
    f"float64[] velocity\nfloat64[] effort\n{_HEADER}",
)
WRENCH = (
    "geometry_msgs/msg/WrenchStamped",
    f"std_msgs/Header header\ngeometry_msgs/Wrench wrench\n{_HEADER}"
    f"{_RULER}\nMSG: geometry_msgs/Wrench\ngeometry_msgs/Vector3 force\n"
    f"geometry_msgs/Vector3 torque\n{_RULER}\nMSG: geometry_msgs/Vector3\n"
    "float64 x\nfloat64 y\nfloat64 z\n",
)
TEMPERATURE = (
    "sensor_msgs/msg/Temperature",
    f"std_msgs/Header header\nfloat64 temperature\nfloat64 variance\n{_HEADER}",
)
STRING = ("std_msgs/msg/String", "string data\n")
PICTURE = (
    "sensor_msgs/msg/CompressedImage",
    f"std_msgs/Header header\nstring format\nuint8[] data\n{_HEADER}",
)
GRIP = ("plant_msgs/msg/Grip", "bool closed\nfloat32[3] fingers\nuint16 tool\n")

CHANNELS = {
    "elbow_pos": "/press_2/joint_states:position:elbow rad",
    "elbow_effort": "/press_2/joint_states:effort:elbow N*m",
    "force_z": "/press_2/wrench:force:z N",
    "temp": "/press_2/temp:temperature:value K",
    "lost": "/press_2/nowhere:data:value ",
}
NOTE = {
    "cell": "press-2",
    "request": "r-press-2-17",
    "window": "w-17",
    "window_start_ns": str(END_NS - 6 * SECOND_NS),
    "window_end_ns": str(END_NS),
    "span_start_ns": str(END_NS - 10 * SECOND_NS),
    "span_end_ns": str(END_NS + 2 * SECOND_NS),
    "whole": "true",
    "software": "andon test",
}


class ClipMaker:
    """Writes messages into a clip; times are seconds from the end of the window."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._writer = Writer(self._file)
        self._schemas: dict[str, Any] = {}

    def add(self, topic: str, kind: tuple[str, str], at_s: float, **facts: Any) -> None:
        name, text = kind
        if name not in self._schemas:
            self._schemas[name] = self._writer.register_msgdef(name, text)
        stamp_ns = END_NS + round(at_s * SECOND_NS)
        self._writer.write_message(
            topic,
            self._schemas[name],
            facts,
            log_time=stamp_ns + 5_000_000,
            publish_time=stamp_ns,
        )

    def bytes(
        self,
        note: Mapping[str, str] | None = None,
        channels: Mapping[str, str] | None = None,
    ) -> bytes:
        if note is not None:
            self._writer.add_metadata("andon.clip", dict(note))
        if channels is not None:
            self._writer.add_metadata("andon.channels", dict(channels))
        self._writer.finish()
        return self._file.getvalue()


def make_clip(*, hz: int = 100, **note: str) -> bytes:
    """Ten seconds before and two after; a spike of one sample, and a second's gap."""
    maker = ClipMaker()
    for n in range(12 * hz):
        at_s = n / hz - 10.0
        if -5.0 <= at_s < -4.0:
            continue
        force = 60.0 if abs(at_s + 1.0) < 0.5 / hz else math.sin(at_s)
        maker.add(
            "/press_2/joint_states",
            JOINTS,
            at_s,
            name=["base", "elbow"],
            position=[0.0, math.sin(at_s)],
            velocity=[0.0, math.cos(at_s)],
            effort=[1.0, 20.0 * math.sin(at_s)],
        )
        maker.add(
            "/press_2/wrench",
            WRENCH,
            at_s,
            wrench={
                "force": {"x": 0.0, "y": 0.0, "z": force},
                "torque": {"x": 0.0, "y": 0.0, "z": 0.0},
            },
        )
    for second in range(-10, 3):
        maker.add("/press_2/temp", TEMPERATURE, second, temperature=300.0 + second)
    for at_s, event in ((-6.0, "begin"), (0.0, "end")):
        text = json.dumps({"event": event, "cycle": 17, "step": "insert"})
        maker.add("/press_2/steps", STRING, at_s, data=text)
    for at_s in (-2.0, -1.0, 0.0):
        maker.add("/press_2/cam", PICTURE, at_s, format="jpeg", data=bytes(500))
    return maker.bytes({**NOTE, **note}, CHANNELS)
