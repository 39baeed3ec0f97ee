"""One side of a conversation between two releases of ROS 2; run by either's Python.

python release_peer.py say DOMAIN     until its input ends
python release_peer.py hear DOMAIN    writes what it heard as JSON
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ros_nodes.loopback import loopback_environment

COUNT = 50
WITHIN_S = 20.0


class Peer:
    """A node that speaks, or one that hears."""

    def __init__(self, part: str, domain: int) -> None:
        import rclpy
        from geometry_msgs.msg import WrenchStamped
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from sensor_msgs.msg import JointState
        from std_msgs.msg import String

        self._context = Context()
        rclpy.init(args=[], context=self._context, domain_id=domain)
        self._node = Node(part, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._kinds: dict[str, Any] = {
            "/joints": JointState,
            "/wrench": WrenchStamped,
            "/words": String,
        }

    def say(self) -> None:
        """Answer one call, say everything, and stay until the input ends."""
        from std_srvs.srv import Trigger

        publishers = {
            topic: self._node.create_publisher(kind, topic, 1_000)
            for topic, kind in self._kinds.items()
        }
        calls = []

        def hold(_request: Any, response: Any) -> Any:
            calls.append(1)
            response.success, response.message = True, "gehalten"
            return response

        self._node.create_service(Trigger, "/hold", hold)
        while not calls:
            self._executor.spin_once(timeout_sec=0.05)
        wrench = self._kinds["/wrench"]()
        wrench.header.frame_id, wrench.wrench.torque.z = "tool0", -2.5
        for number in range(COUNT):
            publishers["/joints"].publish(
                self._kinds["/joints"](
                    name=["elbow", "wrist"], effort=[float(number), -1.0]
                )
            )
            publishers["/wrench"].publish(wrench)
            publishers["/words"].publish(
                self._kinds["/words"](data=f"Prüfstück {number}")
            )
        sys.stdin.read()

    def hear(self) -> None:
        """Call once everybody was found, hear everything, and write it down."""
        from std_srvs.srv import Trigger

        heard: dict[str, list[Any]] = {topic: [] for topic in self._kinds}
        for topic, kind in self._kinds.items():
            self._node.create_subscription(kind, topic, heard[topic].append, 1_000)
        client = self._node.create_client(Trigger, "/hold")
        assert client.wait_for_service(timeout_sec=WITHIN_S)
        while any(not self._node.count_publishers(topic) for topic in self._kinds):
            self._executor.spin_once(timeout_sec=0.05)
        answered = client.call_async(Trigger.Request())
        while not answered.done() or any(len(m) < COUNT for m in heard.values()):
            self._executor.spin_once(timeout_sec=0.05)
        facts = {
            "answer": answered.result().message,
            "efforts": [m.effort[0] for m in heard["/joints"]],
            "names": list(heard["/joints"][0].name),
            "torque": heard["/wrench"][0].wrench.torque.z,
            "frame": heard["/wrench"][0].header.frame_id,
            "words": [m.data for m in heard["/words"]],
            "said_types": self._hashes(self._node.get_publishers_info_by_topic),
            "heard_types": self._hashes(self._node.get_subscriptions_info_by_topic),
        }
        sys.stdout.write(json.dumps(facts))

    def _hashes(self, infos_of: Callable[[str], Iterable[Any]]) -> list[str]:
        return [str(i.topic_type_hash) for t in self._kinds for i in infos_of(t)]

    def close(self) -> None:
        """End the node."""
        import rclpy

        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


if __name__ == "__main__":
    os.environ.update(loopback_environment())
    peer = Peer(sys.argv[1], int(sys.argv[2]))
    peer.say() if sys.argv[1] == "say" else peer.hear()
    peer.close()
