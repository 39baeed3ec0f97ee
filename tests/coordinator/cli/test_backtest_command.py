"""`andon backtest` prints a table and writes what a program reads."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer
from typer.testing import CliRunner

from coordinator.cli import backtest as command
from coordinator.errors import AndonError, DatasetError, InputError
from coordinator.insight.dataset import import_dataset
from tests.coordinator.insight.recordings import write_separable

KEYS = [
    "cases",
    "questions",
    "audits",
    "automated",
    "automated_errors",
    "automated_error_rate",
    "missed_faults",
    "aurc",
    "ece",
    "retrains",
    "promotions",
    "seconds",
]
COLUMNS = [
    "case",
    "group",
    "time",
    "model digest",
    "probabilities",
    "confidence",
    "novelty",
    "verdict",
    "reason",
    "predicted",
    "truth",
    "audited",
]


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    csv_file, schema_file = write_separable(tmp_path, 40)
    import_dataset(csv_file, schema_file, data_dir=tmp_path, name="bumps")
    return tmp_path


def run(*words: str | Path) -> str:
    app = typer.Typer()
    command.register(app)
    app.command("other")(lambda: None)  # with one command alone typer drops its name
    result = CliRunner().invoke(app, ["backtest", *(str(word) for word in words)])
    if isinstance(result.exception, AndonError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
def test_a_backtest_gives_a_table_numbers_and_decisions(data_dir: Path) -> None:
    numbers, lines = data_dir / "out.json", data_dir / "out.csv"
    table = run(
        "bumps", "--data-dir", data_dir, "--warmup", "16", "--retrain-every", "16",
        "--json", numbers, "--decisions", lines,
    )  # fmt: skip

    scores = json.loads(numbers.read_text())
    with lines.open(newline="") as file:
        cases = list(csv.DictReader(file))
    assert list(scores) == KEYS
    assert list(cases[0]) == COLUMNS
    assert scores["cases"] == len(cases) == 40 - 16
    asked = sum(case["verdict"] == "ask" for case in cases)
    assert scores["questions"] == asked
    assert "bumps, gate, seed 0" in table
    assert "decided alone" in table


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("nothing",), DatasetError),
        (("bumps", "--policy", "sometimes"), InputError),
        (("bumps", "--warmup", "3"), InputError),
        (("bumps", "--json", "no/such/folder/x.json"), InputError),
    ],
)
def test_what_cannot_be_run_is_refused_before_it_runs(
    data_dir: Path, words: tuple[str, ...], kind: type[AndonError]
) -> None:
    with pytest.raises(kind):
        run(*words, "--data-dir", data_dir)
