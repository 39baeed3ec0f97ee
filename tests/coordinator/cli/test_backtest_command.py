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
        "--provisional", "--json", numbers, "--decisions", lines,
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
    assert "Provisional, named on the command line" in table


QUICK = (
    "--warmup", "16", "--retrain-every", "1000", "--network", "features-linear",
)  # fmt: skip


@pytest.mark.slow
def test_an_unproven_gate_asks_and_says_how_far_it_is(data_dir: Path) -> None:
    numbers = data_dir / "out.json"
    table = run("bumps", "--data-dir", data_dir, *QUICK, "--json", numbers)

    scores = json.loads(numbers.read_text())
    assert scores["automated"] == 0
    assert scores["questions"] == scores["cases"]
    assert "The gate had to prove that at most 0.05 is wrong" in table
    assert "at the end: ask_all: not yet certified: " in table
    assert "audited cases" in table


@pytest.mark.slow
def test_two_calls_write_equal_bytes_and_list_what_changed(data_dir: Path) -> None:
    files, table = [], ""
    for name in ("a", "b"):
        found = [data_dir / f"{name}.{kind}" for kind in ("html", "csv", "changes.csv")]
        table = run(
            "bumps", "--data-dir", data_dir, *QUICK, "--provisional",
            "--compare", "threshold=0.999", "--sweep", "alpha=0.05,0.2", "--plot",
            "--report", found[0], "--decisions", found[1], "--changes", found[2],
        )  # fmt: skip
        files.append([file.read_bytes() for file in found])

    assert files[0] == files[1]
    page, _, changes = files[0]
    assert b"Compared with threshold=0.999" in page
    assert b"Policies beside each other" in page
    lines = changes.decode().splitlines()[1:]
    assert lines
    assert {line.rsplit(",", 1)[1] for line in lines} <= {
        "question more",
        "error avoided",
    }
    assert f"{len(lines)} of 24 decisions changed" in table
    assert "questions an hour" in table
    assert "never" in table


@pytest.mark.slow
def test_a_model_is_tried_without_training(data_dir: Path) -> None:
    from tests.coordinator.insight.given_model import given_model

    path = given_model(data_dir)
    numbers = data_dir / "out.json"
    run(
        "bumps", "--data-dir", data_dir, "--model", path.name[:10], "--provisional",
        "--json", numbers, "--compare", "model=,warmup=16,network=features-linear",
    )  # fmt: skip

    scores = json.loads(numbers.read_text())
    assert scores["cases"] == 40
    assert scores["retrains"] == 1  # the given one, on record
    assert scores["compared"]["windows"] == 24


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("nothing",), DatasetError),
        (("bumps", "--policy", "sometimes"), InputError),
        (("bumps", "--warmup", "3"), InputError),
        (("bumps", "--json", "no/such/folder/x.json"), InputError),
        (("bumps", "--report", "no/such/folder/x.html"), InputError),
        (("bumps", "--policy", "never", "--provisional"), InputError),
        (("bumps", "--compare", "colour=red"), InputError),
        (("bumps", "--sweep", "threshold"), InputError),
        (("bumps", "--sweep", "alpha=0.9"), InputError),
        (("bumps", "--model", "no-such-digest"), InputError),
    ],
)
def test_what_cannot_be_run_is_refused_before_it_runs(
    data_dir: Path, words: tuple[str, ...], kind: type[AndonError]
) -> None:
    with pytest.raises(kind):
        run(*words, "--data-dir", data_dir)
