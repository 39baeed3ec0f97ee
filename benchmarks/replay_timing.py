"""How punctually a recording is played, and how much of it another process hears.

    python benchmarks/replay_timing.py [--seconds 10] [--hz 500] [--rate 1] [--cobots 1]

Writes a recording with joints and a wrench of each cobot at that rate, plays it with
`python -m ros_nodes replay` in a process of its own, and hears it here, best effort.
"Late" is the moment of publishing against the recorded one; "steps" are the times
between two messages of one topic where they arrive, against those of the recording.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import SECOND_NS
from ros_nodes.loopback import loopback_environment
from ros_nodes.mcap_file import McapFile

DOMAIN = 89
BEGIN_NS = 1_735_689_600 * SECOND_NS
JOINTS = "sensor_msgs/msg/JointState"
WRENCH = "geometry_msgs/msg/WrenchStamped"
NAMES = [f"joint_{n}" for n in range(7)]


def write(path: Path, *, count: int, period_ns: int, cobots: int) -> None:
    """Write a recording of evenly spaced messages; the wrench comes in between."""
    writer = JointWriter(NAMES)
    values = np.zeros(len(NAMES))
    with path.open("wb") as file:
        mcap = McapFile(file, library="andon benchmark")
        for number in range(count):
            for cobot in range(cobots):
                for half, kind in enumerate((JOINTS, WRENCH)):
                    at_ns = BEGIN_NS + number * period_ns + half * period_ns // 2
                    if kind == JOINTS:
                        message = writer.write(at_ns, values, values, values)
                    else:
                        message = write_wrench(at_ns, values[:6])
                    topic = f"/cobot_{cobot}/{'joints' if kind == JOINTS else 'wrench'}"
                    mcap.add(topic, kind, message, log_ns=at_ns, publish_ns=at_ns)
        mcap.close()


class Ear:
    """Best-effort raw subscriptions, drained every few milliseconds."""

    def __init__(self, cobots: int) -> None:
        import rclpy
        from geometry_msgs.msg import WrenchStamped
        from rclpy.context import Context
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions
        from sensor_msgs.msg import JointState

        from ros_nodes.qos import SENSORS

        self._context = Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=DOMAIN,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node("ear", context=self._context, enable_rosout=False)
        self._subscriptions = [
            self._node.create_subscription(
                kind, f"/cobot_{cobot}/{name}", self._ignore, SENSORS, raw=True
            )
            for cobot in range(cobots)
            for name, kind in (("joints", JointState), ("wrench", WrenchStamped))
        ]
        self.received_ns: dict[str, list[int]] = {}

    def _ignore(self, message: bytes) -> None:
        """Nobody spins: messages are taken."""

    def take(self) -> None:
        """Take what came."""
        for subscription in self._subscriptions:
            came = self.received_ns.setdefault(subscription.topic_name, [])
            with subscription.handle:
                while True:
                    taken = subscription.handle.take_message(
                        subscription.msg_type, True  # noqa: FBT003 - raw
                    )  # fmt: skip
                    if taken is None:
                        break
                    came.append(taken[1]["received_timestamp"])


def play(path: Path, rate: float, ear: Ear) -> dict[str, Any]:
    """Play the recording in another process; return what it says of itself."""
    words = ["replay", str(path), "--rate", str(rate), "--domain", str(DOMAIN)]
    env = dict(os.environ)
    if "_ROS_WHEELS_BOOTSTRAP_COMPLETE" in env:
        for name in ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"):
            env.pop(name, None)
    replay = subprocess.Popen(  # noqa: S603 - andon's own program
        [sys.executable, "-m", "ros_nodes", *words, "--json", "--wait", "20"],
        stdout=subprocess.PIPE,
        env=env,
    )
    while replay.poll() is None:
        ear.take()
        time.sleep(0.005)
    ear.take()
    out, _ = replay.communicate()
    if replay.returncode:
        raise SystemExit(f"the replay ended with {replay.returncode}")
    facts: dict[str, Any] = json.loads(out)
    return facts


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--hz", type=float, default=500.0)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--cobots", type=int, default=1)
    said = parser.parse_args()
    os.environ.update(loopback_environment())
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    period_ns = round(SECOND_NS / said.hz)
    count = round(said.seconds * said.hz)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.mcap"
        write(path, count=count, period_ns=period_ns, cobots=said.cobots)
        ear = Ear(said.cobots)
        facts = play(path, said.rate, ear)
    received = sum(len(times) for times in ear.received_ns.values())
    steps_ns = np.concatenate(
        [np.diff(np.array(times)) for times in ear.received_ns.values()]
    )  # (messages - topics,)
    off_ms = np.abs(steps_ns - period_ns / said.rate) / 1e6
    print(
        f"machine: {platform.platform()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, commit {commit or 'unknown'}"
    )
    print(
        f"{said.cobots} x 2 topics at {said.hz:g} Hz for {said.seconds:g} s, "
        f"rate {said.rate:g}: published {facts['messages']}, "
        f"heard {received} ({received / facts['messages']:.4%})"
    )
    print(
        f"late: p50 {facts['p50_ms']:.2f} ms, p99 {facts['p99_ms']:.2f} ms, "
        f"worst {facts['worst_ms']:.2f} ms"
    )
    print(
        f"steps: p50 {np.quantile(off_ms, 0.5):.2f} ms, "
        f"p99 {np.quantile(off_ms, 0.99):.2f} ms, worst {off_ms.max():.2f} ms"
    )


if __name__ == "__main__":
    main()
