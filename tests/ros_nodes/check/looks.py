"""A cell, and looks at its graph: all well, but for the facts that a test names."""

from dataclasses import replace
from typing import Any

from ros_nodes.check.seen import Endpoint, Heard, Seen, TopicSeen
from ros_nodes.check.wants import Wants, wants_of
from ros_nodes.config import (
    CellConfig,
    ChannelSpec,
    ReadBack,
    RobotSpec,
    RosNames,
    SafetySpec,
    Source,
    TopicSpec,
)
from tests.ros_nodes.node_builders import make_config

JOINTS = "sensor_msgs/msg/JointState"
WRENCH = "geometry_msgs/msg/WrenchStamped"
TRIGGER = "std_srvs/srv/Trigger"

TOPICS = {
    "joints": TopicSpec("joints", "joint_states", JOINTS, rate_hz=500.0),
    "wrench": TopicSpec("wrench", "/ft/wrench", WRENCH, rate_hz=100.0),
}
ROBOT = RobotSpec(
    hold="/dashboard/pause",
    resume="/dashboard/play",
    read_back=ReadBack("/running", "std_msgs/msg/Bool", "data", held=(False,)),
)
SAFETY = SafetySpec("/safety_mode", "ur_dashboard_msgs/msg/SafetyMode", "mode", (1,))


def make_cell(*, policy: str = "required", **ros: Any) -> CellConfig:
    """A robot with an elbow, a force sensor, read-back and a safety topic."""
    defaults: dict[str, Any] = {
        "topics": TOPICS,
        "robot": ROBOT,
        "safety": (SAFETY,),
    }
    channels = (
        ChannelSpec("pos", "rad", Source("joints", "position", "elbow"), policy),
        ChannelSpec("effort", "N*m", Source("joints", "effort", "elbow"), policy),
        ChannelSpec("force_z", "N", Source("wrench", "force", "z"), policy),
    )
    return make_config(ros=RosNames(**(defaults | ros)), channels=channels)


def make_wants(**facts: Any) -> Wants:
    return wants_of(make_cell(**facts))


def publisher(kind: str, node: str = "/driver", **facts: Any) -> Endpoint:
    return Endpoint(node, kind, **facts)


def heard(rate_hz: float = 500.0, **facts: Any) -> Heard:
    joints = {"position": 2, "velocity": 2, "effort": 2}
    defaults: dict[str, Any] = {
        "count": 1500,
        "rate_hz": rate_hz,
        "age_s": 0.001,
        "names": ("shoulder", "elbow"),
        "lengths": joints,
    }
    return Heard(**(defaults | facts))


def all_well() -> dict[str, TopicSeen]:
    return {
        "topics.joints": TopicSeen((publisher(JOINTS),), (), heard()),
        "topics.wrench": TopicSeen((publisher(WRENCH),), (), heard(100.0)),
        "steps": TopicSeen((publisher("std_msgs/msg/String", "/program"),)),
        "permits": TopicSeen((), (publisher("std_msgs/msg/String", "/program"),)),
        "robot.read_back": TopicSeen(
            (publisher("std_msgs/msg/Bool", latched=True),),
            (),
            Heard(count=1, value=True),
        ),
        "safety[0]": TopicSeen(
            (publisher(SAFETY.type, latched=True),), (), Heard(count=1, value=1)
        ),
    }


NAMES = {one.where: one.name for one in make_wants().topics}


def look(topics: dict[str, TopicSeen] | None = None, **facts: Any) -> Seen:
    """What was seen: all well, except for the topics and facts named."""
    there = all_well() | (topics or {})
    kinds = {
        NAMES[where]: tuple(one.type for one in seen.publishers)
        for where, seen in there.items()
        if seen.publishers
    }
    defaults: dict[str, Any] = {
        "topics": there,
        "graph": kinds,
        "services": {"/dashboard/pause": (TRIGGER,), "/dashboard/play": (TRIGGER,)},
        "nodes": ("/driver", "/program"),
        "seconds": 3.0,
    }
    return Seen(**(defaults | facts))


def without(where: str, **others: tuple[str, ...]) -> Seen:
    """A graph in which nobody publishes a topic, and somebody publishes others."""
    seen = look({where: TopicSeen()})
    return replace(seen, graph={**seen.graph, **others})
