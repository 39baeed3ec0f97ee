"""A robot's program that works under andon; copy it and put your own motions in.

    python robot_program.py --ros-args -r __ns:=/press_1

Three rules, and andon can do the rest: call before the first motion, call at the end of
every step, and move only after an answer that succeeded.
"""

import time

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger

PATIENCE_S = 60.0
"""After so long call again: the node may have been restarted, and forgot the call."""

AGAIN_S = 1.0
"""After a refusal wait before calling again. The robot stands; nothing hurries."""


class DecisionPoint:
    """Where the program waits for leave."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # One client for as long as the program lives: andon knows by it that a program
        # which began again has not ended the step that was under way.
        self._client = node.create_client(Trigger, "cell_node/decide")

    def wait(self) -> str:
        """Wait for leave, minutes if need be; return what to do with the part.

        Returns:
            "continue": the part is good, go on with the next one. "rework": do it
            again on the same part. "reject": put the part aside, then the next one.
        """
        while True:
            self._client.wait_for_service()
            call = self._client.call_async(Trigger.Request())
            rclpy.spin_until_future_complete(self._node, call, timeout_sec=PATIENCE_S)
            if not call.done():
                self._client.remove_pending_request(call)
                continue
            answer = call.result()
            if answer.success:
                return str(answer.message)
            self._node.get_logger().warning(f"held: {answer.message}")
            time.sleep(AGAIN_S)


def main() -> None:
    """Work until the parts are done."""
    rclpy.init()
    node = rclpy.create_node("robot_program")
    parts = int(node.declare_parameter("parts", 1_000_000).value)
    step_s = float(node.declare_parameter("step_s", 5.0).value)
    # Latched, so that andon knows the serial number whenever it starts.
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    serial_numbers = node.create_publisher(String, "part", latched)
    andon = DecisionPoint(node)

    action = andon.wait()  # before anything moves, also before going home
    for part in range(parts):
        serial_numbers.publish(String(data=f"part-{part}"))
        while True:
            node.get_logger().info(f"working on part-{part}")
            time.sleep(step_s)  # your motions: pick, insert, retract
            action = andon.wait()
            if action != "rework":
                break
        node.get_logger().info(f"part-{part}: {action}")
        if action == "reject":
            node.get_logger().info("putting it aside")  # your motions
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
