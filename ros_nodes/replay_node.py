"""A recording played as a robot: cycle by cycle, each when a permit came.

Parameters besides those of robot_node: `file` (CSV, MCAP, .db3 or a rosbag2 folder),
`config` (andon.toml: which topic or column is what) and `wait_for_permits` (default
true; false plays without asking, for viewing: a cell's node would hold such a robot).
Of a CSV: `columns` ("column=topic:field:element,...") in place of `config`,
`time_column`, `group_column`, `part_column`. Of messages: `topics`, `remap`
("/from:=/to,..."), `from_s`, `to_s` (-1: to the end), and `cycle_s`, the length of a
cycle where the recording says nothing about steps. `cycles` -1: each cycle once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ros_nodes.bags.body import BagBody, Cuts, read_cycles
from ros_nodes.bags.choice import Choice, Wish, choose, recorded_for
from ros_nodes.bags.names import full_name
from ros_nodes.bags.opening import is_bag, open_bag
from ros_nodes.bags.stamps import begins_with_header
from ros_nodes.bags.table import sources_of
from ros_nodes.bags.terms import Bag
from ros_nodes.clock import SECOND_NS, seconds_to_ns
from ros_nodes.config import CellConfig, read_cell
from ros_nodes.msgdef import class_named
from ros_nodes.playback_node import installed
from ros_nodes.qos import SENSORS
from ros_nodes.recording import (
    Columns,
    RecordedBody,
    parse_columns,
    read_recording,
)
from ros_nodes.robot_node import RobotNode
from ros_nodes.simulated_robot import Body

OWN_LEAVE_NS: Final = 10 * SECOND_NS


class ReplayNode(RobotNode):
    """One recorded robot's process."""

    cycles_there = 0
    """Cycles of the recording."""

    def _body(self) -> tuple[tuple[str, ...], Body]:
        self._waits = bool(self._parameter("wait_for_permits", True))  # noqa: FBT003
        self._own_leaves = 0
        self._choice = Choice(())
        config = self._text("config", "")
        cell = read_cell(Path(config), self._cell_id) if config else None
        file = Path(self._text("file", ""))
        if is_bag(file):
            return (), self._of_messages(file, cell)
        sources = parse_columns(self._text("columns", ""))
        if not sources and cell is not None:
            sources = sources_of(cell)
        columns = Columns(
            time=self._text("time_column", "time_s"),
            group=self._text("group_column", "cycle"),
            sources=sources,
            part=self._text("part_column", ""),
        )
        recording = read_recording(file, columns)
        self.cycles_there = len(recording.cycles)
        return recording.joint_names, RecordedBody(recording)

    def _of_messages(self, file: Path, cell: CellConfig | None) -> BagBody:
        wish = Wish(
            tuple(filter(None, self._text("topics", "").split(","))),
            cell,
            _renamed(self._text("remap", "")),
        )
        from_s, to_s = self._seconds("from_s", 0.0), self._seconds("to_s", -1.0)
        cycle_s = self._seconds("cycle_s", 0.0)
        with open_bag(file) as bag:
            self._choice = choose(bag, wish, installed)
            names = [topic.recorded.name for topic in self._choice.topics]
            cycles = read_cycles(
                bag,
                names,
                Cuts("" if cycle_s else _steps_of(bag, wish), cycle_s),
                from_ns=bag.begin_ns + seconds_to_ns(from_s) if from_s else None,
                until_ns=bag.begin_ns + seconds_to_ns(to_s) if to_s >= 0 else None,
            )
        self.cycles_there = len(cycles)
        stamped = [
            topic.recorded.name
            for topic in self._choice.topics
            if begins_with_header(class_named(topic.recorded.type))
        ]
        return BagBody(cycles, stamped)

    def _cycles(self) -> int:
        wanted = super()._cycles()
        return self.cycles_there if wanted < 0 else wanted

    def _sensor_publishers(self) -> Mapping[str, Any]:
        if not self._choice.topics:
            return super()._sensor_publishers()
        return {
            topic.recorded.name: self._node.create_publisher(
                class_named(topic.recorded.type), topic.name, SENSORS
            )
            for topic in self._choice.topics
        }

    def _seconds(self, name: str, default: float) -> float:
        return float(self._parameter(name, default))

    def _before_tick(self) -> None:
        if self._waits or self._robot.busy:
            return
        self._own_leaves += 1
        leave = {
            "permit_id": f"replay-{self._own_leaves}",
            "purpose": "start",
            "action": "continue",
            "cycle": 0,
            "start_by_ns": self._clock.monotonic_ns() + OWN_LEAVE_NS,
        }
        self._robot.hear_leave(json.dumps(leave))


def _renamed(text: str) -> dict[str, str]:
    pairs = (pair.partition(":=") for pair in text.split(",") if pair)
    return {before: after for before, _, after in pairs}


def _steps_of(bag: Bag, wish: Wish) -> str:
    """The topic of the recording on which a robot's program spoke about steps."""
    if wish.cell is None:
        return ""
    name = full_name(wish.cell, wish.cell.ros.steps)
    there = recorded_for(bag, wish, (name, "std_msgs/msg/String"))
    return there.name if there is not None and there.count else ""


def main(args: list[str]) -> int:
    """Play a recording; see the module."""
    ReplayNode("replay", args).run()
    return 0
