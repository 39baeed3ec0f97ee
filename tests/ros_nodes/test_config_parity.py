"""What `andon check` accepts a node runs, and what a node refuses it finds."""

from pathlib import Path

import pytest

from coordinator.config import parse
from coordinator.config import sources as coordinators
from coordinator.errors import ConfigError
from ros_nodes.config import ConfigRefusedError, read_cells, topics

GOOD = """
[families.f]
default_label = "ok"
labels = [
  { name = "bad", action = "stop", text = "bad" },
  { name = "ok", action = "continue", text = "good" },
]
rows = 16
monitor_rows = 8
channels = [
  { name = "pos", source = "arm:position:j 1", RANGE },
  { name = "push", source = "wrench:force:z", RANGE },
  { name = "spin", source = "imu:orientation:w", RANGE },
  { name = "heat", source = "temp:temperature:value", maximum_age_s = 3.5, RANGE },
  { name = "speed", source = "scaling:data:value", policy = "ask", RANGE },
  { name = "third", source = "arr:data:3", RANGE },
  { name = "runs", source = "runs:data:value", RANGE },
  { name = "focus", source = "cam:feature:sharpness", RANGE },
  { name = "light", source = "jpg:feature:my_own", RANGE },
]

[cells.c-1]
family = "f"
maximum_step_s = 60.0
monitor_every_s = 0.0

[cells.c-1.ros]
domain_id = 42
use_sim_time = false
steps = "steps"
permits = "/line/permits"

[cells.c-1.ros.topics.arm]
name = "joint_states"
type = "sensor_msgs/msg/JointState"
rate_hz = 500.0
[cells.c-1.ros.topics.wrench]
[cells.c-1.ros.topics.imu]
type = "sensor_msgs/msg/Imu"
[cells.c-1.ros.topics.temp]
name = "temperature"
type = "sensor_msgs/msg/Temperature"
rate_hz = 1
[cells.c-1.ros.topics.scaling]
type = "std_msgs/msg/Float64"
[cells.c-1.ros.topics.arr]
type = "std_msgs/msg/Float64MultiArray"
[cells.c-1.ros.topics.runs]
type = "std_msgs/msg/Bool"
latched = true
[cells.c-1.ros.topics.cam]
type = "sensor_msgs/msg/Image"
[cells.c-1.ros.topics.jpg]
type = "sensor_msgs/msg/CompressedImage"

[cells.c-1.ros.robot]
adapter = "trigger"
hold = "hold"
timeout_s = 1.0
[cells.c-1.ros.robot.read_back]
topic = "runs"
type = "std_msgs/msg/Bool"
field = "data"
held = [false]

[[cells.c-1.ros.safety]]
topic = "safety_mode"
type = "std_msgs/msg/Bool"
normal = [true]

[cells.c-1.ros.clip]
before_s = 10.0
after_s = 2.0
maximum_mb = 64.0
""".replace("RANGE", 'unit = "1", minimum = -1.0, maximum = 1.0')

BAD = {
    # sources
    "two-parts": ('"wrench:force:z"', '"wrench:force"'),
    "four-parts": ('"wrench:force:z"', '"wrench:force:z:z"'),
    "empty-part": ('"wrench:force:z"', '"wrench::z"'),
    "unknown-topic": ('"wrench:force:z"', '"gripper:force:z"'),
    "unknown-field": ('"wrench:force:z"', '"wrench:mass:z"'),
    "field-of-another-type": ('"wrench:force:z"', '"wrench:position:z"'),
    "unknown-axis": ('"wrench:force:z"', '"wrench:force:w"'),
    "quaternion-has-four": ('"imu:orientation:w"', '"imu:orientation:v"'),
    "acceleration-has-three": ('"imu:orientation:w"', '"imu:linear_acceleration:w"'),
    "one-value": ('"temp:temperature:value"', '"temp:temperature:x"'),
    "no-index": ('"arr:data:3"', '"arr:data:third"'),
    "negative-index": ('"arr:data:3"', '"arr:data:-1"'),
    "image-without-feature": ('"cam:feature:sharpness"', '"cam:data:0"'),
    "policy": ('policy = "ask"', 'policy = "maybe"'),
    "age": ("maximum_age_s = 3.5", "maximum_age_s = -1"),
    "age-is-nan": ("maximum_age_s = 3.5", "maximum_age_s = nan"),
    "age-is-text": ("maximum_age_s = 3.5", 'maximum_age_s = "3.5"'),
    # topics
    "topic-key": ("topics.arr]", "topics.Arr]"),
    "topic-key-with-colon": ("topics.arr]", 'topics."a:b"]'),
    "topic-without-type": (
        '[cells.c-1.ros.topics.imu]\ntype = "sensor_msgs/msg/Imu"',
        "[cells.c-1.ros.topics.imu]",
    ),
    "type-nobody-reads": ('"sensor_msgs/msg/Imu"', '"sensor_msgs/msg/LaserScan"'),
    "type-in-ros-1-words": ('"sensor_msgs/msg/Imu"', '"sensor_msgs/Imu"'),
    "topic-name": ('"joint_states"', '"joint states"'),
    "topic-name-twice-slashed": ('"joint_states"', '"//joint_states"'),
    "topic-name-ends-in-slash": ('"joint_states"', '"joint_states/"'),
    "topic-name-begins-with-digit": ('"joint_states"', '"1joint_states"'),
    "rate": ("rate_hz = 500.0", "rate_hz = -500.0"),
    "rate-is-infinite": ("rate_hz = 500.0", "rate_hz = inf"),
    "rate-is-text": ("rate_hz = 500.0", 'rate_hz = "500"'),
    "latched": ("latched = true", 'latched = "yes"'),
    "unknown-topic-key": ("rate_hz = 500.0", "rate = 500.0"),
    # the cell on the ROS side
    "domain": ("domain_id = 42", "domain_id = 102"),
    "domain-below-zero": ("domain_id = 42", "domain_id = -1"),
    "domain-is-no-number": ("domain_id = 42", "domain_id = true"),
    "sim-time": ("use_sim_time = false", 'use_sim_time = "off"'),
    "steps": ('steps = "steps"', 'steps = "the steps"'),
    "permits": ('"/line/permits"', '"line-permits"'),
    "unknown-ros-key": ("use_sim_time = false", "simtime = false"),
    "adapter": ('adapter = "trigger"', 'adapter = "magic"'),
    "service": ('hold = "hold"', 'hold = "hold!"'),
    "timeout": ("timeout_s = 1.0", "timeout_s = 0"),
    "read-back-without-values": ("held = [false]", "held = []"),
    "read-back-type": ('"runs"\ntype = "std_msgs/msg/Bool"', '"runs"\ntype = "Bool"'),
    "safety-without-values": ("normal = [true]", "normal = []"),
    "safety-without-topic": ('topic = "safety_mode"\n', ""),
    "unknown-safety-key": ("normal = [true]", "normal = [true]\nodd = 1"),
    "clip": ("before_s = 10.0", "before_s = -10.0"),
    "clip-without-room": ("maximum_mb = 64.0", "maximum_mb = 0"),
    "unknown-clip-key": ("after_s = 2.0", "afters = 2.0"),
    # the cell and its family
    "family": ('family = "f"', 'family = "g"'),
    "step-time": ("maximum_step_s = 60.0", "maximum_step_s = 0"),
    "rows": ("rows = 16", "rows = 1"),
    "monitor-rows": ("monitor_rows = 8", "monitor_rows = 0"),
    "monitor-time": ("monitor_every_s = 0.0", "monitor_every_s = -1"),
    "channel-name": ('name = "push"', 'name = "pos"'),
    "cell-id": ("[cells.c-1", "[cells.C_1"),
}


def node_reads(folder: Path, text: str) -> str:
    """Why a node refuses, or nothing."""
    path = folder / "andon.toml"
    path.write_text(text, encoding="utf-8")
    try:
        read_cells(path)
    except ConfigRefusedError as error:
        return str(error)
    return ""


def coordinator_reads(text: str) -> str:
    """Why the coordinator refuses, or nothing."""
    try:
        parse(text)
    except ConfigError as error:
        return str(error)
    return ""


def test_both_accept_a_cell_with_every_type(tmp_path: Path) -> None:
    assert node_reads(tmp_path, GOOD) == ""
    assert coordinator_reads(GOOD) == ""


@pytest.mark.parametrize(("before", "after"), BAD.values(), ids=BAD.keys())
def test_both_refuse_the_same(tmp_path: Path, before: str, after: str) -> None:
    assert before in GOOD
    text = GOOD.replace(before, after)

    told = node_reads(tmp_path, text), coordinator_reads(text)

    assert all(told), told


def test_both_know_the_same_types_and_fields() -> None:
    assert dict(coordinators.FIELDS) == dict(topics.FIELDS)
