"""What the processes of the rate benchmark share: a cell, its pace, how they talk."""

import dataclasses
import json
import resource
import sys
import threading
import time
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_nodes.config import (
    DEFAULT_TOPICS,
    CellConfig,
    ChannelSpec,
    RosNames,
    Source,
)

JOINTS = [
    *("shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint"),
    *("wrist_1_joint", "wrist_2_joint", "wrist_3_joint", "gripper_joint"),
]
ELEMENTS = [
    *(("position", name) for name in JOINTS),
    *(("velocity", name) for name in JOINTS[:4]),
    *(("effort", name) for name in JOINTS),
]
RATE_HZ = 500.0
"""Of joints and wrench each."""
STEP_S = 0.5
"""Between two words that a step ended; a window holds as much."""
CLOSING = 3
"""Slow samples behind the last quick one: a loss shows when a later number comes."""
QUIET_S = 0.3

Facts = dict[str, Any]


def cell_config(number: int) -> CellConfig:
    """A cell with the 24 channels that `andon init` writes, at known rates."""
    sources = [Source("joints", field, name) for field, name in ELEMENTS]
    sources += [
        Source("wrench", field, axis) for field in ("force", "torque") for axis in "xyz"
    ]
    topics = {
        key: dataclasses.replace(spec, rate_hz=RATE_HZ)
        for key, spec in DEFAULT_TOPICS.items()
    }
    return CellConfig(
        cell_id=f"press-{number}",
        target="",
        channels=tuple(ChannelSpec(f"c{n}", "1", s) for n, s in enumerate(sources)),
        rows=128,
        monitor_rows=32,
        maximum_step_s=60.0,
        monitor_every_s=0.0,
        ros=RosNames(topics=topics),
    )


def say(facts: Facts) -> None:
    """Tell the starter."""
    print(json.dumps(facts), flush=True)


def heard(word: str) -> None:
    """Wait until the starter says so."""
    line = sys.stdin.readline().strip()
    if line != word:
        raise SystemExit(f"{line!r} in place of {word!r}")


class Listening(threading.Thread):
    """Waits for `end` beside what the process does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def run(self) -> None:
        """See Thread."""
        heard("end")
        self.ended.set()


class Usage:
    """CPU time of this process, threads of DDS included, since it was made."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime, time.monotonic()

    def facts(self) -> Facts:
        """CPU and wall time, s."""
        cpu_s, wall_s = self._now()
        return {"cpu_s": cpu_s - self._cpu_s, "wall_s": wall_s - self._wall_s}


def make_context() -> Context:
    """A context that leaves signals alone."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    return context


def make_node(context: Context, name: str, cell: CellConfig) -> Node:
    """A node of one cell."""
    return Node(
        name,
        context=context,
        namespace=cell.namespace,
        start_parameter_services=False,
        enable_rosout=False,
    )
