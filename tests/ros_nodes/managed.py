"""A cell's node in a process of its own, with a robot and clients beside it."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import WrenchStamped
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from ros_nodes.clock import SystemClock
from ros_nodes.loopback import PROFILE
from tests.ros_nodes.cells import Line
from tests.ros_nodes.ros_programs import clean_environment
from tests.ros_nodes.ros_world import Spun, until

JOINTS = [
    *(f"{name}_joint" for name in ("shoulder_pan", "shoulder_lift", "elbow")),
    *(f"wrist_{number}_joint" for number in (1, 2, 3)),
    "gripper_joint",
]
PERIOD_S = 0.02
NODE_COMMAND = ("-m", "ros_nodes", "cell_node")


class FakeRobot:
    """Joints and a wrench at 50 Hz, and a controller that obeys."""

    def __init__(self, ros: Spun) -> None:
        self.ros = ros
        self.asked: list[tuple[str, int]] = []
        self.obeys = True
        self.position = 0.1
        self.silent = False
        self.stamp_ns: Callable[[], int] = SystemClock().monotonic_ns
        node = ros.node
        self._joints = node.create_publisher(
            JointState, "joint_states", qos_profile_sensor_data
        )
        self._wrench = node.create_publisher(
            WrenchStamped, "wrench", qos_profile_sensor_data
        )
        node.create_service(Trigger, "hold", self._hold)
        node.create_service(Trigger, "resume", self._resume)
        node.create_timer(PERIOD_S, self._feel)

    @property
    def holds(self) -> list[int]:
        """When it was asked to hold, on the monotonic clock."""
        return [at_ns for what, at_ns in self.asked if what == "hold"]

    def _hold(self, _request: Any, response: Any) -> Any:
        self.asked.append(("hold", SystemClock().monotonic_ns()))
        response.success = self.obeys
        return response

    def _resume(self, _request: Any, response: Any) -> Any:
        self.asked.append(("resume", SystemClock().monotonic_ns()))
        response.success = self.obeys
        return response

    def _feel(self) -> None:
        if self.silent:
            return
        stamp_ns = self.stamp_ns()
        joints = JointState(
            name=JOINTS,
            position=[self.position] * len(JOINTS),
            velocity=[0.0] * len(JOINTS),
            effort=[1.0] * len(JOINTS),
        )
        wrench = WrenchStamped()
        for message in (joints, wrench):
            message.header.stamp.sec = stamp_ns // 10**9
            message.header.stamp.nanosec = stamp_ns % 10**9
        self._joints.publish(joints)
        self._wrench.publish(wrench)


class Managed:
    """One node process; its services are called from a node of the test."""

    def __init__(self, ros: Spun, process: subprocess.Popen[bytes], node: str) -> None:
        self.ros = ros
        self.process = process
        self.node = node
        self._clients: dict[str, Any] = {}
        self._reports: list[DiagnosticArray] = []
        ros.node.create_subscription(
            DiagnosticArray, "/diagnostics", self._reports.append, 10
        )

    async def call(
        self, kind: Any, service: str, request: Any, *, within: float = 10.0
    ) -> Any:
        """Call a service of the node and wait for its answer."""
        client = self.client(kind, service)
        await until(client.service_is_ready, within=within)
        future = client.call_async(request)
        await until(future.done, within=within)
        return future.result()

    def client(self, kind: Any, service: str) -> Any:
        name = service if service.startswith("/") else f"{self.node}/{service}"
        if name not in self._clients:
            self._clients[name] = self.ros.node.create_client(kind, name)
        return self._clients[name]

    # ------------------------------------------------------------------- its life

    async def change(self, transition: str) -> bool:
        """Ask for a transition, as `ros2 lifecycle set` does; whether it was made."""
        request = ChangeState.Request()
        request.transition.label = transition
        response = await self.call(ChangeState, "change_state", request)
        return bool(response.success)

    async def state(self) -> str:
        response = await self.call(GetState, "get_state", GetState.Request())
        return str(response.current_state.label)

    async def reset(self) -> None:
        """Bring it back to unconfigured, whatever a test left behind."""
        if await self.state() == "active":
            assert await self.change("deactivate")
        if await self.state() == "inactive":
            async with asyncio.timeout(10):
                while not await self.change("cleanup"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # until its robot is known to stand
        assert await self.state() == "unconfigured"

    async def set(self, name: str, value: str | bool | int) -> str:
        """Set a parameter, as `ros2 param set` does; return why not, or ""."""
        parameter = Parameter(name=name, value=_value(value))
        request = SetParameters.Request(parameters=[parameter])
        response = await self.call(SetParameters, "set_parameters", request)
        [result] = response.results
        return "" if result.successful else str(result.reason)

    def ask(self, name: str, value: str) -> None:
        """Ask for another parameter, and wait for no answer."""
        parameter = Parameter(name=name, value=_value(value))
        request = SetParameters.Request(parameters=[parameter])
        self.client(SetParameters, "set_parameters").call_async(request)

    # ------------------------------------------------------------------- diagnostics

    def forget(self) -> None:
        """Forget what was reported so far."""
        self._reports.clear()

    def statuses(self) -> dict[str, DiagnosticStatus]:
        """The newest report of this node, by what each line is about."""
        mine = self.node.lstrip("/")
        for report in reversed(self._reports):
            found = {
                status.name.partition(": ")[2]: status
                for status in report.status
                if status.name.startswith(f"{mine}: ")
            }
            if found:
                return found
        return {}

    async def told(self, about: str, words: str) -> DiagnosticStatus:
        """Wait until a line of the report says something."""

        def says() -> bool:
            status = self.statuses().get(about)
            return status is not None and words in status.message

        await until(says, within=15.0)
        return self.statuses()[about]


def _value(value: str | bool | int) -> ParameterValue:
    match value:
        case bool():
            return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
        case int():
            return ParameterValue(
                type=ParameterType.PARAMETER_INTEGER, integer_value=value
            )
        case str():
            return ParameterValue(
                type=ParameterType.PARAMETER_STRING, string_value=value
            )


def facts(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def trace(path: Path, *kinds: str) -> list[Line]:
    """What a node wrote down, of some kinds."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event for event in events if not kinds or event["event"] in kinds]


@contextmanager
def node_process(
    folder: Path,
    domain: int,
    *,
    parameters: Mapping[str, str],
    rules: Sequence[str] = ("__ns:=/press_1",),
    words: Sequence[str] = (),
    command: Sequence[str] = NODE_COMMAND,
    python: str = sys.executable,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a cell node; it is gone afterwards, however the test ends."""
    arguments = ["--ros-args", *words]
    more = {}
    if python != sys.executable:  # Jazzy reads another name, and later ones warn of it
        more["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(PROFILE)
    for rule in rules:
        arguments += ["-r", rule]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    with (folder / "node.log").open("ab") as output:
        process = subprocess.Popen(
            [python, *command, *arguments],
            cwd=folder,
            env=clean_environment(ROS_DOMAIN_ID=str(domain), **more),
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


async def ended(process: subprocess.Popen[bytes], *, within: float = 5.0) -> int:
    """Wait until a process ended; return its exit code."""
    await until(lambda: process.poll() is not None, within=within)
    assert process.returncode is not None
    return process.returncode
