"""A recording played as topics, in original time or faster.

Parameters besides those of robot_node: `file` (CSV), `config` (andon.toml; the cell's
channels say which column is what) or `columns` ("column=topic:field:element,..."),
`time_column`, `group_column`, `part_column`, and `wait_for_permits` (default true;
false plays without asking, for viewing: a cell's node would hold such a robot).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ros_nodes.clock import SECOND_NS
from ros_nodes.config import read_cell
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

    def _body(self) -> tuple[tuple[str, ...], Body]:
        self._waits = bool(self._parameter("wait_for_permits", True))  # noqa: FBT003
        self._own_leaves = 0
        sources = parse_columns(self._text("columns", ""))
        config = self._text("config", "")
        if not sources and config:
            cell = read_cell(Path(config), self._cell_id)
            sources = {channel.name: channel.source for channel in cell.channels}
        columns = Columns(
            time=self._text("time_column", "time_s"),
            group=self._text("group_column", "cycle"),
            sources=sources,
            part=self._text("part_column", ""),
        )
        recording = read_recording(Path(self._text("file", "")), columns)
        return recording.joint_names, RecordedBody(recording)

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


def main(args: list[str]) -> int:
    """Play a recording; see the module."""
    ReplayNode("replay", args).run()
    return 0
