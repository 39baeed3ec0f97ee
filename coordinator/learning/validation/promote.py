"""The rule that decides whether a candidate may serve: pure, and in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from coordinator.learning.validation.metrics import losses
from coordinator.learning.validation.report import Trial, measure
from coordinator.terms import Report


@dataclass(frozen=True, slots=True)
class Bar:
    """What a candidate must reach.

    Attributes:
        threshold: Least confidence to act alone, as the gate has it.
        least_examples: Held-out examples below which nothing is proven.
        first_margin: Accuracy above always saying the commonest label, for the first
            model of a family.
        chance: Probability below which a difference is not chance.
    """

    threshold: float = 0.9
    least_examples: int = 4
    first_margin: float = 0.05
    chance: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Examples that neither model learned from.

    Attributes:
        truth: Column of each true label, int64, shape (examples,).
        weights: Inverse propensities, capped, shape (examples,).
        labels: Names of the columns.
        must_never_miss: Labels that may not be missed more than before.
    """

    truth: NDArray[np.int64]
    weights: NDArray[np.float64]
    labels: tuple[str, ...]
    must_never_miss: tuple[str, ...]


def judge_first(candidate: Trial, held_out: HeldOut, bar: Bar) -> Report:
    """Decide about the first model of a family: it must beat saying one label always.

    Args:
        candidate: What it said, each example by members that never saw it.
        held_out: The examples.
        bar: What it must reach.
    """
    truth = held_out.truth
    metrics = measure(candidate, truth, held_out.labels, bar.threshold)
    if len(truth) < bar.least_examples:
        return _too_few(len(truth), bar, metrics)
    accuracy = float((candidate.predicted == truth).mean())
    commonest = float(np.bincount(truth).max() / len(truth))
    wanted = min(commonest + bar.first_margin, 1.0)
    passed = accuracy >= wanted
    metrics["accuracy_wanted"] = wanted
    reason = (
        f"It is right on {accuracy:.0%} of {len(truth)} examples it did not learn "
        f"from; always saying the commonest label would be right on {commonest:.0%}."
    )
    return Report(passed, (reason,), metrics, len(truth))


def judge(candidate: Trial, serving: Trial, held_out: HeldOut, bar: Bar) -> Report:
    """Decide about a candidate: better as a whole, and nowhere worse.

    Better is a lower log loss on the same examples: it counts how sure a model was, so
    it tells two models apart where a few dozen right and wrong answers cannot. "Nowhere
    worse" means: not worse for any label than chance explains, because one example of
    a rare label would otherwise stop all learning.

    Args:
        candidate: What it said.
        serving: What the serving model said of the same examples.
        held_out: The examples; neither model learned from them.
        bar: What the candidate must reach.
    """
    truth, labels = held_out.truth, held_out.labels
    metrics = measure(candidate, truth, labels, bar.threshold)
    metrics |= measure(serving, truth, labels, bar.threshold, prefix="serving.")
    if len(truth) < bar.least_examples:
        return _too_few(len(truth), bar, metrics)
    objections = [
        *_overall(candidate, serving, held_out, bar, metrics),
        *_by_class(candidate, serving, held_out, bar),
        *_never_missed(candidate, serving, held_out, bar),
    ]
    right, before = metrics["accuracy"], metrics["serving.accuracy"]
    gain = -metrics["paired.log_loss_more"]
    good = (
        f"It is better on {len(truth)} held-out examples: log loss {gain:.3f} lower, "
        f"right on {right:.0%}, the serving model on {before:.0%}; no label is worse "
        "beyond chance."
    )
    reasons = tuple(objections) if objections else (good,)
    return Report(not objections, reasons, metrics, len(truth))


def _overall(
    candidate: Trial,
    serving: Trial,
    held_out: HeldOut,
    bar: Bar,
    metrics: dict[str, float],
) -> list[str]:
    """Paired: the same examples, so that their difficulty cancels out."""
    more = losses(candidate.probabilities, held_out.truth) - losses(
        serving.probabilities, held_out.truth
    )  # (examples,)
    share = held_out.weights / held_out.weights.sum()
    mean = float((share * more).sum())
    error = float(np.sqrt((share**2 * (more - mean) ** 2).sum()))
    metrics["paired.log_loss_more"] = mean
    metrics["paired.standard_error"] = error
    objections = []
    # Written as proof: a NaN is not better.
    if not mean < 0.0:
        objections.append(
            f"It is not better as a whole: its log loss is {mean:.3f} higher than the "
            f"serving model's, with a standard error of {error:.3f}."
        )
    fell, rose = _discordant(candidate, serving, held_out.truth, None)
    if _beyond_chance(fell, rose, bar.chance):
        objections.append(
            f"It is wrong on {fell} held-out examples that the serving model has "
            f"right, and right on only {rose} that it has wrong."
        )
    return objections


def _by_class(
    candidate: Trial, serving: Trial, held_out: HeldOut, bar: Bar
) -> list[str]:
    objections = []
    for column, label in enumerate(held_out.labels):
        fell, rose = _discordant(candidate, serving, held_out.truth, column)
        if _beyond_chance(fell, rose, bar.chance):
            objections.append(
                f"It misses {label} more often: {fell} that the serving model finds, "
                f"against {rose} that only the candidate finds."
            )
    return objections


def _never_missed(
    candidate: Trial, serving: Trial, held_out: HeldOut, bar: Bar
) -> list[str]:
    """No allowance for chance: misses of these labels may not rise by one.

    A miss is a window the gate would let the candidate act on as something else. It is
    no objection where the serving model errs as often and merely asks more.
    """
    objections = []
    for label in held_out.must_never_miss:
        of_label = held_out.truth == held_out.labels.index(label)
        new, old = (
            of_label & (t.predicted != held_out.truth) for t in (candidate, serving)
        )
        acted = int((new & candidate.acted(bar.threshold)).sum())
        before = int((old & serving.acted(bar.threshold)).sum())
        if acted > before and new.sum() > old.sum():
            objections.append(
                f"It would act on {acted} {label} windows as if they were something "
                f"else, the serving model on {before}; {label} must never be missed."
            )
    return objections


def _discordant(
    candidate: Trial, serving: Trial, truth: NDArray[np.int64], column: int | None
) -> tuple[int, int]:
    """Examples only the serving model has right, and only the candidate has right."""
    here = np.ones(len(truth), bool) if column is None else truth == column
    new, old = candidate.predicted == truth, serving.predicted == truth
    return int((here & old & ~new).sum()), int((here & new & ~old).sum())


def _beyond_chance(fell: int, rose: int, chance: float) -> bool:
    """Exact one-sided sign test (McNemar) on the examples the models differ about."""
    if fell <= rose:
        return False
    return not float(bdtrc(fell - 1, fell + rose, 0.5)) > chance


def _too_few(count: int, bar: Bar, metrics: dict[str, float]) -> Report:
    reason = (
        f"{count} held-out examples prove nothing; at least {bar.least_examples} are "
        f"needed."
    )
    return Report(passed=False, reasons=(reason,), metrics=metrics, examples=count)
