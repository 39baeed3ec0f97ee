"""A dataset is kept whole or not at all, and reads back what was imported."""

import json
from pathlib import Path

import numpy as np
import pytest

from coordinator.errors import DatasetError
from coordinator.insight.dataset import (
    ARRAYS,
    MANIFEST,
    Dataset,
    find_dataset,
    import_dataset,
    open_dataset,
)
from coordinator.insight.stats import describe
from tests.coordinator.insight.recordings import SCHEMA, good_lines, line, write


def keep(folder: Path, lines: list[str] | None = None, **kwargs: str) -> Dataset:
    csv_file, schema_file = write(folder, lines, **kwargs)
    return import_dataset(csv_file, schema_file, data_dir=folder / "data")


def kept_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("data/datasets/*"))


def test_what_was_imported_reads_back(tmp_path: Path) -> None:
    dataset = keep(tmp_path)
    again = open_dataset(find_dataset("press", tmp_path / "data"))

    assert again.digest == dataset.digest
    assert again.schema == dataset.schema
    assert again.recording.groups == ("a", "b")
    for name in ("samples", "time_ns", "group_index", "label_index"):
        np.testing.assert_array_equal(
            getattr(again.recording, name), getattr(dataset.recording, name)
        )


def test_a_dataset_is_found_by_its_folder_too(tmp_path: Path) -> None:
    keep(tmp_path)
    folder = tmp_path / "data/datasets/press"

    assert find_dataset(str(folder), tmp_path / "elsewhere") == folder


def test_a_name_that_nobody_imported_is_refused_with_those_that_are_there(
    tmp_path: Path,
) -> None:
    keep(tmp_path)

    with pytest.raises(DatasetError, match=r"no dataset 'pres'. There are: press\."):
        find_dataset("pres", tmp_path / "data")


def test_nothing_is_half_imported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        keep(tmp_path, [*good_lines(), "b,20,abc,0,0,"])

    assert kept_files(tmp_path) == []


def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("coordinator.insight.dataset.os.fsync", full)

    with pytest.raises(DatasetError, match="cannot keep dataset 'press': No space"):
        keep(tmp_path)

    assert kept_files(tmp_path) == []


def test_the_same_recording_is_imported_once(tmp_path: Path) -> None:
    first, second = keep(tmp_path), keep(tmp_path)

    assert first.digest == second.digest
    assert kept_files(tmp_path) == ["press"]


def test_a_name_is_not_given_to_another_recording(tmp_path: Path) -> None:
    first = keep(tmp_path)

    with pytest.raises(DatasetError, match="holds another recording or schema"):
        keep(tmp_path, [line("a", t) for t in range(8)])

    assert open_dataset(tmp_path / "data/datasets/press").digest == first.digest


@pytest.mark.parametrize("name", ["../evil", "Press", "a b", "x" * 64, "-"])
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, name: str) -> None:
    csv_file, schema_file = write(tmp_path)

    with pytest.raises(DatasetError, match="ids match"):
        import_dataset(csv_file, schema_file, data_dir=tmp_path, name=name)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5])


@pytest.mark.parametrize("damage", [_flip, _truncate, Path.unlink])
@pytest.mark.parametrize("file", [ARRAYS, MANIFEST])
def test_a_damaged_dataset_is_refused(tmp_path: Path, file: str, damage) -> None:
    keep(tmp_path)
    folder = tmp_path / "data/datasets/press"
    damage(folder / file)

    with pytest.raises(DatasetError):
        open_dataset(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "andon.dataset/2"},
        {"groups": ["a"]},
        {"groups": [1, 2]},
        {"rows": {}},
        {"schema": {"rows": 4}},
    ],
)
def test_a_manifest_that_does_not_fit_its_rows_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    keep(tmp_path)
    manifest_file = tmp_path / "data/datasets/press" / MANIFEST
    manifest = json.loads(manifest_file.read_bytes()) | change
    manifest_file.write_text(
        json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    )

    with pytest.raises(DatasetError, match="dataset 'press'"):
        open_dataset(manifest_file.parent)


def test_stats_count_labels_groups_holes_ranges_and_duplicates(tmp_path: Path) -> None:
    lines = [
        *(f"a,{t},{t},1,0," for t in range(4)),
        *(f"b,{t + 10},{t},1,0," for t in range(4)),
        *(f"c,{t + 20},{t},1,1," for t in range(4)),
        *(f"d,{t + 30},{101 if t == 0 else t},,0," for t in range(4)),
        "e,40,1,1,0,",
    ]
    stats = describe(keep(tmp_path, lines))

    assert stats.windows == {"stop": 1, "slip": 0, "ok": 3}
    assert (stats.rows, stats.groups, stats.groups_without_window) == (17, 5, 1)
    assert (stats.first_at, stats.last_at, stats.span_s) == ("0.000 s", "40.000 s", 40)
    assert (stats.duplicates, stats.contradictions) == (2, 1)
    force, torque = stats.channels
    assert (force.missing, force.minimum, force.maximum) == (0.0, 0.0, 101.0)
    assert (force.out_of_range, force.absent_windows) == (1, 0)
    assert torque.missing == pytest.approx(4 / 17)
    assert torque.absent_windows == 1


def test_stats_of_a_channel_without_a_single_value(tmp_path: Path) -> None:
    schema = SCHEMA.replace('"s"', '"iso8601"')
    lines = [f"a,2022-10-26T08:00:0{t}Z,1,,0," for t in range(4)]
    stats = describe(keep(tmp_path, lines, schema=schema))

    assert stats.channels[1].minimum is None
    assert stats.channels[1].missing == 1.0
    assert stats.first_at == "2022-10-26T08:00:00+00:00"
