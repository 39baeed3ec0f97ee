"""The ROS side of a cell in andon.toml.

The cell's own node lives by these tables (`ros_nodes/config` says what it makes of
them); the coordinator checks their spelling, so that one command finds every mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from coordinator.config.forbidden import allowed_service
from coordinator.config.section import Seconds, Section

Text = Annotated[str, Field(min_length=1, max_length=200)]
RosName = Annotated[
    str, Field(pattern=r"^[~/]?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$")
]
ServiceName = Annotated[RosName, AfterValidator(allowed_service)]
MessageType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/msg/[A-Za-z0-9]+$")]
Values = Annotated[tuple[bool | int | float | str, ...], Field(min_length=1)]

DEFAULT_TOPICS: Final = ("joints", "wrench")


class TopicSection(Section):
    """A sensor topic."""

    name: RosName | None = None
    type: MessageType | None = None
    rate_hz: Annotated[float, Field(ge=0.0, le=100_000.0)] = 0.0
    latched: bool = False


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
    one_client: bool = True


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

    before_s: Annotated[float, Field(ge=0.0, le=600.0)] = 10.0
    after_s: Annotated[float, Field(ge=0.0, le=600.0)] = 2.0
    maximum_mb: Annotated[float, Field(gt=0.0, le=4096.0)] = 64.0


class RosSection(Section):
    """Names the cell's own node uses."""

    # Above 101 the ports of DDS collide with ports Linux hands out.
    domain_id: Annotated[int, Field(ge=0, le=101)] = 42
    use_sim_time: bool = False
    steps: RosName = "steps"
    permits: RosName = "permits"
    topics: Mapping[str, TopicSection] = {}
    program: ProgramSection = ProgramSection()
    robot: RobotSection = RobotSection()
    safety: tuple[SafetySection, ...] = ()
    clip: ClipSection = ClipSection()

    @property
    def known_topics(self) -> tuple[str, ...]:
        """What channels may call a topic."""
        return tuple(self.topics) or DEFAULT_TOPICS


ROS_SECTIONS: Final[tuple[type[BaseModel], ...]] = (
    RosSection,
    TopicSection,
    ProgramSection,
    RobotSection,
    ReadBackSection,
    SafetySection,
    ClipSection,
)
