"""The program of a simulated robot that calls ~/decide for its leave.

What `docs/robot_program.md` asks of a program: it calls before it first moves and at
the end of each step, moves only on a success, calls again after a refusal, and again
when it has waited so long that its node may be another one by now.
"""

from __future__ import annotations

import json
from typing import Any, Final

from std_msgs.msg import String
from std_srvs.srv import Trigger

from ros_nodes.clock import SECOND_NS, Clock
from ros_nodes.permission import Begin
from ros_nodes.simulated_robot import SimulatedRobot
from ros_nodes.talk import leave_text
from ros_nodes.terms import Action, Permit, Purpose

AGAIN_NS: Final = SECOND_NS // 2
"""Time after a refusal until the next call."""
PATIENCE_NS: Final = 60 * SECOND_NS
"""Time after which a call that is not answered is made anew."""


class CallingProgram:
    """Calls when its robot has nothing to do, and lets it work when it may.

    Args:
        client: Of the cell node's ~/decide, an rclpy client.
        parts: Of serial numbers, an rclpy publisher.
        robot: The robot.
        clock: For waiting.
    """

    def __init__(
        self, client: Any, parts: Any, robot: SimulatedRobot, clock: Clock
    ) -> None:
        self._client = client
        self._parts = parts
        self._robot = robot
        self._clock = clock
        self._call: Any = None
        self._called_ns = 0
        self._not_before_ns = 0
        self._calls = 0
        self._over = False

    def say(self, step: str) -> None:
        """Say of a step what the node cannot know: the part's serial number."""
        self._parts.publish(String(data=json.loads(step)["part_id"]))

    def tick(self) -> None:
        """Call, look for an answer, or let the robot work."""
        now_ns = self._clock.monotonic_ns()
        if self._call is None:
            self._call_if_due(now_ns)
        elif self._call.done():
            if self._robot.paused:
                return  # a program that is paused reads its answer when it goes on
            answer, self._call = self._call.result(), None
            if answer.success:
                self._robot.hear_leave(self._leave(answer.message, now_ns))
            else:
                self._not_before_ns = now_ns + AGAIN_NS
        elif now_ns - self._called_ns > PATIENCE_NS:
            self._client.remove_pending_request(self._call)
            self._call = None

    def _leave(self, action: str, now_ns: int) -> str:
        """What the robot would have been told on the topic of permits."""
        permit = Permit(
            permit_id=f"call-{self._calls}",
            purpose=Purpose.NEXT_STEP,
            session_epoch=0,
            cycle=0,
            heartbeat_seq=0,
            start_within_ns=0,
            maximum_execution_ns=0,
            action=Action(action),
        )
        return leave_text(Begin(permit, now_ns + SECOND_NS, 0))

    def _call_if_due(self, now_ns: int) -> None:
        last = self._robot.done and not self._over
        waits = self._robot.busy and not last  # the last step's end is told as well
        if waits or now_ns < self._not_before_ns:
            return
        if not self._client.service_is_ready():
            return
        self._over = last
        self._calls += 1
        self._called_ns = now_ns
        self._call = self._client.call_async(Trigger.Request())
