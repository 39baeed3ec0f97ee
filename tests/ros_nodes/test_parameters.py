"""Which parameters a cell's node takes, and what it says about the others."""

from pathlib import Path

import pytest

from ros_nodes.config import ConfigRefusedError
from ros_nodes.parameters import DESCRIBED, Parameters, read_parameters
from tests.ros_nodes.node_builders import make_config

GOOD = {"config": "andon.toml", "cell": "press-1"}


def test_what_is_not_said_has_its_default() -> None:
    assert read_parameters(GOOD) == Parameters(Path("andon.toml"), "press-1")


def test_what_every_node_has_is_no_mistake() -> None:
    said = GOOD | {
        "use_sim_time": True,
        "start_type_description_service": True,
        "qos_overrides./parameter_events.publisher.depth": 1,
    }

    assert read_parameters(said).use_sim_time


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(
            {"cel": "x"}, "unknown key 'cel' (did you mean 'cell'?)", id="typo"
        ),
        pytest.param({"cell": 42}, "cell is 42, and must be a text", id="number"),
        pytest.param({"cell": ""}, "cell is missing", id="no-cell"),
        pytest.param({"config": ""}, "config is missing", id="no-config"),
        pytest.param({"autostart": "yes"}, "must be true or false", id="flag"),
        pytest.param({"autostart": 1}, "must be true or false", id="one-is-not-true"),
        pytest.param({"target": "localhost"}, "not host:port", id="no-port"),
        pytest.param({"target": "localhost:0"}, "not host:port", id="port-0"),
        pytest.param({"target": "localhost:70000"}, "not host:port", id="port-high"),
        pytest.param({"step": "Insert!"}, "'Insert!' does not match", id="step"),
        pytest.param({"part_id": "a\nb"}, "no line of at most", id="part"),
        pytest.param({"part_id": "x" * 129}, "no line of at most 128", id="part-long"),
    ],
)
def test_what_cannot_be_lived_with_is_refused_in_one_sentence(said, words: str) -> None:
    with pytest.raises(ConfigRefusedError) as refused:
        read_parameters(GOOD | said)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_parameter_overrides_the_file() -> None:
    config = make_config(target="file:1")
    said = read_parameters(
        GOOD | {"target": "said:2", "step": "screw", "use_sim_time": True}
    )
    laid = said.over(config)

    assert laid.target == "said:2"
    assert laid.ros.program.step == "screw"
    assert laid.ros.use_sim_time
    assert read_parameters(GOOD).over(config) == config


def test_only_the_part_may_change_at_work() -> None:
    assert [name for name, one in DESCRIBED.items() if one.at_work] == ["part_id"]
