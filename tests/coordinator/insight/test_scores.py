"""What a backtest counts, and what it writes."""

import csv
import io

from coordinator.insight.scores import COLUMNS, Case, score, write_decisions
from coordinator.terms import Decision, Digest, Prediction, Verdict

LABELS = ("stop", "slip", "ok")


def make_case(
    decision: Decision,
    predicted: str = "",
    truth: str = "ok",
    *,
    code: str = "",
    audited: bool = False,
    number: int = 1,
) -> Case:
    prediction = None
    if predicted:
        said = tuple(0.8 if label == predicted else 0.1 for label in LABELS)
        prediction = Prediction(Digest("ab" * 32), LABELS, (0.0,) * 3, said, 0.25)
    verdict = Verdict(decision, code or decision.name, 'a "reason", here', prediction)
    return Case(number, "run 7", "12.000 s", verdict, truth, audited)


def counted(cases: list[Case]):
    return score(cases, "ok", retrains=2, promotions=1, seconds=3.0)


def test_cases_are_counted_by_what_became_of_them() -> None:
    scores = counted(
        [
            make_case(Decision.ACT, "ok", "ok"),
            make_case(Decision.ACT, "ok", "slip", audited=True),
            make_case(Decision.ACT, "slip", "ok"),
            make_case(Decision.HOLD, "stop", "stop", code="STOP_LABEL"),
            make_case(Decision.HOLD, "", "ok", code="GAP"),
            make_case(Decision.ASK, "ok", "slip"),
            make_case(Decision.ASK, "", "ok"),
        ]
    )

    assert (scores.cases, scores.questions, scores.audits) == (7, 2, 1)
    assert (scores.automated, scores.automated_errors) == (4, 2)
    assert scores.automated_error_rate == 0.5
    assert scores.missed_faults == 1
    assert scores.aurc is not None
    assert scores.ece is not None


def test_a_share_of_nothing_is_none() -> None:
    scores = counted([make_case(Decision.ASK, "", "ok")])

    assert scores.automated_error_rate is None
    assert scores.aurc is None
    assert scores.ece is None


def test_decisions_are_one_line_a_case() -> None:
    file = io.StringIO()
    write_decisions(
        [
            make_case(Decision.ACT, "slip", "ok", audited=True, number=99),
            make_case(Decision.HOLD, "", "ok", code="GAP", number=100),
        ],
        file,
    )
    first, second = csv.DictReader(io.StringIO(file.getvalue()))

    assert list(first) == list(COLUMNS)
    assert first["case"] == "99"
    assert first["probabilities"] == "stop=0.1 slip=0.8 ok=0.1"
    assert (first["confidence"], first["novelty"]) == ("0.8", "0.25")
    assert (first["verdict"], first["audited"]) == ("act", "true")
    assert first["reason"] == 'ACT: a "reason", here'
    assert (first["predicted"], first["truth"]) == ("slip", "ok")
    assert (second["model digest"], second["predicted"]) == ("", "")
