"""The controller of a simulated robot, as ROS sees it: what a configuration names.

Ways to hold the robot, topics that show whether its program stands and what its safety
system says, and slow sensors. And the hands of people at the robot, for trying out what
andon cannot do, below the cell's namespace:

    simulated/safety_stop   std_srvs/SetBool  true: a protective stop; false: its end
    simulated/start         std_srvs/Trigger  somebody starts the robot's program anew
    simulated/deaf          std_srvs/SetBool  true: it does not obey a hold any more
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from ros_nodes.adapters.listening import Value, message_type, same
from ros_nodes.adapters.stand_ins import installed
from ros_nodes.config import RosNames, TopicSpec
from ros_nodes.likeness import JOINTS, WRENCH
from ros_nodes.qos import HOLDS
from ros_nodes.simulated_robot import Say, SimulatedRobot

STOPPED_VALUE: Final = 3
"""What a stopped robot says where numbers are spoken: a UR's PROTECTIVE_STOP."""
FULL_SPEED: Final = 100.0
"""Speed scaling of a program that runs, percent."""
DASHBOARD: Final = "dashboard_client/pause"
"""A service of that name refuses to pause what does not run, as a UR's does."""


@dataclass(slots=True)
class Shown:
    """A value on a topic that is published when it changes."""

    publisher: Any
    make: Callable[[Value], Any]
    value: Value | None = None

    def show(self, value: Value) -> None:
        """Publish a value that is new."""
        if self.value is None or not same(self.value, value):
            self.value = value
            self.publisher.publish(self.make(value))


class SimulatedController:
    """What holds a simulated robot, and what shows that it is held.

    Args:
        node: The robot's node.
        robot: The robot's program.
        names: The cell on the ROS side.
        publish: Publishes what the robot says.
        deaf_from_cycle: Cycle from which it does not obey a hold; 0: never.
    """

    def __init__(
        self,
        node: Node,
        robot: SimulatedRobot,
        names: RosNames,
        publish: Callable[[Iterable[Say]], None],
        *,
        deaf_from_cycle: int = 0,
    ) -> None:
        self._node = node
        self._robot = robot
        self._names = names
        self._publish = publish
        self._deaf_from_cycle = deaf_from_cycle
        self._deaf = False
        self._stopped = self._signalled = False
        self._shown: list[tuple[Shown, Callable[[], Value]]] = []
        self._spoken: list[tuple[Any, Callable[[], Any]]] = []
        self._offer_holds()
        self._show_states()
        self._offer_people()
        self.tick()

    # ------------------------------------------------------------------ ways to hold it

    def _offer_holds(self) -> None:
        robot, node = self._names.robot, self._node
        match robot.adapter:
            case "trigger":
                node.create_service(Trigger, robot.hold, self._trigger_hold)
                node.create_service(Trigger, robot.resume, self._trigger_resume)
            case "set_bool":
                node.create_service(SetBool, robot.hold, self._set)
            case "topic":
                node.create_subscription(Bool, robot.hold, self._signal, HOLDS)
            case _:  # nobody holds it
                pass

    def _trigger_hold(self, _request: Any, response: Any) -> Any:
        return _answer(response, self._hold())

    def _trigger_resume(self, _request: Any, response: Any) -> Any:
        return _answer(response, self._go_on())

    def _set(self, request: Any, response: Any) -> Any:
        return _answer(response, self._hold() if request.data else self._go_on())

    def _signal(self, message: Bool) -> None:
        """Hear a signal; one that stood when the program was started is no hold."""
        if message.data and not self._signalled:
            self._hold()
        elif not message.data and self._signalled:
            self._go_on()
        self._signalled = bool(message.data)

    def _hold(self) -> str:
        """Pause the program; return why not, or ""."""
        deaf_from = self._deaf_from_cycle
        if self._deaf or 0 < deaf_from <= self._robot.cycle:
            return "Failed to execute: pause (simulated: deaf)"
        if self._stands and self._names.robot.hold.endswith(DASHBOARD):
            return "Failed to execute: pause"
        self._publish(self._robot.hold())
        self.tick()
        return ""

    def _go_on(self) -> str:
        if self._stopped:
            return "Failed to execute: play"
        self._robot.resume()
        self.tick()
        return ""

    # -------------------------------------------------------------------- what it shows

    @property
    def _stands(self) -> bool:
        return self._stopped or self._robot.paused or self._robot.ended

    def _show_states(self) -> None:
        back = self._names.robot.read_back
        topics = dict(self._names.topics)
        if back is not None:
            key = next((k for k, t in topics.items() if t.name == back.topic), "")
            topics.pop(key, None)
            on_the_way = _other_than(back.held)
            self._state(
                back.topic,
                back.type,
                back.field,
                lambda: back.held[0] if self._stands else on_the_way,
                always=bool(key),
            )
        for safety in self._names.safety:
            stop, normal = _other_than(safety.normal), safety.normal[0]
            value = partial(self._safety, stop, normal)
            self._state(safety.topic, safety.type, safety.field, value)
        for topic in topics.values():
            self._slow(topic)

    def _safety(self, stop: Value, normal: Value) -> Value:
        return stop if self._stopped else normal

    def _slow(self, spec: TopicSpec) -> None:
        match spec.type:
            case "std_msgs/msg/Float64":
                self._state(spec.name, spec.type, "data", self._scaling, always=True)
            case "std_msgs/msg/Bool":
                self._state(spec.name, spec.type, "data", lambda: not self._stands)
            case kind if kind not in (JOINTS, WRENCH):
                self._node.get_logger().warning(
                    f"the twin has no {kind}: {spec.name} stays silent"
                )

    def _scaling(self) -> float:
        return 0.0 if self._stands else FULL_SPEED

    def _state(
        self,
        topic: str,
        kind: str,
        field: str,
        value: Callable[[], Value],
        *,
        always: bool = False,
    ) -> None:
        """Show a value: latched and when it changes, or always, as sensors do."""
        if not installed(kind):
            self._node.get_logger().warning(f"{kind} is not installed: {topic} silent")
            return
        message = message_type(kind, "")
        publisher = self._node.create_publisher(message, topic, 10 if always else HOLDS)
        make = partial(_message, message, field)
        if always:
            self._spoken.append((publisher, lambda: make(value())))
        else:
            self._shown.append((Shown(publisher, make), value))

    def tick(self) -> None:
        """Show what changed; call it often."""
        for shown, value in self._shown:
            shown.show(value())

    def sampled(self) -> None:
        """Say what is said with every sample of the joints."""
        for publisher, make in self._spoken:
            publisher.publish(make())

    # -------------------------------------------------------------- people at the robot

    def _offer_people(self) -> None:
        create = self._node.create_service
        create(SetBool, "simulated/safety_stop", self._people_stop)
        create(Trigger, "simulated/start", self._people_start)
        create(SetBool, "simulated/deaf", self._people_deafen)

    def _people_stop(self, request: Any, response: Any) -> Any:
        if request.data and not self._stopped:
            self._stopped = True
            self._publish(self._robot.safety_stop())
        elif not request.data:
            self._stopped = False
        self.tick()
        return _answer(response, "")

    def _people_start(self, _request: Any, response: Any) -> Any:
        if self._stopped:
            return _answer(response, "the robot's safety system stops it")
        self._robot.start_anew()
        self.tick()
        return _answer(response, "")

    def _people_deafen(self, request: Any, response: Any) -> Any:
        self._deaf, self._deaf_from_cycle = bool(request.data), 0
        return _answer(response, "")


def _answer(response: Any, refusal: str) -> Any:
    response.success, response.message = not refusal, refusal
    return response


def _other_than(values: Sequence[Value]) -> Value:
    """A value of the same kind that is none of these."""
    match values[0]:
        case bool(one):
            return not one
        case int():
            taken = [v for v in values if isinstance(v, int)]
            return STOPPED_VALUE if STOPPED_VALUE not in taken else max(taken) + 1
        case float():
            return FULL_SPEED if FULL_SPEED not in values else FULL_SPEED / 2
        case _:
            return "OTHER"


def _message(kind: Any, field: str, value: Value) -> Any:
    message = kind()
    *path, last = field.split(".")
    inner = message
    for part in path:
        inner = getattr(inner, part)
    setattr(inner, last, value)
    return message
