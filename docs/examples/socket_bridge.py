"""A line of text on a socket in place of ~/decide, for controllers without ROS.

    python socket_bridge.py --ros-args -r __ns:=/press_1 -p listen:=192.168.1.10:50601

The controller's program (in docs/robot_program.md one in URScript) connects, sends a
line at the end of each step and reads one: [continue], [rework] or [reject] when it may
go on, [held ...] when it may not. It listens unprotected: use a cable of its own.
"""

import socket
import socketserver
import threading

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from std_srvs.srv import Trigger


class Bridge(socketserver.ThreadingTCPServer):
    """One node, and one client for each program that connects."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.node = rclpy.create_node("socket_bridge")
        listen = str(self.node.declare_parameter("listen", "127.0.0.1:50601").value)
        host, _, port = listen.rpartition(":")
        super().__init__((host, int(port)), Program)


class Program(socketserver.StreamRequestHandler):
    """One program of a controller, from connecting to hanging up."""

    server: Bridge

    def handle(self) -> None:
        """Answer its lines, one after another."""
        node = self.server.node
        # Its own client: when the program hangs up, andon notices that it is gone.
        client = node.create_client(Trigger, "cell_node/decide")
        try:
            while self.rfile.readline(100):
                client.wait_for_service()
                answered = threading.Event()
                call = client.call_async(Trigger.Request())
                call.add_done_callback(lambda _, event=answered: event.set())
                while not answered.wait(timeout=0.5):
                    if self._hung_up():
                        return
                answer = call.result()
                words = answer.message if answer.success else f"held {answer.message}"
                self.wfile.write(f"[{words}]\n".encode())
        finally:
            node.destroy_client(client)

    def _hung_up(self) -> bool:
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return self.connection.recv(1, flags) == b""
        except BlockingIOError:
            return False


def main() -> None:
    """Serve until interrupted."""
    rclpy.init()
    with Bridge() as bridge:
        executor = SingleThreadedExecutor()
        executor.add_node(bridge.node)
        threading.Thread(target=bridge.serve_forever, daemon=True).start()
        try:
            executor.spin()
        except (KeyboardInterrupt, ExternalShutdownException):
            bridge.shutdown()


if __name__ == "__main__":
    main()
