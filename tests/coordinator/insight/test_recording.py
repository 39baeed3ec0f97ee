"""A recording is read whole, or refused with a sentence that names row and column."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.errors import DatasetError
from coordinator.insight.recording import Recording, read_recording
from coordinator.insight.schema import read_schema, schema_from
from coordinator.insight.windows import cut, filled
from coordinator.terms import Digest
from tests.coordinator.insight.recordings import (
    HEADINGS,
    SCHEMA,
    good_lines,
    line,
    write,
)


def read(folder: Path, lines: list[str] | None = None, **kwargs: str) -> Recording:
    csv_file, schema_file = write(folder, lines, **kwargs)
    return read_recording(csv_file, read_schema(schema_file))


def test_a_good_recording_is_read_row_by_row(tmp_path: Path) -> None:
    recording = read(tmp_path)

    assert recording.samples.shape == (12, 2)
    assert recording.samples.dtype == np.float32
    assert recording.groups == ("a", "b")
    assert recording.time_ns[7] == 11_000_000_000
    assert recording.label_index.tolist() == [2] * 6 + [2, 1, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param(
            "a,6,abc,0,0,",
            "row 13 (line 14), column 'Force': 'abc' is not a number",
            id="text-in-a-number",
        ),
        pytest.param(
            "a,6,1_0,0,0,", "column 'Force': '1_0' is not a number", id="underscore"
        ),
        pytest.param(
            "b,20,inf,0,0,", "column 'Force': 'inf' is not a finite", id="infinite"
        ),
        pytest.param(
            "b,20,1e39,0,0,", "column 'Force': '1e39' is not a finite", id="too-large"
        ),
        pytest.param(
            "b,20,1,0,maybe,",
            "column 'stopped': 'maybe' is neither true nor false",
            id="not-a-boolean",
        ),
        pytest.param(
            "b,9,1,0,0,",
            "column 't': time runs backwards in group 'b': 9",
            id="decreasing-time",
        ),
        pytest.param(
            "b,soon,1,0,0,", "column 't': 'soon' is not a time in s", id="time"
        ),
        pytest.param("b,nan,1,0,0,", "column 't': 'nan' is not a time", id="nan-time"),
        pytest.param("b,1e30,1,0,0,", "'1e30' is not a time", id="time-beyond-clock"),
        pytest.param(",20,1,0,0,", "column 'run': no group", id="no-group"),
        pytest.param(
            "b,20,1,0,0", "5 values, but there are 6 headings", id="short-row"
        ),
        pytest.param("b,20,1,0,0,,", "7 values, but there are 6", id="long-row"),
        pytest.param(
            "b,20,\x1b[31m" + "x" * 90 + ",0,0,",
            "'\\x1b[31mxxx",
            id="control-characters-are-not-printed",
        ),
    ],
)
def test_a_bad_row_is_refused_by_row_and_column(
    tmp_path: Path, row: str, said: str
) -> None:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, [*good_lines(), row])

    assert said in refused.value.text
    assert "press.csv" in refused.value.text
    assert str(tmp_path) not in refused.value.text
    assert refused.value.text.isprintable()


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        pytest.param(
            HEADINGS.replace("Force", "Forze"),
            "column 'Force' is missing (did you mean 'Forze'?)",
            id="missing-column",
        ),
        pytest.param(
            HEADINGS.replace("phase", "Force"), "'Force' is there twice", id="twice"
        ),
    ],
)
def test_headings_that_do_not_fit_are_refused(
    tmp_path: Path, headings: str, said: str
) -> None:
    with pytest.raises(DatasetError, match="headings: column") as refused:
        read(tmp_path, headings=headings)

    assert said in refused.value.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", r"is empty\. Save it as CSV", id="empty"),
        pytest.param(HEADINGS.encode() + b"\n", "no rows", id="headings-only"),
        pytest.param(
            b"\xff\xfe\x00", r"not UTF-8 text\. Save it as CSV", id="not-text"
        ),
        pytest.param(
            HEADINGS.encode() + b'\n"a',
            r"not CSV: .*\. Save it as CSV",
            id="open-quote",
        ),
    ],
)
def test_a_file_that_is_no_recording_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    csv_file, schema_file = write(tmp_path)
    csv_file.write_bytes(content)

    with pytest.raises(DatasetError, match=said):
        read_recording(csv_file, read_schema(schema_file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    _, schema_file = write(tmp_path)

    with pytest.raises(DatasetError, match=r"cannot read gone\.csv: No such file"):
        read_recording(tmp_path / "gone.csv", read_schema(schema_file))


def test_a_misspelt_label_is_refused_where_every_label_has_its_value(
    tmp_path: Path,
) -> None:
    schema = (
        SCHEMA.replace('column = "stopped"', 'column = "phase"\nvalue = "stopped"')
        .replace('name = "ok"\n', 'name = "ok"\ncolumn = "phase"\nvalue = "fine"\n')
        .replace('default_label = "ok"', 'default_label = "ok"')
    )

    with pytest.raises(DatasetError, match=r"column 'phase': 'sliping' is no label"):
        read(tmp_path, [line("a", 0, phase="sliping")], schema=schema)


def test_iso_times_are_read_with_and_without_zone_and_quotes(tmp_path: Path) -> None:
    schema = SCHEMA.replace('"s"', '"iso8601"')
    times = ("2022-10-26T08:17:21.847Z", "2022-10-26T08:17:22.847", '"""2023-01-01"""')
    recording = read(tmp_path, [f"a,{t},1,1,0," for t in times], schema=schema)

    assert recording.time_ns[0] == 1_666_772_241_847_000_000
    assert recording.time_ns[1] - recording.time_ns[0] == 1_000_000_000


def test_whole_nanoseconds_since_1970_lose_nothing(tmp_path: Path) -> None:
    schema = SCHEMA.replace('"s"', '"ns"')
    recording = read(tmp_path, ["a,1666772241847000001,1,1,0,"], schema=schema)

    assert recording.time_ns[0] == 1_666_772_241_847_000_001


def test_empty_values_and_values_that_stand_for_none_are_missing(
    tmp_path: Path,
) -> None:
    recording = read(tmp_path, ["a,0,,9.0,,", "a,1,NaN,1.0,0,"])

    assert np.isnan(recording.samples).tolist() == [[True, True], [True, False]]


def test_an_id_that_returns_is_another_run(tmp_path: Path) -> None:
    lines = [line("a", 0), line("b", 1), line("a", 2)]
    recording = read(tmp_path, lines)

    assert recording.groups == ("a", "b", "a~2")
    assert recording.group_index.tolist() == [0, 1, 2]


def test_no_window_crosses_a_group(tmp_path: Path) -> None:
    lines = [line("a", t) for t in range(7)] + [line("b", t) for t in range(7, 12)]
    recording = read(tmp_path, lines)
    _, schema_file = write(tmp_path)
    windows = cut(recording, read_schema(schema_file))

    assert windows.first_row.tolist() == [0, 2, 7]
    assert windows.group_index.tolist() == [0, 0, 1]
    for first, group in zip(windows.first_row, windows.group_index, strict=True):
        assert set(recording.group_index[first : first + 4]) == {group}


def test_a_window_has_the_most_severe_label_of_its_rows(tmp_path: Path) -> None:
    recording = read(tmp_path)
    _, schema_file = write(tmp_path)
    windows = cut(recording, read_schema(schema_file))

    assert windows.first_row.tolist() == [0, 2, 6, 8]
    assert windows.truth.tolist() == [2, 2, 1, 0]


def test_windows_come_in_the_order_in_which_they_end(tmp_path: Path) -> None:
    late = [line("late", t) for t in range(100, 104)]
    early = [line("early", t) for t in range(4)]
    recording = read(tmp_path, [*late, *early])
    _, schema_file = write(tmp_path)
    windows = cut(recording, read_schema(schema_file))

    assert [recording.groups[i] for i in windows.group_index] == ["early", "late"]


def test_a_recording_without_a_whole_window_is_refused(tmp_path: Path) -> None:
    recording = read(tmp_path, [line("a", t) for t in range(3)])
    _, schema_file = write(tmp_path)

    with pytest.raises(DatasetError, match="no group has the 4 rows of a window"):
        cut(recording, read_schema(schema_file))


def test_a_hole_is_filled_from_its_own_past_and_only_so_far(tmp_path: Path) -> None:
    lines = ["a,0,5,1,0,", "b,1,,1,0,", "b,2,7,1,0,", "b,3,,1,0,", "b,4,,1,0,"]
    recording = read(tmp_path, lines)

    once, twice = filled(recording, 1)[:, 0], filled(recording, 2)[:, 0]

    np.testing.assert_array_equal(once, np.array([5, np.nan, 7, 7, np.nan]))
    np.testing.assert_array_equal(twice, np.array([5, np.nan, 7, 7, 7]))
    assert np.isnan(recording.samples[3, 0])


def test_a_hole_that_stays_makes_the_channel_absent(tmp_path: Path) -> None:
    lines = ["a,0,5,1,0,", "a,1,6,9.0,0,", "a,2,7,1,0,", "a,3,8,1,0,"]
    _, schema_file = write(tmp_path)
    windows = cut(read(tmp_path, lines), read_schema(schema_file))

    assert windows.present.tolist() == [[True, False]]
    assert windows.samples[0, :, 1].tolist() == [0.0] * 4


def test_a_long_step_between_two_rows_is_a_gap(tmp_path: Path) -> None:
    schema = SCHEMA.replace('time_unit = "s"', 'time_unit = "s"\ngap_s = 2.0')
    times = [0, 1, 2, 3, 9, 10, 11, 12]
    recording = read(tmp_path, [line("a", t) for t in times], schema=schema)
    _, schema_file = write(tmp_path, schema=schema)
    windows = cut(recording, read_schema(schema_file))

    assert windows.period_ns == 1_000_000_000
    assert windows.gap_rows.tolist() == [0, 5, 0]


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
    st.integers(2, 12),
    st.integers(1, 15),
)
def test_every_group_gives_as_many_windows_as_fit(
    lengths: list[int], rows: int, stride: int
) -> None:
    schema = schema_from(
        tomllib.loads(SCHEMA) | {"rows": rows, "stride": stride}, name="s"
    )
    group_index = np.repeat(np.arange(len(lengths)), lengths)
    count = len(group_index)
    recording = Recording(
        samples=np.zeros((count, 2), np.float32),
        time_ns=np.arange(count, dtype=np.int64),
        group_index=group_index,
        label_index=np.full(count, 2),
        groups=tuple(str(i) for i in range(len(lengths))),
        source_digest=Digest("0" * 64),
    )
    expected = [max(0, (length - rows) // stride + 1) for length in lengths]
    if sum(expected) == 0:
        with pytest.raises(DatasetError, match="no group"):
            cut(recording, schema)
        return

    windows = cut(recording, schema)

    found = np.bincount(windows.group_index, minlength=len(lengths))
    assert found.tolist() == expected
    last = windows.first_row + rows - 1
    assert (group_index[windows.first_row] == group_index[last]).all()
