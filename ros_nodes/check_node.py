"""Looks at a cell's ROS graph before its node starts: who is there, and what they say.

One thread and a node in no executor. It listens best effort, or latched where every
publisher is, so that it hears whatever is said; it says nothing and calls nothing.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions

from ros_nodes.adapters.listening import field_reader
from ros_nodes.check.ear import ClockEar, Ear
from ros_nodes.check.seen import Endpoint, Seen, TopicSeen, Value
from ros_nodes.check.wants import WantedTopic, Wants
from ros_nodes.clock import SECOND_NS, SystemClock, seconds_to_ns
from ros_nodes.config import ConfigRefusedError
from ros_nodes.msgdef import UnknownTypeError, class_named
from ros_nodes.node_time import Moment, SimTime
from ros_nodes.qos import LATCHED, SENSORS, SIM_TIME
from ros_nodes.tap import Tap

TICK_S: Final = 0.01
DISCOVERY_S: Final = 4.0
"""Longest wait for all that a cell names; DDS on some networks takes three seconds."""
SETTLED_NS: Final = SECOND_NS
"""Nobody new for so long: whoever is there is there."""
LOOK_NS: Final = SECOND_NS // 2
"""Time between two looks for who came later."""
_OF_EVERY_NODE: Final = ("/rosout", "/parameter_events")
_CLOCK: Final = "/clock"

Progress = Callable[[float, str], None]
"""Takes the share that is done, and what is being done."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Who is in the domain besides the one who looks."""

    topics: Mapping[str, tuple[str, ...]]
    services: Mapping[str, tuple[str, ...]]
    nodes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nobody is there; names of nodes come later than what they have."""
        return not (self.topics or self.services or self.nodes)


class Looker:
    """Looks at one cell's domain. A context manager.

    Args:
        wants: What the cell needs.
        progress: Is told how far it is.
    """

    def __init__(self, wants: Wants, progress: Progress) -> None:
        self._wants = wants
        self._progress = progress
        self._clock = SystemClock()
        self._ears: dict[str, Ear] = {}
        self._sim = ClockEar() if wants.use_sim_time else None

    def __enter__(self) -> Looker:
        self._context = Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=self._wants.domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            "andon_check",
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._own = self._node.get_fully_qualified_name()
        return self

    def __exit__(self, *_: object) -> None:
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def look(self, seconds: float) -> Seen:
        """See who is there, then listen.

        Args:
            seconds: How long to listen, s.

        Raises:
            ConfigRefusedError: This rclpy cannot take messages without callbacks.
        """
        if self._discover().is_empty:
            return self._seen(0.0)
        self._listen_to_clock()
        begun_ns = look_ns = self._clock.monotonic_ns()
        until_ns = begun_ns + seconds_to_ns(seconds)
        while (now_ns := self._clock.monotonic_ns()) < until_ns:
            if now_ns >= look_ns:
                self._listen()
                look_ns = now_ns + LOOK_NS
            moment = Moment(now_ns, self._clock.utc_ns(), self._sim_time(now_ns))
            for ear in self._ears.values():
                ear.hear(moment)
            self._progress((now_ns - begun_ns) / (until_ns - begun_ns), "listening")
            self._clock.block(TICK_S)
        return self._seen((now_ns - begun_ns) / SECOND_NS)

    # ------------------------------------------------------------------- who is there

    def _discover(self) -> Graph:
        """Wait until all that the cell names is there, or nobody comes any more."""
        begun_ns = changed_ns = self._clock.monotonic_ns()
        longest_ns = seconds_to_ns(DISCOVERY_S)
        graph = self._graph()
        while (now_ns := self._clock.monotonic_ns()) - begun_ns < longest_ns:
            before, graph = graph, self._graph()
            if graph != before:
                changed_ns = now_ns
            settled = now_ns - changed_ns > SETTLED_NS and not graph.is_empty
            if settled or self._all_there(graph):
                break
            share = (now_ns - begun_ns) / longest_ns
            self._progress(share, "looking who is there")
            self._clock.block(10 * TICK_S)
        return graph

    def _all_there(self, graph: Graph) -> bool:
        return all(
            service.name in graph.services for service in self._wants.services
        ) and (
            all(
                self._publishers(topic) if topic.is_heard else self._listeners(topic)
                for topic in self._wants.topics
            )
        )

    def _graph(self) -> Graph:
        return Graph(
            {
                name: tuple(types)
                for name, types in self._node.get_topic_names_and_types()
                if name not in _OF_EVERY_NODE
            },
            {
                name: tuple(types)
                for name, types in self._node.get_service_names_and_types()
                if not name.startswith(f"{self._own}/")
            },
            tuple(
                f"{space.rstrip('/')}/{name}"
                for name, space in self._node.get_node_names_and_namespaces()
                if f"{space.rstrip('/')}/{name}" != self._own and name[:1] != "_"
            ),
        )

    def _publishers(self, topic: WantedTopic) -> tuple[Endpoint, ...]:
        return self._endpoints(self._node.get_publishers_info_by_topic(topic.name))

    def _listeners(self, topic: WantedTopic) -> tuple[Endpoint, ...]:
        return self._endpoints(self._node.get_subscriptions_info_by_topic(topic.name))

    def _endpoints(self, infos: Iterable[Any]) -> tuple[Endpoint, ...]:
        found = [_endpoint(info) for info in infos]
        return tuple(one for one in found if one.node != self._own)

    # ---------------------------------------------------------------- what they say

    def _listen(self) -> None:
        """Begin to listen to topics that somebody publishes by now."""
        for topic in self._wants.topics:
            if not topic.is_heard or topic.where in self._ears:
                continue
            fitting = [one for one in self._publishers(topic) if one.type == topic.type]
            if fitting and self._readable(topic):
                self._ears[topic.where] = self._ear(topic, fitting)

    def _ear(self, topic: WantedTopic, publishers: Iterable[Endpoint]) -> Ear:
        kind = class_named(topic.type)
        latched = all(one.latched and one.reliable for one in publishers)
        return Ear(
            topic,
            self._tap(topic.name, kind, LATCHED if latched else SENSORS),
            functools.partial(deserialize_message, message_type=kind),
            _reader(kind, topic),
        )

    def _tap(self, name: str, kind: Any, profile: QoSProfile) -> Tap:
        tap = Tap(name, Counter())
        subscription = self._node.create_subscription(
            kind, name, tap.keep, profile, raw=True
        )
        if not tap.poll(subscription):
            raise ConfigRefusedError(
                "this rclpy hands messages to callbacks only; Jazzy and later do not"
            )
        return tap

    def _listen_to_clock(self) -> None:
        if self._sim is not None:
            kind = class_named("rosgraph_msgs/msg/Clock")
            self._sim.tap = self._tap(_CLOCK, kind, SIM_TIME)

    def _sim_time(self, now_ns: int) -> SimTime | None:
        return None if self._sim is None else self._sim.hear(now_ns)

    # ------------------------------------------------------------------ what came of it

    def _seen(self, seconds: float) -> Seen:
        graph = self._graph()
        return Seen(
            topics={topic.where: self._topic(topic) for topic in self._wants.topics},
            graph={n: t for n, t in graph.topics.items() if self._speaks(n)},
            services=graph.services,
            nodes=graph.nodes,
            seconds=seconds,
            clock_runs=self._clock_runs(),
        )

    def _speaks(self, name: str) -> bool:
        infos = self._node.get_publishers_info_by_topic(name)
        return any(_endpoint(info).node != self._own for info in infos)

    def _clock_runs(self) -> bool | None:
        if self._sim is None or not self._node.get_publishers_info_by_topic(_CLOCK):
            return None
        return self._sim.runs

    def _topic(self, topic: WantedTopic) -> TopicSeen:
        ear, pace = self._ears.get(topic.where), self._sim.pace if self._sim else 1.0
        return TopicSeen(
            publishers=self._publishers(topic),
            listeners=self._listeners(topic),
            heard=None if ear is None else ear.heard(self._clock.utc_ns(), pace),
            installed=_installed(topic),
            has_field=not _installed(topic) or self._readable(topic),
        )

    @staticmethod
    def _readable(topic: WantedTopic) -> bool:
        """Whether the type is installed, and has the field that is looked at."""
        try:
            _reader(class_named(topic.type), topic)
        except (UnknownTypeError, ConfigRefusedError):
            return False
        return True


def _endpoint(info: Any) -> Endpoint:
    offered = info.qos_profile
    return Endpoint(
        node=f"{info.node_namespace.rstrip('/')}/{info.node_name}",
        type=info.topic_type,
        reliable=offered.reliability == ReliabilityPolicy.RELIABLE,
        latched=offered.durability == DurabilityPolicy.TRANSIENT_LOCAL,
    )


def _installed(topic: WantedTopic) -> bool:
    try:
        class_named(topic.type)
    except UnknownTypeError:
        return False
    return True


def _reader(kind: Any, topic: WantedTopic) -> Callable[[Any], Value] | None:
    return field_reader(kind, topic.field, topic.where) if topic.field else None
