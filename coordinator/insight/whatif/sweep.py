"""Alpha swept over one run: what each promise costs in questions, and takes to prove.

The threshold of an alpha is chosen on the older half of the cases, as the one that
decides most alone with at most alpha wrong there, and counted on the newer half, which
it has not seen. That is what an engineer would do with the recording, and no promise.
Beside it stands what a promise takes: a certificate is about one model, so it is tried
on the cases of the model that served last: four of five are evidence, as in the gate.

The model is the one of this run. With fewer questions it would have learned less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from coordinator.insight.scores import Case
from coordinator.insight.windows import LabelledWindows
from coordinator.live.gate.judge import is_case
from coordinator.live.gate.words import evidence as evidence_text
from coordinator.model.risk.binomial import upper_bound
from coordinator.model.risk.certification import (
    Rule,
    attempt,
    cases_in_sight,
    stream_windows,
)
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.evidence import Evidence, Stream
from coordinator.model.risk.spending import Promise
from coordinator.terms import Family

ALPHAS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
LEAST_THRESHOLD: Final = 0.5
"""No gate takes a lower one."""
ONE_IN: Final = 5
"""One case in so many only tells where thresholds may lie, as in the live gate."""
HOUR_NS: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Swept:
    """One alpha.

    Attributes:
        alpha: Most that may be wrong, of what is decided alone.
        threshold: Confidence from which the cases were decided alone; None for none.
        cases: Of the newer half.
        questions: Of these, asked.
        per_hour: Questions an hour of recording; None when it has no length.
        alone: Of these, decided alone.
        wrong: Decided alone, and wrongly.
        missed: Decided alone as the default label, where the truth is another.
        bound: The largest share of wrong ones that the newer half does not disprove,
            95 % sure; 1 when nothing was decided alone.
        certified: Share of the last model's cases that a certificate lets through;
            None without one.
        proof: How far the proof is, or on how many cases it rests.
    """

    alpha: float
    threshold: float | None
    cases: int
    questions: int
    per_hour: float | None
    alone: int
    wrong: int
    missed: int
    bound: float
    certified: float | None
    proof: str

    @property
    def risk(self) -> float | None:
        """Wrong ones of those decided alone; None where there is none."""
        return self.wrong / self.alone if self.alone else None


def sweep(
    cases: Sequence[Case],
    windows: LabelledWindows,
    family: Family,
    *,
    alphas: Sequence[float] = ALPHAS,
    delta: float = 0.05,
) -> list[Swept]:
    """Return what each alpha would have cost.

    Args:
        cases: Of one run, in the order of time.
        windows: Of the recording, for the hours.
        family: Its labels.
        alphas: What may be promised.
        delta: Probability that a certificate is not true.
    """
    half = len(cases) // 2
    older, newer = cases[:half], cases[half:]
    hours = hours_of([case.number - 1 for case in newer], windows)
    return [_swept(alpha, delta, older, newer, hours, family) for alpha in alphas]


def _swept(
    alpha: float,
    delta: float,
    older: Sequence[Case],
    newer: Sequence[Case],
    hours: float,
    family: Family,
) -> Swept:
    threshold = best_threshold(older, alpha, family)
    alone = [case for case in newer if _alone(case, threshold, family)]
    wrong = [case for case in alone if case.predicted != case.truth]
    asked = sum(not _held(case) for case in newer) - len(alone)
    certified, proof = prove([*older, *newer], alpha, delta, family)
    return Swept(
        alpha=alpha,
        threshold=threshold,
        cases=len(newer),
        questions=asked,
        per_hour=asked / hours if hours > 0.0 else None,
        alone=len(alone),
        wrong=len(wrong),
        missed=sum(case.predicted == family.default_label for case in wrong),
        bound=upper_bound(len(wrong), len(alone), 0.05),
        certified=certified,
        proof=proof,
    )


def best_threshold(cases: Sequence[Case], alpha: float, family: Family) -> float | None:
    """Return the threshold that decides most alone with at most alpha wrong."""
    able = sorted(
        (
            (p.confidence, p.label != case.truth)
            for case in cases
            if (p := case.prediction) is not None and is_case(case.verdict, family)
        ),
        key=lambda pair: -pair[0],
    )
    found, wrong = None, 0
    for place, (confidence, is_wrong) in enumerate(able, 1):
        wrong += is_wrong
        tied = place < len(able) and able[place][0] == confidence
        if not tied and confidence >= LEAST_THRESHOLD and wrong <= alpha * place:
            found = confidence
    return found


def prove(
    cases: Sequence[Case], alpha: float, delta: float, family: Family
) -> tuple[float | None, str]:
    """Try to certify the model that served last, with all its cases as audits.

    Returns:
        Share of its cases that would be decided alone, None without a certificate; and
        a sentence about the evidence.
    """
    labels = list(family.label_names)
    rule = _rule(alpha, delta, family)
    able = _of_last_model([c for c in cases if is_case(c.verdict, family)])
    told = [case for i, case in enumerate(able) if i % ONE_IN]
    passed_over = [case for i, case in enumerate(able) if not i % ONE_IN]
    all_evidence = _evidence(told, labels, rule.costs)
    look, widest = 1, None
    while rule.size(look) <= len(told):
        size = rule.size(look)
        stream = _stream(passed_over[: stream_windows(size)], labels)
        some = _evidence(told[:size], labels, rule.costs)
        for tested in attempt(stream, some, rule, look):
            if tested.threshold is not None:
                inside = np.isin(stream.said, tested.labels)
                share = float((inside & (stream.confidence >= tested.threshold)).mean())
                widest = max(widest or 0.0, share)
        look += 1
    if widest is not None:
        return widest, f"proven on {rule.size(look - 1)} of its cases"
    sight = cases_in_sight(all_evidence, rule, look)
    return None, evidence_text(len(told), sight)


def _rule(alpha: float, delta: float, family: Family) -> Rule:
    never = frozenset(label.name for label in family.labels if label.must_never_miss)
    return Rule(Promise(alpha, delta, alpha), Costs({}, never), len(family.labels))


def _of_last_model(able: Sequence[Case]) -> list[Case]:
    if not able or able[-1].prediction is None:
        return []
    last = able[-1].prediction.model_digest
    return [c for c in able if c.prediction and c.prediction.model_digest == last]


def _evidence(cases: Sequence[Case], labels: list[str], costs: Costs) -> Evidence:
    pairs = [(case.predicted, case.truth) for case in cases]
    return Evidence(
        np.array([labels.index(said) for said, _ in pairs], np.int64),
        np.array([c.prediction.confidence for c in cases if c.prediction], np.float64),
        np.array([costs.loss(*pair) for pair in pairs], np.float64),
        np.array([costs.missed(*pair) for pair in pairs], np.bool_),
    )


def _stream(cases: Sequence[Case], labels: list[str]) -> Stream:
    return Stream(
        np.array([labels.index(case.predicted) for case in cases], np.int64),
        np.array([c.prediction.confidence for c in cases if c.prediction], np.float64),
    )


def _alone(case: Case, threshold: float | None, family: Family) -> bool:
    said = case.prediction
    return (
        threshold is not None
        and said is not None
        and is_case(case.verdict, family)
        and said.confidence >= threshold
    )


def _held(case: Case) -> bool:
    """Not usable, whatever the promise."""
    return case.verdict.decision.value == "hold" and not case.automated


def hours_of(numbers: Sequence[int], windows: LabelledWindows) -> float:
    """Hours of recording of some windows: from first to last, group by group."""
    spans: dict[int, tuple[int, int]] = {}
    for number in numbers:
        group = int(windows.group_index[number])
        start, end = int(windows.start_ns[number]), int(windows.end_ns[number])
        first, last = spans.get(group, (start, end))
        spans[group] = (min(first, start), max(last, end))
    return sum(last - first for first, last in spans.values()) / HOUR_NS
