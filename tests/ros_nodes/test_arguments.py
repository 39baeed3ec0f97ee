"""One node to its users, several to ROS."""

import pytest

from ros_nodes.arguments import Arguments, divide


@pytest.mark.parametrize(
    ("words", "shared", "name"),
    [
        pytest.param("", "", "cell_node", id="nothing"),
        pytest.param(
            "--ros-args -r __ns:=/a -p config:=x -r j:=/ur/j",
            "--ros-args -r __ns:=/a -p config:=x -r j:=/ur/j",
            "cell_node",
            id="namespace-and-topics-are-for-all",
        ),
        pytest.param(
            "--ros-args -r __node:=press -p cell:=a",
            "--ros-args -p cell:=a",
            "press",
            id="a-name-is-for-one",
        ),
        pytest.param(
            "--ros-args --remap cell_node:__name:=press",
            "--ros-args",
            "press",
            id="a-name-with-a-prefix",
        ),
        pytest.param(
            "--ros-args -r other:__node:=press",
            "--ros-args -r other:__node:=press",
            "cell_node",
            id="a-name-of-another-node",
        ),
        pytest.param(
            "--ros-args -r cell_node:joint_states:=/ur/joint_states",
            "--ros-args -r joint_states:=/ur/joint_states",
            "cell_node",
            id="a-topic-of-this-node-is-its-helpers-too",
        ),
        pytest.param(
            "--ros-args -r __node:=press -r press:j:=/k -r other:j:=/l",
            "--ros-args -r j:=/k -r other:j:=/l",
            "press",
            id="a-prefix-with-the-new-name",
        ),
        pytest.param("--ros-args -r", "--ros-args -r ", "cell_node", id="cut-off"),
    ],
)
def test_a_command_line_is_divided(words: str, shared: str, name: str) -> None:
    divided = divide(words.split(), "cell_node")

    assert divided == Arguments(tuple(shared.split(" ")) if shared else (), name)
