"""What-if: changed decisions, swept promises and figures, against numbers by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest

from coordinator.errors import InputError
from coordinator.insight.backtest import BacktestPlan
from coordinator.insight.scores import Case
from coordinator.insight.whatif import figures
from coordinator.insight.whatif.compare import Effect, compare, write_changes
from coordinator.insight.whatif.settings import changed, difference
from coordinator.insight.whatif.sweep import best_threshold, hours_of, prove, sweep
from coordinator.insight.windows import LabelledWindows
from coordinator.terms import (
    Action,
    Decision,
    Digest,
    Family,
    FamilyId,
    Label,
    Prediction,
    Verdict,
)

FAMILY = Family(
    FamilyId("peg"),
    (),
    (Label("slip", Action.REWORK), Label("ok", Action.CONTINUE)),
    default_label="ok",
)
MODEL = Digest("ab" * 32)


def case(
    number: int,
    said: str = "ok",
    confidence: float = 0.95,
    *,
    truth: str = "ok",
    ask: bool = False,
    hold: bool = False,
    model: Digest = MODEL,
) -> Case:
    chances = (confidence, 1.0 - confidence)
    order = ("slip", "ok") if said == "slip" else ("ok", "slip")
    prediction = Prediction(model, order, (0.0, 0.0), chances, 0.5)
    decision, code = Decision.ACT, "ACT"
    if ask:
        decision, code = Decision.ASK, "LOW_CONFIDENCE"
    if hold:
        decision, code = Decision.HOLD, "GAP"
    verdict = Verdict(decision, code, "", None if hold else prediction)
    return Case(number, f"run-{number % 2}", f"t{number}", verdict, truth, False)


# -- compare -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        pytest.param(case(1, ask=True), case(1), Effect.SAVED, id="saved"),
        pytest.param(
            case(1, ask=True, truth="slip"),
            case(1, truth="slip"),
            Effect.WRONG,
            id="asked-then-wrong",
        ),
        pytest.param(case(1), case(1, "slip"), Effect.WRONG, id="right-then-wrong"),
        pytest.param(
            case(1, "slip"), case(1, ask=True), Effect.AVOIDED, id="wrong-then-asked"
        ),
        pytest.param(case(1, "slip"), case(1), Effect.CORRECTED, id="wrong-then-right"),
        pytest.param(case(1), case(1, ask=True), Effect.ASKED, id="right-then-asked"),
        pytest.param(
            case(1, ask=True), case(1, hold=True), Effect.OTHER, id="asked-then-held"
        ),
        pytest.param(case(1), case(1, confidence=0.99), None, id="only-surer"),
        pytest.param(
            case(1, ask=True), case(1, "slip", ask=True), None, id="asked-both-times"
        ),
    ],
)
def test_effect_of_a_change(before: Case, after: Case, effect: Effect | None) -> None:
    found = compare([before], [after]).changes

    assert [change.effect for change in found] == ([] if effect is None else [effect])


def test_windows_of_one_run_alone_are_counted_and_not_compared() -> None:
    found = compare([case(1), case(2)], [case(2, ask=True), case(3), case(4)])

    assert (found.both, found.only_before, found.only_after) == (1, 1, 2)
    assert [change.before.number for change in found.changes] == [2]


def test_every_change_is_listed_with_both_verdicts_and_the_truth() -> None:
    out = io.StringIO()
    write_changes(compare([case(7, ask=True)], [case(7)]), out)

    heads, line = out.getvalue().splitlines()
    assert heads.startswith("case,group,time,before,")
    assert line == "7,run-1,t7,ask,ok,0.95,ok,ok,0.95,ok,question saved"


def test_settings_are_read_by_name() -> None:
    plan = BacktestPlan()

    other = changed(plan, "threshold=0.8, retrain-every=20,network=cnn")

    assert (other.threshold, other.retrain_every, other.network) == (0.8, 20, "cnn")
    assert difference(other, plan) == "retrain_every=20, threshold=0.8, network=cnn"
    assert difference(plan, plan) == "the same settings"


@pytest.mark.parametrize("text", ["thresold=0.8", "threshold", "threshold=high", ""])
def test_settings_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        changed(BacktestPlan(), text)

    assert refused.value.code == "BAD_SETTING"


# -- sweep ---------------------------------------------------------------------------


def stream(confidences: list[float], wrong: set[int]) -> list[Case]:
    return [
        case(i + 1, confidence=c, truth="slip" if i in wrong else "ok")
        for i, c in enumerate(confidences)
    ]


def test_best_threshold_by_hand() -> None:
    # Surest first: right, right, wrong, right. With 25 % allowed all four may go; with
    # 20 % only the first two, and with a tie a threshold cannot part what is equal.
    cases = stream([0.9, 0.8, 0.7, 0.6], wrong={2})

    assert best_threshold(cases, 0.25, FAMILY) == 0.6
    assert best_threshold(cases, 0.20, FAMILY) == 0.8
    assert best_threshold(stream([0.9, 0.9], wrong={1}), 0.1, FAMILY) is None
    assert best_threshold(stream([0.45], wrong=set()), 0.1, FAMILY) is None


def windows(count: int, *, minutes: float = 1.0) -> LabelledWindows:
    """Two groups, one window a minute, each a minute long."""
    step = int(minutes * 60e9)
    start = np.arange(count) * step
    none = np.zeros(count, np.int64)
    return LabelledWindows(
        samples=np.zeros((count, 2, 1), np.float32),
        present=np.ones((count, 1), np.bool_),
        truth=none,
        group_index=(np.arange(count) >= count // 2).astype(np.int64),
        first_row=none,
        start_ns=start,
        end_ns=start + step,
        gap_rows=none,
        period_ns=step,
    )


def test_hours_are_those_of_each_group() -> None:
    whole = windows(120)

    assert hours_of(range(120), whole) == pytest.approx(2.0)
    assert hours_of(range(60, 120), whole) == pytest.approx(1.0)
    assert hours_of([], whole) == 0.0


def test_a_sweep_counts_the_newer_half_at_the_threshold_of_the_older() -> None:
    # Older half: the least sure ten of sixty are wrong, all below 0.7.
    confidences = [0.95] * 50 + [0.65] * 10
    older = stream(confidences, wrong=set(range(50, 60)))
    newer = [
        case(61 + i, confidence=c, truth="slip" if i == 0 else "ok")
        for i, c in enumerate([0.95] * 40 + [0.65] * 20)
    ]

    (strict, loose) = sweep([*older, *newer], windows(120), FAMILY, alphas=(0.05, 0.2))

    assert (strict.threshold, strict.alone, strict.wrong) == (0.95, 40, 1)
    assert strict.questions == 20
    assert strict.per_hour == pytest.approx(20.0)
    assert strict.missed == 1
    assert strict.risk == pytest.approx(1 / 40)
    assert strict.bound == pytest.approx(0.1129, abs=1e-3)  # Clopper-Pearson, 95 %
    assert (loose.threshold, loose.questions, loose.alone) == (0.65, 0, 60)


def test_a_short_recording_proves_nothing_and_says_how_far_it_is() -> None:
    share, text = prove(stream([0.95] * 50, wrong=set()), 0.05, 0.05, FAMILY)

    assert share is None
    assert text == "40 of about 144 audited cases"


def test_a_long_recording_of_a_good_model_is_certified() -> None:
    draws = np.random.default_rng(3)
    confidences = draws.uniform(0.9, 1.0, 400).tolist()

    share, text = prove(stream(confidences, wrong=set()), 0.05, 0.05, FAMILY)

    assert share is not None
    assert share > 0.5
    assert text.startswith("proven on ")


def test_only_the_cases_of_the_last_model_prove_anything() -> None:
    other = Digest("cd" * 32)
    cases = [case(i, model=other) for i in range(1, 301)]
    cases += [case(i) for i in range(301, 311)]

    share, text = prove(cases, 0.05, 0.05, FAMILY)

    assert share is None
    assert text.startswith("8 of about")


# -- figures -------------------------------------------------------------------------


def test_risk_at_coverage_by_hand() -> None:
    points = figures.risk_coverage(stream([0.9, 0.8, 0.7, 0.6], wrong={1}))

    assert [(p.coverage, p.risk) for p in points] == [
        (0.25, 0.0),
        (0.5, 0.5),
        (0.75, pytest.approx(1 / 3)),
        (1.0, 0.25),
    ]


def test_equal_confidences_are_one_point() -> None:
    points = figures.risk_coverage(stream([0.9, 0.9, 0.6], wrong={0}))

    assert [(p.coverage, p.confidence) for p in points] == [
        (pytest.approx(2 / 3), 0.9),
        (1.0, 0.6),
    ]


def test_a_long_curve_keeps_its_ends() -> None:
    points = figures.risk_coverage(
        stream(np.linspace(0.5, 1.0, 3000).tolist(), wrong={7})
    )

    assert len(points) <= figures.MOST_POINTS
    assert points[-1].coverage == 1.0


def test_reliability_by_hand() -> None:
    (one,) = figures.reliability(stream([0.8], wrong=set()))

    assert (one.confidence, one.right, one.cases) == (0.8, 1.0, 1)
    assert one.low == pytest.approx(0.025)
    assert one.high == 1.0


def test_blocks_count_every_case_once() -> None:
    cases = [case(1), case(2, "slip"), case(3, ask=True), case(4, hold=True)]

    blocks = figures.over_time(cases * 20)

    assert sum(block.cases for block in blocks) == 80
    assert sum(block.right for block in blocks) == 20
    assert sum(block.wrong for block in blocks) == 20
    assert sum(block.asked for block in blocks) == 20
    assert sum(block.held for block in blocks) == 20


def test_the_confusion_matrix_holds_the_windows_behind_each_number() -> None:
    cases = [case(1), case(2, truth="slip"), case(3, "slip", truth="slip", ask=True)]

    matrix = figures.confusion(cases, FAMILY.label_names)

    numbers = [[[c.number for c in cell.cases] for cell in row] for row in matrix]
    assert numbers == [[[3], [2]], [[], [1]]]
    assert [cell.alone for row in matrix for cell in row] == [0, 1, 0, 1]


def test_nothing_to_draw_is_no_error() -> None:
    assert figures.risk_coverage([]) == []
    assert figures.reliability([case(1, hold=True)]) == []
    assert figures.over_time([]) == []
