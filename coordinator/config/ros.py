"""The ROS side of a cell in andon.toml.

The cell's own node lives by these tables (`ros_nodes/config` says what it makes of
them); the coordinator checks their spelling, so that one command finds every mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StrictBool, model_validator

from coordinator.config.forbidden import allowed_service
from coordinator.config.section import Seconds, Section
from coordinator.config.sources import DEFAULT_TYPES, FIELDS


def _readable(kind: str) -> str:
    if kind not in FIELDS:
        raise ValueError(f"type '{kind[:60]}' is not among {', '.join(FIELDS)}")
    return kind


Text = Annotated[str, Field(min_length=1, max_length=200)]
RosName = Annotated[
    str, Field(pattern=r"^[~/]?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$")
]
ServiceName = Annotated[RosName, AfterValidator(allowed_service)]
MessageType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/msg/[A-Za-z0-9]+$")]
Values = Annotated[tuple[bool | int | float | str, ...], Field(min_length=1)]

TopicKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
SensorType = Annotated[str, AfterValidator(_readable)]


class TopicSection(Section):
    """A sensor topic."""

    name: RosName | None = None
    type: SensorType | None = None
    rate_hz: Annotated[float, Field(ge=0.0, le=86_400.0, strict=True)] = 0.0
    latched: StrictBool = False


class ReadBackSection(Section):
    """A topic that shows whether the robot stands."""

    topic: RosName
    type: MessageType = "std_msgs/msg/Bool"
    field: Text = "data"
    held: Values


class ProgramSection(Section):
    """How the robot's own program asks for leave."""

    adapter: Literal["topics", "decide", "signals"] = "topics"
    step: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")] = "step"
    part: RosName = "part"
    done: RosName = "step_done"
    action: RosName = "action"
    one_client: StrictBool = True


class RobotSection(Section):
    """How the robot is held and goes on."""

    adapter: Literal["trigger", "set_bool", "topic", "none"] = "trigger"
    hold: ServiceName = "hold"
    resume: ServiceName = "resume"
    timeout_s: Seconds = 1.0
    read_back: ReadBackSection | None = None

    @model_validator(mode="after")
    def _can_be_confirmed(self) -> Self:
        if self.adapter == "topic" and self.read_back is None:
            raise ValueError(
                "adapter topic needs a read_back: a topic answers nothing, so nobody "
                "could say whether the robot stands"
            )
        return self


class SafetySection(Section):
    """A topic on which the robot's safety system is heard."""

    topic: RosName
    type: MessageType = "std_msgs/msg/Bool"
    field: Text = "data"
    normal: Values


class ClipSection(Section):
    """What is kept at full rate around an unclear moment."""

    before_s: Annotated[float, Field(ge=0.0, le=600.0, strict=True)] = 10.0
    after_s: Annotated[float, Field(ge=0.0, le=600.0, strict=True)] = 2.0
    maximum_mb: Annotated[float, Field(gt=0.0, le=4096.0, strict=True)] = 64.0


class RosSection(Section):
    """Names the cell's own node uses."""

    # Above 101 the ports of DDS collide with ports Linux hands out.
    domain_id: Annotated[int, Field(ge=0, le=101, strict=True)] = 42
    use_sim_time: StrictBool = False
    steps: RosName = "steps"
    permits: RosName = "permits"
    topics: Mapping[TopicKey, TopicSection] = {}
    program: ProgramSection = ProgramSection()
    robot: RobotSection = RobotSection()
    safety: tuple[SafetySection, ...] = ()
    clip: ClipSection = ClipSection()

    @model_validator(mode="after")
    def _topics_have_types(self) -> Self:
        for key, topic in self.topics.items():
            if topic.type is None and key not in DEFAULT_TYPES:
                raise ValueError(f"topic {key} has no type")
        return self

    @property
    def topic_types(self) -> Mapping[str, str]:
        """Message type of each topic that a channel may come from, by its key."""
        return {
            key: topic.type or DEFAULT_TYPES[key] for key, topic in self.topics.items()
        } or DEFAULT_TYPES


ROS_SECTIONS: Final[tuple[type[BaseModel], ...]] = (
    RosSection,
    TopicSection,
    ProgramSection,
    RobotSection,
    ReadBackSection,
    SafetySection,
    ClipSection,
)
