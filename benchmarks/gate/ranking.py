"""Which windows to decide alone, at equal questions? Several rules on the same cases.

    python benchmarks/gate/ranking.py [--recordings DIR] [--seeds 5,6,7,8,9]

DIR of the recordings is also taken from ANDON_RECORDINGS. One run of fixed:0.85 for
each seed goes through both paths of a coordinator. Its cases are then decided again by
each rule, at every threshold: what was labelled and learned is that of the run, so the
rules differ in nothing but what they let through. Counted is how many of the windows
that a rule decides alone are wrong where it asks about a given share of them. About
four minutes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from outcomes import andon
from recorded import Trial, folder, new_person, ur3

from coordinator import log
from coordinator.insight.backtest import BacktestPlan
from coordinator.insight.scores import Case

SHARES: Final = (0.40, 0.45, 0.50, 0.55, 0.60)
THRESHOLDS: Final = np.arange(0.50, 0.999, 0.005)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The cases of one run that a model judged, in order.

    Attributes:
        confidence: Of the first guess, shape (cases,).
        second: Probability of the second guess, shape (cases,).
        novelty: Shape (cases,).
        said: Label of the first guess, shape (cases,).
        truth: Shape (cases,).
        follows: The case before is of the same cycle, bool, shape (cases,).
        harmless: The family's label for a good window.
    """

    confidence: NDArray[np.float64]
    second: NDArray[np.float64]
    novelty: NDArray[np.float64]
    said: NDArray[np.str_]
    truth: NDArray[np.str_]
    follows: NDArray[np.bool_]
    harmless: str

    @property
    def familiar(self) -> NDArray[np.bool_]:
        """Within the limit of novelty, shape (cases,)."""
        familiar: NDArray[np.bool_] = self.novelty <= 1.0
        return familiar


Rule = Callable[[Table, float], NDArray[np.bool_]]
"""Which cases are decided alone at a threshold, bool, shape (cases,)."""


def table_of(cases: Sequence[Case], harmless: str) -> Table:
    """The cases that a model judged."""
    said = [(case, p) for case in cases if (p := case.prediction) is not None]
    groups = [case.group for case, _ in said]
    return Table(
        confidence=np.array([p.confidence for _, p in said]),
        second=np.array([sorted(p.probabilities)[-2] for _, p in said]),
        novelty=np.array([p.novelty for _, p in said]),
        said=np.array([p.label for _, p in said]),
        truth=np.array([case.truth for case, _ in said]),
        follows=np.array([i > 0 and g == groups[i - 1] for i, g in enumerate(groups)]),
        harmless=harmless,
    )


def by_confidence(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """fixed:T."""
    return cases.confidence >= threshold


def familiar(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """The gate without what people said."""
    return by_confidence(cases, threshold) & cases.familiar


def by_margin(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """By how far the first guess is ahead of the second."""
    return (cases.confidence - cases.second >= 2 * threshold - 1) & cases.familiar


def missed_cost(factor: float) -> Rule:
    """A stricter threshold for the harmless label: to miss a fault costs more."""

    def rule(cases: Table, threshold: float) -> NDArray[np.bool_]:
        cost = np.where(cases.said == cases.harmless, factor, 1.0)
        dear = (1.0 - cases.confidence) * cost
        return (dear <= 1.0 - threshold) & cases.familiar

    return rule


def discounted(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """The threshold rises with novelty, up to 1 at its limit."""
    left = (1.0 - threshold) * np.clip(1.0 - cases.novelty, 0.0, 1.0)
    return (1.0 - cases.confidence <= left) & cases.familiar


def sure_before(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """The window before of the same cycle has to be as sure."""
    before = np.roll(cases.confidence, 1) >= threshold
    return familiar(cases, threshold) & (before | ~cases.follows)


def last_word(cases: Table, threshold: float) -> NDArray[np.bool_]:
    """The gate: no contradiction of the last answer about the same cycle."""
    alone, heard = familiar(cases, threshold), ""
    for i in range(len(alone)):
        if not cases.follows[i] or cases.said[i] == heard:
            heard = ""
        alone[i] &= not heard
        if not alone[i]:
            heard = str(cases.truth[i])
    return alone


RULES: Final[dict[str, Rule]] = {
    "confidence alone (`fixed:T`)": by_confidence,
    "confidence, and not novel": familiar,
    "margin to the second guess": by_margin,
    "to miss a fault costs 1.5": missed_cost(1.5),
    "to miss a fault costs 2": missed_cost(2.0),
    "threshold rises with novelty": discounted,
    "the window before as sure": sure_before,
    "**the last word**": last_word,
}


def wrong_at(tables: Sequence[Table], rule: Rule, part: slice) -> list[float]:
    """Windows decided alone and wrong, mean over seeds, at each share of questions."""
    asked, wrong = np.zeros(len(THRESHOLDS)), np.zeros(len(THRESHOLDS))
    for cases in tables:
        errs = (cases.said != cases.truth)[part]
        for i, threshold in enumerate(THRESHOLDS):
            alone = rule(cases, float(threshold))[part]
            asked[i] += (~alone).mean() / len(tables)
            wrong[i] += float((alone & errs).sum()) / len(tables)
    return [float(np.interp(share, asked, wrong)) for share in SHARES]


def people_a_and_b(recordings: Path) -> Trial:
    """The Franka's known people alone, in time order."""
    trial = new_person(recordings)
    windows, known = trial.streamed.windows, trial.warmup
    cut = {
        field.name: value[:known]
        for field in fields(windows)
        if isinstance(value := getattr(windows, field.name), np.ndarray)
    }
    streamed = replace(trial.streamed, windows=replace(windows, **cut))
    return Trial(streamed, 98)


def report(name: str, trial: Trial, seeds: Sequence[int], every: int) -> None:
    """Print the rules on one stream: all of it, and its halves."""
    harmless = trial.streamed.family.default_label
    tables = []
    for seed in seeds:
        plan = BacktestPlan("fixed:0.85", trial.warmup, seed=seed, retrain_every=every)
        tables.append(table_of(andon(trial, plan)[1].cases, harmless))
    count = min(len(cases.said) for cases in tables)
    parts = {
        "all": slice(0, count),
        "first half": slice(0, count // 2),
        "second half": slice(count // 2, count),
    }
    for part, where in parts.items():
        print(f"\n{name}, {part}; seeds {', '.join(map(str, seeds))}\n")
        heads = " | ".join(f"{share:.0%}" for share in SHARES)
        print(f"| wrong, where it asks about | {heads} |")
        print("|---" * (1 + len(SHARES)) + "|")
        for title, rule in RULES.items():
            found = wrong_at(tables, rule, where)
            numbers = " | ".join(f"{number:.1f}" for number in found)
            print(f"| {title} | {numbers} |", flush=True)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--seeds", default="5,6,7,8,9")
    given = parser.parse_args()
    recordings = folder(given.recordings)
    if recordings is None:
        parser.error("no recordings: name their folder with --recordings")
    log.configure(level="ERROR")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    report("UR3", ur3(recordings), seeds, 50)
    report("Franka, people a and b", people_a_and_b(recordings), seeds[:2], 100)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
