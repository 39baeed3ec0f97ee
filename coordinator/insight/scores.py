"""What a backtest is judged by: one case a window, and the numbers over all of them.

Prequential: each window is scored with the model that served when it came.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TextIO

import numpy as np

from coordinator.learning.validation.metrics import aurc, ece
from coordinator.terms import Decision, Prediction, Verdict

COLUMNS: Final = (
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
)


@dataclass(frozen=True, slots=True)
class Case:
    """One window after the warm-up.

    Attributes:
        number: Of the window in the recording, in the order of time, from 1.
        group: Its cycle or run.
        time: When it could be judged, as in the recording.
        verdict: What was decided, and by which prediction.
        truth: The recorded label.
        audited: A person also saw it, though it was decided alone.
    """

    number: int
    group: str
    time: str
    verdict: Verdict
    truth: str
    audited: bool

    @property
    def prediction(self) -> Prediction | None:
        """What the serving model said; None without one."""
        return self.verdict.prediction

    @property
    def automated(self) -> bool:
        """Whether the model's label was acted on without a question.

        A label that stops the cell is acted on too: by holding it.
        """
        return self.prediction is not None and (
            self.verdict.decision is Decision.ACT or self.verdict.code == "STOP_LABEL"
        )

    @property
    def predicted(self) -> str:
        """The model's first guess; "" without one."""
        return "" if self.prediction is None else self.prediction.label


@dataclass(frozen=True, slots=True)
class Scores:
    """A backtest in numbers; the field names are the keys of its JSON.

    Attributes:
        cases: Windows after the warm-up.
        questions: Of these, asked.
        audits: Of these, decided alone and also shown to a person.
        automated: Of these, decided alone.
        automated_errors: Decided alone, and wrongly.
        automated_error_rate: Errors per window decided alone; None where there is none.
        missed_faults: Decided alone as the default label, where truth is another.
        aurc: Area under the risk-coverage curve; None without a prediction.
        ece: Expected calibration error over ten bins; None without a prediction.
        retrains: Trainings that ended with a candidate.
        promotions: Candidates that went on to serve.
        seconds: How long the run took.
    """

    cases: int
    questions: int
    audits: int
    automated: int
    automated_errors: int
    automated_error_rate: float | None
    missed_faults: int
    aurc: float | None
    ece: float | None
    retrains: int
    promotions: int
    seconds: float


def score(
    cases: Sequence[Case],
    default_label: str,
    *,
    retrains: int,
    promotions: int,
    seconds: float,
) -> Scores:
    """Count over all cases."""
    automated = [case for case in cases if case.automated]
    errors = [case for case in automated if case.predicted != case.truth]
    missed = [case for case in errors if case.predicted == default_label]
    said = [(case.prediction, case.truth) for case in cases]
    confidence = np.array([p.confidence for p, _ in said if p is not None])
    correct = np.array([p.label == truth for p, truth in said if p is not None], bool)
    return Scores(
        cases=len(cases),
        questions=sum(case.verdict.decision is Decision.ASK for case in cases),
        audits=sum(case.audited for case in cases),
        automated=len(automated),
        automated_errors=len(errors),
        automated_error_rate=len(errors) / len(automated) if automated else None,
        missed_faults=len(missed),
        aurc=aurc(confidence, correct) if len(correct) else None,
        ece=ece(confidence, correct) if len(correct) else None,
        retrains=retrains,
        promotions=promotions,
        seconds=seconds,
    )


def write_decisions(cases: Sequence[Case], file: TextIO) -> None:
    """Write one CSV line a case; floats in full, so that equal runs are equal bytes."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for case in cases:
        said = case.prediction
        told = ("", "", "", "")
        if said is not None:
            pairs = zip(said.labels, said.probabilities, strict=True)
            told = (
                said.model_digest,
                " ".join(f"{label}={p!r}" for label, p in pairs),
                repr(said.confidence),
                repr(said.novelty),
            )
        lines.writerow(
            (
                case.number,
                case.group,
                case.time,
                *told,
                case.verdict.decision.value,
                f"{case.verdict.code}: {case.verdict.reason}",
                case.predicted,
                case.truth,
                str(case.audited).lower(),
            )
        )
