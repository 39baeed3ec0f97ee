"""What was seen of a ROS graph while somebody looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One publisher or subscription of another node.

    Attributes:
        node: Full name of its node.
        type: Message type, "package/msg/Name".
        reliable: Offers, or asks for, every message.
        latched: Offers, or asks for, the newest message after the fact.
    """

    node: str
    type: str
    reliable: bool = True
    latched: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What one topic said while it was measured.

    Attributes:
        count: Messages.
        lost: Messages that were published and did not come.
        rate_hz: Messages a second of the cell's clock, Hz.
        age_s: Arrival minus stamp, median over the messages, s; negative: they come
            from the future. None: the messages carry no stamp, or nothing came.
        unstamped: The messages have a header, but its stamp is zero.
        names: Joints that a JointState names.
        lengths: Most values that a list field of the message had, by field.
        value: Newest value of the field that is looked at; None: nothing came.
    """

    count: int = 0
    lost: int = 0
    rate_hz: float = 0.0
    age_s: float | None = None
    unstamped: bool = False
    names: tuple[str, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """One topic that a cell names.

    Attributes:
        publishers: Who speaks.
        listeners: Who hears.
        heard: What it said; None: it was not listened to.
        installed: Whether its message type is there on this machine.
        has_field: Whether that type has the field that is looked at.
    """

    publishers: tuple[Endpoint, ...] = ()
    listeners: tuple[Endpoint, ...] = ()
    heard: Heard | None = None
    installed: bool = True
    has_field: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a graph.

    Attributes:
        topics: The topics that a cell names, by where they are configured.
        graph: Types of all topics that others publish, by full name.
        services: Types of all services of others, by full name.
        nodes: Full names of the other nodes.
        seconds: How long it was listened, s.
        clock_runs: Whether /clock moved; None: nobody publishes it.
        shell_domain: ROS_DOMAIN_ID of whoever asks; "" when it is not set.
        coordinator: Whether somebody listens where the coordinator should.
    """

    topics: Mapping[str, TopicSeen]
    graph: Mapping[str, tuple[str, ...]]
    services: Mapping[str, tuple[str, ...]]
    nodes: tuple[str, ...]
    seconds: float
    clock_runs: bool | None = None
    shell_domain: str = ""
    coordinator: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether nobody is there at all."""
        return not (self.nodes or self.graph or self.services)
