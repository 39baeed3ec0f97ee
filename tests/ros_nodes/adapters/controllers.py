"""Robot controllers that a test can disobey with, on real ROS 2."""

import threading
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool, Int8
from std_srvs.srv import SetBool, Trigger

from ros_nodes.qos import HOLDS
from tests.ros_nodes.ros_world import answer

FORBIDDEN = (
    "unlock_protective_stop",
    "restart_safety",
    "power_on",
    "brake_release",
    "close_safety_popup",
    "error_recovery",
    "resend_robot_program",
)


class Controller:
    """Offers every way to hold, shows on topics what its program does."""

    def __init__(self, node: Node) -> None:
        self.asked: list[str] = []
        self.forbidden: list[str] = []
        self.succeeds = True
        self.obeys = True
        self.let_answer = threading.Event()
        self.let_answer.set()
        self.running = node.create_publisher(Bool, "running", HOLDS)
        self.safety = node.create_publisher(Int8, "safety", HOLDS)
        node.create_service(Trigger, "hold", self._trigger_hold)
        node.create_service(Trigger, "resume", self._trigger_resume)
        node.create_service(SetBool, "held", self._set)
        node.create_subscription(Bool, "hold_signal", self._signal, HOLDS)
        for name in FORBIDDEN:
            for prefix in ("", "/dashboard_client/"):
                node.create_service(Trigger, f"{prefix}{name}", self._never(name))

    def runs(self, runs: bool) -> None:
        self.running.publish(Bool(data=runs))

    def _ask(self, what: str, *, runs: bool) -> bool:
        self.let_answer.wait(5.0)
        self.asked.append(what)
        if self.obeys:
            self.runs(runs)
        return self.succeeds

    def _trigger_hold(self, _request: Any, response: Any) -> Any:
        return answer(response, success=self._ask("hold", runs=False))

    def _trigger_resume(self, _request: Any, response: Any) -> Any:
        return answer(response, success=self._ask("resume", runs=True))

    def _set(self, request: Any, response: Any) -> Any:
        what = "hold" if request.data else "resume"
        return answer(response, success=self._ask(what, runs=not request.data))

    def _signal(self, message: Bool) -> None:
        what = "hold" if message.data else "resume"
        if self.asked[-1:] != [what]:  # a signal that stands is said again
            self._ask(what, runs=not message.data)

    def _never(self, name: str) -> Any:
        def serve(_request: Any, response: Any) -> Any:
            self.forbidden.append(name)
            return answer(response, success=True)

        return serve
