"""What channels take from messages that do not have it: joints, fields, places."""

from __future__ import annotations

from collections.abc import Iterator

from ros_nodes.check.near import near_words
from ros_nodes.check.seen import Heard
from ros_nodes.check.wants import WantedTopic
from ros_nodes.config import Source


def missing(topic: WantedTopic, heard: Heard) -> Iterator[tuple[str, str, str]]:
    """Yield source, what is wrong with it, and what to do."""
    for source in topic.sources:
        said = f"{source.topic}:{source.field}:{source.element}"
        if topic.type == "sensor_msgs/msg/JointState":
            for text, remedy in _joint(source, heard):
                yield said, text, remedy
        elif topic.type == "std_msgs/msg/Float64MultiArray":
            length = heard.lengths.get(source.field, 0)
            if int(source.element) >= length:
                text = f"the messages have {length} values, counted from 0"
                yield said, text, "name a place that is there"


def _joint(source: Source, heard: Heard) -> Iterator[tuple[str, str]]:
    if source.element not in heard.names:
        near = near_words(source.element, heard.names)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        yield (
            f"no such joint{meant} There are {', '.join(heard.names) or 'none'}",
            "write the joint as the driver names it (a UR driver puts its tf_prefix "
            "in front)",
        )
    elif heard.lengths.get(source.field, 0) < len(heard.names):
        yield (
            f"the messages name {len(heard.names)} joints and carry "
            f"{heard.lengths.get(source.field, 0)} values of {source.field}",
            f"let the driver publish {source.field}, or take the channel out",
        )
