"""What a node refuses in andon.toml, in one sentence."""

from pathlib import Path

import pytest

from coordinator.terms import channels
from ros_nodes.config import (
    ConfigRefusedError,
    Source,
    choose_cells,
    namespace_of,
    read_cell,
    read_cells,
)
from tests.ros_nodes.node_builders import TEMPLATE

GOOD = """
[families.f]
channels = [{ name = "a", unit = "N", source = "wrench:force:x" }]
[cells.c-1]
family = "f"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "andon.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_template_runs_a_node() -> None:
    cell = read_cell(TEMPLATE, "press-1")

    assert len(cell.channels) == 24
    assert (cell.rows, cell.monitor_rows) == (128, 32)
    assert cell.ros.domain_id == 42
    assert [topic.key for topic in cell.topics] == ["joints", "wrench"]
    assert cell.schema_digest == channels.schema_digest(
        [(channel.name, channel.unit) for channel in cell.channels]
    )


def test_what_is_left_out_has_the_default(tmp_path: Path) -> None:
    cell = read_cell(written(tmp_path, GOOD), "c-1")

    assert cell.target == "127.0.0.1:50551"
    assert cell.maximum_step_s == 60.0
    assert cell.ros.robot.hold == "hold"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param("c-1", "C_1", "ids match", id="cell-id"),
        pytest.param('"f"', '"g"', "family 'g' is not configured", id="family"),
        pytest.param("wrench:force:x", "wrench:force", "topic:field:element", id="two"),
        pytest.param("wrench:force:x", "imu:force:x", "unknown topic", id="topic"),
        pytest.param("wrench:force:x", "wrench:mass:x", "no field 'mass'", id="field"),
        pytest.param("wrench:force:x", "wrench:force:w", "unknown axis", id="axis"),
        pytest.param('name = "a"', 'name = ""', "name of its own", id="nameless"),
        pytest.param("channels", "signals", "channels are missing", id="no-channels"),
        pytest.param(
            'family = "f"', 'family = "f"\nmaximum_step_s = nan', "range", id="nan"
        ),
        pytest.param(
            'family = "f"', 'family = "f"\nmaximum_step_s = "1"', "number", id="text"
        ),
        pytest.param(
            'family = "f"', 'family = "f"\nros = { domain_id = 200 }', "101", id="ports"
        ),
        pytest.param(
            'family = "f"',
            'family = "f"\nros = { program = { adapter = "mail" } }',
            "known: topics, decide, signals",
            id="program",
        ),
        pytest.param(
            'family = "f"',
            'family = "f"\nros = { program = { step = "Bad Step" } }',
            "'Bad Step' does not match",
            id="step-id",
        ),
        pytest.param("[cells.c-1]", "[cells.c-1", "is not TOML", id="broken"),
    ],
)
def test_a_configuration_that_cannot_run_is_refused(
    tmp_path: Path, before, after, words
) -> None:
    assert before in GOOD

    with pytest.raises(ConfigRefusedError, match=words):
        read_cell(written(tmp_path, GOOD.replace(before, after)), "c-1")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefusedError, match="cannot be read"):
        read_cells(tmp_path / "andon.toml")


def test_an_unknown_cell_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefusedError, match="known: c-1"):
        read_cell(written(tmp_path, GOOD), "c-2")


@pytest.mark.parametrize(
    ("cell_id", "namespace"),
    [("press-1", "/press_1"), ("a.b", "/a_b"), ("7", "/cell_7"), ("x", "/x")],
)
def test_every_cell_has_a_namespace_that_ros_accepts(cell_id, namespace) -> None:
    assert namespace_of(cell_id) == namespace


def test_a_source_names_topic_field_and_element() -> None:
    source = Source.parse("joints:effort:elbow_joint")

    assert source == Source("joints", "effort", "elbow_joint")


def test_cells_that_would_share_their_ros_names_are_refused(tmp_path: Path) -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    path = tmp_path / "andon.toml"
    other = '\n[cells."press.1"]\nfamily = "peg"\n'
    path.write_text(text + other, encoding="utf-8")

    with pytest.raises(ConfigRefusedError, match=r"would both be /press_1 in ROS"):
        choose_cells(path, [])

    assert [cell.cell_id for cell in choose_cells(path, ["press.1"])] == ["press.1"]
