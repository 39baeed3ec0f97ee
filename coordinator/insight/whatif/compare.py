"""Two runs over one recording: every decision that changed, and whether for the better.

Cases are matched by the number of their window. A window that is a case of one run
alone, because the warm-ups differ, is counted and not compared.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TextIO

from coordinator.insight.scores import Case
from coordinator.terms import Decision

COLUMNS: Final = (
    "case",
    "group",
    "time",
    "before",
    "before predicted",
    "before confidence",
    "after",
    "after predicted",
    "after confidence",
    "truth",
    "effect",
)


class Effect(Enum):
    """What a change of decision did."""

    SAVED = "question saved"
    """Asked before, decided alone and rightly after."""
    WRONG = "new error"
    """Wrong and alone after; before it was asked, held, or right."""
    AVOIDED = "error avoided"
    """Wrong and alone before; after it is asked or held."""
    CORRECTED = "error corrected"
    """Wrong and alone before, right and alone after."""
    ASKED = "question more"
    """Right and alone before, asked or held after."""
    OTHER = "otherwise"
    """Asked instead of held or the other way round, or wrong in another way."""


@dataclass(frozen=True, slots=True)
class Change:
    """One window that the two runs decided otherwise."""

    before: Case
    after: Case
    effect: Effect


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs decided otherwise.

    Attributes:
        changes: In the order of time.
        both: Windows that are cases of both runs.
        only_before: Windows that are a case of the first run alone.
        only_after: Windows that are a case of the second run alone.
    """

    changes: tuple[Change, ...]
    both: int
    only_before: int
    only_after: int

    @property
    def effects(self) -> Mapping[Effect, int]:
        """How many changes did what."""
        count = Counter(change.effect for change in self.changes)
        return {effect: count[effect] for effect in Effect}


def compare(before: Sequence[Case], after: Sequence[Case]) -> Comparison:
    """Return every window that was decided otherwise."""
    first = {case.number: case for case in before}
    second = {case.number: case for case in after}
    both = [number for number in first if number in second]
    changes = [
        Change(first[number], second[number], effect)
        for number in both
        if (effect := _effect(first[number], second[number])) is not None
    ]
    return Comparison(
        tuple(changes), len(both), len(first) - len(both), len(second) - len(both)
    )


def outcome(case: Case) -> str:
    """What became of a window: the label it was taken for, or ask, or hold."""
    if case.automated:
        return case.predicted
    return "ask" if case.verdict.decision is Decision.ASK else "hold"


def _effect(before: Case, after: Case) -> Effect | None:
    if outcome(before) == outcome(after) and before.automated == after.automated:
        return None
    was_wrong, is_wrong = _wrong(before), _wrong(after)
    match before.automated, after.automated:
        case True, True if was_wrong and is_wrong:
            return Effect.OTHER
        case _ if is_wrong:
            return Effect.WRONG
        case True, True:
            return Effect.CORRECTED
        case True, False:
            return Effect.AVOIDED if was_wrong else Effect.ASKED
        case False, True:
            return Effect.SAVED
        case _:
            return Effect.OTHER


def _wrong(case: Case) -> bool:
    return case.automated and case.predicted != case.truth


def write_changes(comparison: Comparison, file: TextIO) -> None:
    """Write one CSV line a change; floats in full: equal runs are equal bytes."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for change in comparison.changes:
        lines.writerow(
            (
                change.before.number,
                change.before.group,
                change.before.time,
                *_told(change.before),
                *_told(change.after),
                change.before.truth,
                change.effect.value,
            )
        )


def _told(case: Case) -> tuple[str, str, str]:
    said = case.prediction
    confidence = "" if said is None else repr(said.confidence)
    return outcome(case), case.predicted, confidence
