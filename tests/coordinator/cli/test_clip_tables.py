"""A clip as tables: one file a topic, a row a message, units where they are known."""

import csv
import json
from pathlib import Path

import pytest

from coordinator.cli.clip_tables import write_tables
from coordinator.errors import DatasetError
from tests.tui.fake_clips import END_NS, GRIP, JOINTS, STRING, ClipMaker, make_clip


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clip = tmp_path / "one.mcap"
    clip.write_bytes(make_clip(hz=50))
    write_tables(clip, tmp_path / "one")
    return tmp_path / "one"


def test_each_topic_becomes_a_file_with_every_message(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "press_2_joint_states.csv",
        "press_2_steps.csv",
        "press_2_temp.csv",
        "press_2_wrench.csv",
    ]
    assert len(read(folder / "press_2_wrench.csv")) == 11 * 50
    assert len(read(folder / "press_2_temp.csv")) == 13


def test_a_channel_says_its_unit_and_a_joint_its_name(folder: Path) -> None:
    [first, *_] = read(folder / "press_2_joint_states.csv")

    assert list(first)[:2] == ["utc_ns", "time_s [s]"]
    assert {"position.elbow [rad]", "effort.elbow [N*m]", "velocity.elbow"} < set(first)
    assert "wrench.force.z [N]" in read(folder / "press_2_wrench.csv")[0]


def test_times_are_utc_and_seconds_from_the_end_of_the_window(folder: Path) -> None:
    rows = read(folder / "press_2_temp.csv")

    assert [float(row["time_s [s]"]) for row in rows] == list(range(-10, 3))
    assert rows[10]["utc_ns"] == str(END_NS)
    assert float(rows[10]["temperature [K]"]) == 300.0


def test_what_was_said_is_a_column_of_text(folder: Path) -> None:
    said = [json.loads(row["data"]) for row in read(folder / "press_2_steps.csv")]

    assert [one["event"] for one in said] == ["begin", "end"]


def test_a_topic_of_pictures_is_left_out_by_name(tmp_path: Path) -> None:
    clip = tmp_path / "one.mcap"
    clip.write_bytes(make_clip())

    assert write_tables(clip, tmp_path / "one").left_out == ("/press_2/cam",)


def test_a_joint_that_comes_later_is_a_column_that_begins_empty(tmp_path: Path) -> None:
    maker = ClipMaker()
    nothing: dict[str, list[float]] = {"velocity": [], "effort": []}
    maker.add("/joints", JOINTS, 0.0, name=["a"], position=[1.5], **nothing)
    maker.add("/joints", JOINTS, 0.1, name=["a", "b"], position=[1.6, 2.5], **nothing)
    clip = tmp_path / "one.mcap"
    clip.write_bytes(maker.bytes())
    [path] = write_tables(clip, tmp_path / "one").files

    assert [(row["position.a"], row["position.b"]) for row in read(path)] == [
        ("1.5", ""),
        ("1.6", "2.5"),
    ]


def test_two_topics_never_share_a_file(tmp_path: Path) -> None:
    maker = ClipMaker()
    for topic in ("/a/b", "/a_b", "/../c"):
        maker.add(topic, STRING, 0.0, data=topic)
    clip = tmp_path / "one.mcap"
    clip.write_bytes(maker.bytes())
    files = write_tables(clip, tmp_path / "one").files

    assert sorted(read(path)[0]["data"] for path in files) == ["/../c", "/a/b", "/a_b"]
    assert {path.parent for path in files} == {tmp_path / "one"}


def test_a_switch_is_a_number(tmp_path: Path) -> None:
    maker = ClipMaker()
    maker.add("/grip", GRIP, 0.0, closed=True, fingers=[0.5, 1.0, -1.0], tool=7)
    clip = tmp_path / "one.mcap"
    clip.write_bytes(maker.bytes())
    [path] = write_tables(clip, tmp_path / "one").files
    [row] = read(path)

    assert (row["closed"], row["fingers.2"], row["tool"]) == ("1", "-1.0", "7")


def test_what_is_no_clip_is_refused_with_what_to_do(tmp_path: Path) -> None:
    clip = tmp_path / "one.mcap"
    clip.write_bytes(b"no recording at all" * 50)

    with pytest.raises(
        DatasetError, match=r"cannot be read as a clip.*Export it again"
    ):
        write_tables(clip, tmp_path / "one")
    assert not (tmp_path / "one").exists()
