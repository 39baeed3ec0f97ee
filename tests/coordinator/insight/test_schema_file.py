"""A schema file says what the columns mean, and is refused with a suggestion."""

from pathlib import Path

import pytest

from coordinator.errors import DatasetError
from coordinator.insight.schema import read_schema
from coordinator.terms import Action, ChannelPolicy
from tests.coordinator.insight.recordings import SCHEMA, write

EXAMPLE = Path(__file__).parents[3] / "docs/examples/ur3_cobotops.toml"


def test_a_schema_becomes_a_family(tmp_path: Path) -> None:
    _, schema_file = write(tmp_path)
    family = read_schema(schema_file).family("press")

    assert [c.name for c in family.channels] == ["force", "torque"]
    assert family.channels[1].policy is ChannelPolicy.TOLERATE
    assert family.channels[0].source == "Force"
    assert family.label_names == ("stop", "slip", "ok")
    assert family.labels[0].action is Action.STOP
    assert family.labels[0].must_never_miss
    assert (family.rows, family.default_label) == (4, "ok")


def test_the_example_for_the_ur3_is_a_schema() -> None:
    schema = read_schema(EXAMPLE)

    assert len(schema.channels) == 13
    assert (schema.rows, schema.stride, schema.group) == (10, 5, "cycle_run")
    assert [x.name for x in schema.labels] == ["protective_stop", "grip_lost", "normal"]
    assert not any("temperature" in c.column.lower() for c in schema.channels)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stride", "strid", "unknown key 'strid' (did you mean 'stride'?)"),
        (
            'unit = "N"',
            'unit = "N"\npolicies = "ask"',
            "unknown key 'channels.1.policies' (did you mean 'policy'?)",
        ),
        (
            'value = "slipping"',
            'valu = "slipping"',
            "unknown key 'labels.2.valu' (did you mean 'value'?)",
        ),
        ('group = "run"', "", "key 'group' is missing"),
        (
            "rows = 4",
            "rows = 1",
            "rows: Input should be greater than or equal to 2, not 1.",
        ),
        ("rows = 4", "rows = nan", "rows: Input should be a finite number, not nan."),
        ('"tolerate"', '"maybe"', "channels.2.policy"),
        ("minimum = -10.0", "minimum = 10.0", "minimum must be below maximum"),
        ("maximum = 10.0", "maximum = inf", "Input should be a finite number"),
        ('default_label = "ok"', 'default_label = "fine"', "'fine' is not a label"),
        ('column = "Torque"', 'column = "Force"', "column 'Force' is two channels"),
        ('column = "Force"', 'column = "Force (N)"', "ids match"),
        ('column = "stopped"', "", "label stop: key 'column' is missing"),
        ('name = "slip"', 'name = "stop"', "a label name occurs twice"),
        ("rows = 4", "rows = 4096\nrows = 5", "is not TOML"),
        ("[[labels]]", "[[labels", "is not TOML"),
    ],
)
def test_a_schema_that_cannot_be_meant_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    _, schema_file = write(tmp_path, schema=SCHEMA.replace(old, new, 1))

    with pytest.raises(DatasetError) as refused:
        read_schema(schema_file)

    assert said in refused.value.text
    assert refused.value.text.startswith("press.toml")
    assert "\n" not in refused.value.text


@pytest.mark.parametrize("content", [b"\xff", b"x" * 2_000_000])
def test_a_file_that_is_no_schema_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "press.toml").write_bytes(content)

    with pytest.raises(DatasetError, match=r"press\.toml"):
        read_schema(tmp_path / "press.toml")
