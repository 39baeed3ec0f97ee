"""A recorded CSV becomes a robot, or is refused with the line that is wrong."""

from pathlib import Path

import numpy as np
import pytest

from ros_nodes.config import ConfigRefusedError, Source
from ros_nodes.recording import (
    USUAL_PERIOD_S,
    Columns,
    RecordedBody,
    RecordingRefusedError,
    parse_columns,
    read_recording,
)

CSV = """time_s,cycle,serial,elbow,push
0.0,A,S1,1.0,10
0.1,A,S1,2.0,20
0.4,A,S1,3.0,
5.0,B,S2,4.0,40
"""
COLUMNS = Columns(
    time="time_s",
    group="cycle",
    sources={
        "elbow": Source("joints", "effort", "elbow_joint"),
        "push": Source("wrench", "force", "z"),
    },
    part="serial",
)


def written(folder: Path, text: str = CSV) -> Path:
    path = folder / "recording.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_group_is_a_cycle_with_its_own_times(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path), COLUMNS)

    assert recording.joint_names == ("elbow_joint",)
    assert [c.part_id for c in recording.cycles] == ["S1", "S2"]
    assert recording.cycles[0].times_s.tolist() == [0.0, 0.1, 0.4]


def test_columns_go_where_their_sources_say(tmp_path: Path) -> None:
    first = read_recording(written(tmp_path), COLUMNS).cycles[0].samples[0]

    assert first.effort.tolist() == [1.0]
    assert not len(first.position)
    assert first.wrench[2] == 10.0
    assert np.isnan(first.wrench[[0, 1, 3, 4, 5]]).all()


def test_an_empty_cell_is_no_number(tmp_path: Path) -> None:
    third = read_recording(written(tmp_path), COLUMNS).cycles[0].samples[2]

    assert np.isnan(third.wrench[2])


def test_a_recording_is_played_in_its_own_time(tmp_path: Path) -> None:
    body = RecordedBody(read_recording(written(tmp_path), COLUMNS))

    truth = body.begin_cycle(0)
    played = []
    while (sample := body.advance()) is not None:
        played.append((sample.effort[0], body.period_s))

    assert truth.part_id == "S1"
    assert played == [
        (1.0, pytest.approx(0.1)),
        (2.0, pytest.approx(0.3)),
        (3.0, USUAL_PERIOD_S),
    ]


def test_a_paused_recording_stands(tmp_path: Path) -> None:
    body = RecordedBody(read_recording(written(tmp_path), COLUMNS))
    body.begin_cycle(0)
    body.advance()
    body.pause()

    standing = [body.advance(), body.advance()]
    body.resume()
    sample = body.advance()

    assert [s.effort[0] for s in standing if s is not None] == [1.0, 1.0]
    assert sample is not None
    assert sample.effort[0] == 2.0


def test_after_the_last_cycle_it_begins_anew(tmp_path: Path) -> None:
    body = RecordedBody(read_recording(written(tmp_path), COLUMNS))

    assert [body.begin_cycle(n).part_id for n in range(3)] == ["S1", "S2", "S1"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("time_s,", "t,", "lacks column 'time_s'"),
        ("elbow", "wrist", "lacks column 'elbow'"),
        ("2.0,20", "2.0,twenty", "line 3: push is 'twenty', not a number"),
        ("0.4,A", "0.1,A", "time does not rise within cycle 'A'"),
        ("0.4,A", "x,A", "line 4: time_s"),
    ],
)
def test_a_broken_recording_is_refused(tmp_path: Path, before, after, words) -> None:
    assert before in CSV

    with pytest.raises(RecordingRefusedError, match=words):
        read_recording(written(tmp_path, CSV.replace(before, after, 1)), COLUMNS)


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefusedError, match="cannot be read"):
        read_recording(tmp_path / "none.csv", COLUMNS)


def test_a_recording_without_rows_is_refused(tmp_path: Path) -> None:
    head = CSV.splitlines()[0] + "\n"

    with pytest.raises(RecordingRefusedError, match="has no rows"):
        read_recording(written(tmp_path, head), COLUMNS)


def test_columns_can_be_named_in_one_parameter() -> None:
    columns = parse_columns("elbow=joints:effort:elbow_joint, push=wrench:force:z")

    assert columns == COLUMNS.sources


@pytest.mark.parametrize("text", ["elbow", "=joints:effort:x", "elbow=joints"])
def test_a_pair_that_names_no_source_is_refused(text) -> None:
    with pytest.raises(ConfigRefusedError):
        parse_columns(text)
