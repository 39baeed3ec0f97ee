"""How a robot is held and heard, as the node and the coordinator read it."""

from pathlib import Path

import pytest

from coordinator import config
from coordinator.errors import ConfigError
from ros_nodes.config import ConfigRefusedError, ReadBack, SafetySpec, read_cell

ROBOT = """
[cells.press-1.ros.robot]
adapter = "topic"
hold = "andon_hold"
timeout_s = 0.5
read_back = { topic = "/plc/stands", type = "std_msgs/msg/Int32", field = "data", \
held = [0, 2] }

[[cells.press-1.ros.safety]]
topic = "/plc/safety"
type = "std_msgs/msg/UInt8"
normal = [1]
"""


def written(folder: Path, robot: str) -> Path:
    text = config.template()
    begin = text.index("[cells.press-1.ros.robot]")
    end = text.index("[cells.press-1.ros.clip]")
    path = folder / "andon.toml"
    path.write_text(text[:begin] + robot + "\n" + text[end:], encoding="utf-8")
    return path


def test_both_sides_read_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, ROBOT)
    node = read_cell(path, "press-1").ros
    coordinator = config.load(path).cells["press-1"].ros

    assert node.robot.read_back == ReadBack(
        "/plc/stands", "std_msgs/msg/Int32", "data", (0, 2)
    )
    assert node.safety == (
        SafetySpec("/plc/safety", "std_msgs/msg/UInt8", "data", (1,)),
    )
    assert coordinator.robot.adapter == node.robot.adapter == "topic"
    assert coordinator.robot.read_back is not None
    assert coordinator.robot.read_back.held == (0, 2)
    assert coordinator.safety[0].normal == (1,)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param('"topic"\n', '"mail"\n', "set_bool", id="adapter"),
        pytest.param("read_back = {", "# {", "needs a read_back", id="unconfirmed"),
        pytest.param("held = [0, 2]", "held = []", "held", id="no-held"),
        pytest.param("normal = [1]", "", "normal", id="no-normal"),
        pytest.param("normal = [1]", "normal = [1]\nok = 1", "unknown key", id="key"),
        pytest.param("timeout_s = 0.5", "timeout_s = 0", "timeout_s", id="no-time"),
        pytest.param("std_msgs/msg/UInt8", "UInt8", "type", id="type"),
    ],
)
def test_both_sides_refuse_what_neither_can_live_with(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in ROBOT
    path = written(tmp_path, ROBOT.replace(before, after))

    with pytest.raises(ConfigError, match=words):
        config.load(path)
    with pytest.raises(ConfigRefusedError, match=words):
        read_cell(path, "press-1")
