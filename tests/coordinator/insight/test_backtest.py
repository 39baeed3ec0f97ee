"""A backtest runs a recording through the real paths, and runs the same way twice."""

import asyncio
import io
import math
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from coordinator.errors import ConfigError, InputError
from coordinator.insight.backtest import (
    Backtest,
    BacktestPlan,
    GateMove,
    Streamed,
    _moved,
    backtest,
    replay,
)
from coordinator.insight.dataset import Dataset, import_dataset
from coordinator.insight.scores import write_decisions
from coordinator.terms import AutomatedError, Decision, GateState, GateStatus
from tests.builders import PEG
from tests.coordinator.insight.recordings import write_separable

pytestmark = pytest.mark.slow
PLAN = BacktestPlan(warmup=24, retrain_every=24, seed=5, audit_share=0.1)
CYCLES = 80
PROVING: Any = {"retrain_every": 10_000, "audits_per_hour": 200.0}
"""One model for the whole recording, and time for audits."""
EXAMPLE = Path(__file__).parents[3] / "docs/examples/ur3_cobotops.toml"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("recording")
    csv_file, schema_file = write_separable(folder, CYCLES)
    return import_dataset(csv_file, schema_file, data_dir=folder)


def run(dataset: Dataset, plan: BacktestPlan = PLAN, **changes: Any) -> Backtest:
    return asyncio.run(backtest(dataset, replace(plan, **changes)))


def decisions(done: Backtest) -> str:
    file = io.StringIO()
    write_decisions(done.cases, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def gated(dataset: Dataset) -> Backtest:
    return run(dataset)


def test_the_gate_learns_to_act_on_what_is_easily_told_apart(gated: Backtest) -> None:
    scores = gated.scores

    assert scores.cases == CYCLES - PLAN.warmup
    assert scores.retrains >= 1
    assert 1 <= scores.promotions <= scores.retrains
    assert scores.automated > scores.cases / 3
    assert scores.questions + scores.automated == scores.cases
    assert scores.automated_error_rate is not None
    assert scores.automated_error_rate < 0.2
    assert scores.audits >= 1


def test_two_runs_with_one_seed_decide_the_same_in_every_byte(
    dataset: Dataset, gated: Backtest
) -> None:
    assert decisions(run(dataset)) == decisions(gated)


def test_each_window_is_scored_with_the_model_that_served_when_it_came(
    gated: Backtest,
) -> None:
    models = [case.prediction.model_digest for case in gated.cases if case.prediction]

    assert len(dict.fromkeys(models)) == gated.scores.promotions
    changes = sum(a != b for a, b in pairwise(models))
    assert changes == gated.scores.promotions - 1


def test_cases_come_in_the_order_of_time_after_the_warm_up(gated: Backtest) -> None:
    numbers = [case.number for case in gated.cases]

    assert numbers == list(range(PLAN.warmup + 1, CYCLES + 1))


def test_always_asks_about_everything(dataset: Dataset) -> None:
    scores = run(dataset, policy="always").scores

    assert (scores.questions, scores.automated) == (scores.cases, 0)
    assert scores.automated_error_rate is None
    assert scores.aurc is not None


def test_never_asks_nothing_once_a_model_serves(dataset: Dataset) -> None:
    done = run(dataset, policy="never", audit_share=0.0)

    asked = [case for case in done.cases if case.verdict.decision is Decision.ASK]
    assert all(case.verdict.code == "ASK_ALL" for case in asked)
    assert done.scores.automated == done.scores.cases - len(asked)
    assert done.scores.audits == 0


def test_random_asks_its_number(dataset: Dataset) -> None:
    assert run(dataset, policy="random:30").scores.questions == 30


def test_a_person_who_errs_teaches_errors_and_is_not_the_truth(
    dataset: Dataset, gated: Backtest
) -> None:
    scores = run(dataset, error_rate=0.4).scores

    assert scores.cases == gated.scores.cases
    assert scores.automated <= gated.scores.automated


def test_progress_is_told_after_every_window(dataset: Dataset) -> None:
    told: list[tuple[int, int]] = []
    plan = replace(PLAN, warmup=70)
    asyncio.run(
        backtest(dataset, plan, progress=lambda done, of, _: told.append((done, of)))
    )

    assert told == [(i + 1, CYCLES) for i in range(CYCLES)]


def test_an_unusable_window_is_held_and_the_cell_goes_on(tmp_path: Path) -> None:
    csv_file, schema_file = write_separable(tmp_path, 40)
    lines = csv_file.read_text().splitlines()
    for cycle, force in ((30, "1e20"), (35, "")):
        spoilt = lines[8 * cycle + 3].split(",")
        lines[8 * cycle + 3] = ",".join([*spoilt[:2], force, *spoilt[3:]])
    csv_file.write_text("\n".join(lines) + "\n")
    dataset = import_dataset(csv_file, schema_file, data_dir=tmp_path)

    done = run(dataset, warmup=20, retrain_every=100)

    codes = {case.number: case.verdict.code for case in done.cases}
    assert len(codes) == 20
    assert codes[31] == "OUT_OF_RANGE"
    assert codes[36] == "MISSING_CHANNEL"
    assert done.scores.questions + done.scores.automated == 18


def test_a_label_that_stops_the_cell_is_decided_alone_and_released(
    tmp_path: Path,
) -> None:
    csv_file, schema_file = write_separable(tmp_path, 60)
    schema = schema_file.read_text().replace('action = "rework"', 'action = "stop"')
    schema_file.write_text(schema)
    dataset = import_dataset(csv_file, schema_file, data_dir=tmp_path)

    done = run(dataset, policy="never")

    stopped = [case for case in done.cases if case.verdict.code == "STOP_LABEL"]
    assert stopped
    assert all(case.automated and case.predicted == "bump" for case in stopped)
    assert done.cases[-1].number == 60


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"warmup": 7}, "a warm-up of 7 labels, at least 8"),
        ({"retrain_every": 0}, "training every 0 labels"),
        ({"audit_share": 1.5}, "an audit share of 1.5"),
        ({"audit_share": float("nan")}, "an audit share of nan"),
        ({"error_rate": float("nan")}, "an error rate of nan"),
        ({"network": "cnnn"}, "there is no network 'cnnn'; known: auto, cnn, features"),
        ({"policy": "sometimes"}, "there is no policy 'sometimes'"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(
    dataset: Dataset, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run(dataset, **changes)


def test_a_threshold_that_opens_the_gate_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"threshold 0\.2"):
        run(dataset, threshold=0.2)


def recordings() -> Path | None:
    """The folder with recordings of real robots, beside the checkout or as named."""
    named = os.environ.get("ANDON_RECORDINGS")
    beside = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(named) if named else beside
    return folder if (folder / "ur3_cobotops").is_dir() else None


def test_on_a_real_cobot_asking_where_it_doubts_beats_asking_at_random(
    tmp_path: Path,
) -> None:
    folder = recordings()
    if folder is None:
        pytest.skip("no recordings: set ANDON_RECORDINGS to a folder with ur3_cobotops")
    csv_file = folder / "ur3_cobotops" / "ur3_cobotops_public.csv"
    dataset = import_dataset(csv_file, EXAMPLE, data_dir=tmp_path, name="ur3")
    plan = BacktestPlan(policy="fixed:0.9", warmup=98, retrain_every=50)

    fixed = run(dataset, plan).scores
    even = run(dataset, replace(plan, policy=f"random:{fixed.questions}")).scores

    assert len(dataset.windows()) == 765
    assert fixed.cases == even.cases == 667
    assert even.questions == fixed.questions
    assert fixed.automated_error_rate is not None
    assert even.automated_error_rate is not None
    assert fixed.automated_error_rate < 0.5 * even.automated_error_rate


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("long")
    csv_file, schema_file = write_separable(folder, 240)
    return import_dataset(csv_file, schema_file, data_dir=folder)


def test_a_gate_that_must_prove_itself_decides_nothing_before(long: Dataset) -> None:
    done = run(long, policy="certified", alpha=0.2, delta=0.2, **PROVING)

    assert [move.state for move in done.moves] == [GateState.CERTIFIED]
    proven = done.moves[0]
    assert proven.audited >= least_cases(0.2, 0.2)
    assert not any(c.automated for c in done.cases if c.number <= proven.window)
    assert sum(c.automated for c in done.cases) > (240 - proven.window) / 3
    assert done.scores.audits >= 1


def test_a_move_of_the_gate_is_told_with_the_cases_from_before_it() -> None:
    error = AutomatedError(None, 0.0, 1.0, 0, 0)
    before = GateStatus(PEG, GateState.ASK_ALL, "", 0.2, 0.2, 17, None, 1.0, error)
    now = replace(before, state=GateState.CERTIFIED, text="certified.", audited=2)

    assert list(_moved(40, before, now)) == [
        GateMove(40, GateState.CERTIFIED, "certified.", 17)
    ]
    assert list(_moved(41, now, now)) == []


def test_a_certified_model_serves_on_while_better_ones_wait(long: Dataset) -> None:
    done = run(long, policy="certified", alpha=0.2, delta=0.2, audits_per_hour=200.0)

    states = [move.state for move in done.moves]
    assert states[0] is GateState.CERTIFIED
    assert GateState.ASK_ALL not in states
    assert done.gate is not None
    assert done.scores.promotions < done.scores.retrains
    said = [case.verdict.prediction for case in done.cases if case.automated]
    assert {it.model_digest for it in said if it} == {done.gate.model_digest}


def test_what_must_never_be_missed_is_promised_in_a_backtest_too(long: Dataset) -> None:
    labels = tuple(replace(it, must_never_miss=True) for it in long.family.labels)
    family = replace(long.family, labels=labels)
    streamed = Streamed(family, long.windows(), long.recording.groups)
    plan = replace(PLAN, policy="certified", alpha=0.4, delta=0.2, **PROVING)
    done = asyncio.run(replay(streamed, replace(plan, error_rate=0.1)))

    assert done.gate is not None
    assert done.gate.certificate is not None
    assert sum(group.missed for group in done.gate.certificate.groups) > 0


def test_a_recording_too_short_for_a_proof_is_asked_throughout(gated, dataset) -> None:
    done = run(dataset, policy="certified")

    assert gated.scores.automated > 0
    assert done.scores.automated == 0
    assert done.scores.questions == done.scores.cases
    assert done.moves == ()
    assert done.gate is not None
    assert done.gate.state is GateState.ASK_ALL
    assert f"{done.gate.audited} of about {done.gate.needed} audited" in done.gate.text


def least_cases(alpha: float, delta: float) -> int:
    """So many cases without an error any proof needs."""
    return math.ceil(math.log(delta) / math.log(1.0 - alpha))
