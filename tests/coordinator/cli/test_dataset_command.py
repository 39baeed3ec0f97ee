"""`andon dataset` keeps a recording, says what is in it, or refuses in one line."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from coordinator.cli import dataset as command
from coordinator.cli.progress import Bar
from coordinator.clock import ManualClock
from coordinator.errors import AndonError, DatasetError
from tests.coordinator.insight.recordings import write


@pytest.fixture
def andon() -> typer.Typer:
    app = typer.Typer()
    command.register(app)
    return app


def run(andon: typer.Typer, *words: str | Path) -> str:
    result = CliRunner().invoke(andon, [str(word) for word in words])
    if isinstance(result.exception, AndonError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_import_says_what_was_read(andon: typer.Typer, tmp_path: Path) -> None:
    csv_file, schema_file = write(tmp_path)
    said = run(
        andon, "dataset", "import", csv_file, "--schema", schema_file,
        "--name", "p1", "--data-dir", tmp_path,
    )  # fmt: skip

    assert (
        said == "dataset p1: 12 rows in 2 groups, 4 windows (1 stop, 1 slip, 2 ok).\n"
    )


def test_stats_are_a_table_for_people_and_json_for_programs(
    andon: typer.Typer, tmp_path: Path
) -> None:
    csv_file, schema_file = write(tmp_path)
    place = ("--data-dir", tmp_path)
    run(andon, "dataset", "import", csv_file, "--schema", schema_file, *place)

    table = run(andon, "dataset", "stats", "press", *place)
    numbers = json.loads(run(andon, "dataset", "stats", "press", "--json", *place))

    assert "slip" in table
    assert "25.0%" in table
    assert numbers["windows"] == {"stop": 1, "slip": 1, "ok": 2}
    assert [c["name"] for c in numbers["channels"]] == ["force", "torque"]


def test_a_refusal_is_an_error_of_andon(andon: typer.Typer, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="None is imported"):
        run(andon, "dataset", "stats", "nothing", "--data-dir", tmp_path)


def test_the_data_folder_is_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert command.resolve_data_dir(None) == Path("andon-data")
    assert command.resolve_data_dir(Path("x")) == Path("x")


def test_a_bar_stays_away_where_nobody_watches() -> None:
    clock = ManualClock()
    with Bar("reading", clock) as bar:
        bar.show(1, 2)

        assert bar._shown is None
