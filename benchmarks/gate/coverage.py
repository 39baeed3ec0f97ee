"""How often is a certificate not true? Simulated streams with a known risk.

    python benchmarks/gate/coverage.py [--streams 1000] [--only NAME] [--json FILE]

Each stream is one life of a model: windows arrive, the coin falls with the rate of the
moment, the gate takes its looks when they are due, and every certificate of that life
is compared with the true risk above its thresholds. A stream counts as broken when any
of them states a risk that is not true for any of its groups of labels. Exit code 1
when, for any kind of stream, even the lower end of the interval of that share lies
above delta.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from streams import (
    Make,
    Windows,
    about,
    at_the_limit,
    discrete,
    faulty_good,
    imbalanced,
    mixed_limit,
    uneven,
    usual,
)

from coordinator.model.risk.binomial import lower_bound
from coordinator.model.risk.certification import Rule, attempt, stream_windows
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.evidence import Evidence, Stream
from coordinator.model.risk.ltt import Tested
from coordinator.model.risk.spending import Promise

LONGEST = 6000
"""Windows of a stream: about 8 looks at alpha = 5 %."""
TRUTH = 400_000
"""Windows from which the true risk above a threshold is computed."""
Rate = Callable[[NDArray[np.int64]], NDArray[np.float64]]


def constant(rate: float) -> Rate:
    """One rate throughout."""
    return lambda index: np.full(len(index), rate)


def falling(index: NDArray[np.int64]) -> NDArray[np.float64]:
    """High at first, then what a budget allows, which changes with the shift."""
    by_shift = np.where((index // 500) % 2 == 0, 0.25, 0.1)
    return np.where(index < 400, 0.8, by_shift)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of stream.

    Attributes:
        name: For the table.
        make: Gives windows.
        labels: How many labels.
        alpha: Promised risk.
        missed: Promised share of missed severe labels; alpha when None.
        rate: Chance of the audit coin, by window.
        unanswered: Share of the audits that nobody answers.
        severe_cost: Cost of a mistake about a severe label.
    """

    name: str
    make: Make
    labels: int
    alpha: float = 0.05
    missed: float | None = None
    rate: Rate = field(default=constant(0.8))
    unanswered: float = 0.0
    severe_cost: float = 1.0


KINDS = (
    Kind("usual", usual, 4),
    Kind("usual, 2 %", usual, 4, alpha=0.02),
    Kind("usual, falling rate", usual, 4, rate=falling),
    Kind("usual, 2 % unanswered", usual, 4, unanswered=0.02),
    Kind("usual, graded costs", usual, 4, severe_cost=4.0),
    Kind("uneven risk", uneven, 3),
    Kind("discrete scores", discrete, 3),
    Kind("imbalanced, never missed", imbalanced, 5, missed=0.02),
    Kind("missed faults", faulty_good, 2),
    Kind("at the limit", at_the_limit(0.0501), 3),
    Kind("at the limit, falling rate", at_the_limit(0.0501), 3, rate=falling),
    Kind("at the limit, 2 %", at_the_limit(0.02004), 3, alpha=0.02),
    Kind("two labels at the limit", mixed_limit(0.0501), 4),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one kind of stream.

    Attributes:
        name: Of the kind.
        streams: How many.
        certified: In how many a certificate was given.
        broken: In how many one of them was not true.
        share: Broken per stream.
        least: Lower end of the 95 % interval of that share.
        delta: What is allowed.
        cases: Audited cases at the first certificate, median; None without one.
        coverage: Share of the windows decided alone by the last, mean; None without.
        risk: True risk of what is decided alone, mean; None without.
        seconds: How long it took.
    """

    name: str
    streams: int
    certified: int
    broken: int
    share: float
    least: float
    delta: float
    cases: float | None
    coverage: float | None
    risk: float | None
    seconds: float


class Truth:
    """The true risk above every threshold, by group of labels."""

    def __init__(self, kind: Kind, rule: Rule) -> None:
        windows = kind.make(np.random.default_rng(99), TRUTH)
        dear = rule.costs.dearest
        by_label = windows.severe * kind.severe_cost + (1.0 - windows.severe)
        self._said, self._confidence = windows.said, windows.confidence
        self._loss = windows.risk * by_label / dear
        self._missed = windows.risk * windows.severe

    def of(self, tested: Tested) -> tuple[float, float, float]:
        """Mean loss, share of missed severe labels, and share of all windows."""
        if tested.threshold is None:
            return 0.0, 0.0, 0.0
        above = np.isin(self._said, tested.labels)
        above &= self._confidence >= tested.threshold
        share = float(above.mean())
        if share == 0.0:
            return 0.0, 0.0, 0.0
        return float(self._loss[above].mean()), float(self._missed[above].mean()), share


def live(
    kind: Kind, rule: Rule, rng: np.random.Generator
) -> list[tuple[int, tuple[Tested, ...]]]:
    """One life of a model: every certificate, with the cases it rests on."""
    windows = kind.make(rng, LONGEST)
    drawn = rng.random(LONGEST) < kind.rate(np.arange(LONGEST))
    evidence, stream = _audited(kind, rule, windows, drawn, rng)
    falls = np.flatnonzero(drawn)
    given, look = [], 1
    while rule.size(look) <= len(falls):
        cases = rule.size(look)
        passed_over = min(int(falls[cases - 1] + 1 - cases), stream_windows(cases))
        seen = Stream(stream.said[:passed_over], stream.confidence[:passed_over])
        tested = attempt(seen, first(evidence, cases), rule, look)
        if any(group.threshold is not None for group in tested):
            given.append((cases, tested))
        look += 1
    return given


def first(evidence: Evidence, cases: int) -> Evidence:
    """The first cases alone."""
    return Evidence(
        evidence.said[:cases],
        evidence.confidence[:cases],
        evidence.loss[:cases],
        evidence.missed[:cases],
    )


def _audited(
    kind: Kind,
    rule: Rule,
    windows: Windows,
    drawn: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[Evidence, Stream]:
    """What people say of the drawn windows, and the others without a label."""
    wrong = rng.random(LONGEST) < windows.risk
    severe = wrong & (rng.random(LONGEST) < windows.severe)
    silent = rng.random(LONGEST) < kind.unanswered
    ordinary = 1.0 / rule.costs.dearest
    loss = np.where(severe, kind.severe_cost * ordinary, wrong * ordinary)
    loss = np.where(silent, 1.0, loss)
    return (
        Evidence(
            windows.said[drawn],
            windows.confidence[drawn],
            loss[drawn],
            (severe | silent)[drawn],
        ),
        Stream(windows.said[~drawn], windows.confidence[~drawn]),
    )


def rule_of(kind: Kind, delta: float) -> Rule:
    """What is to be proven of a kind of stream."""
    costs = Costs(
        {("good", "severe"): kind.severe_cost} if kind.severe_cost != 1.0 else {},
        frozenset({"severe"}),
    )
    missed = kind.alpha if kind.missed is None else kind.missed
    return Rule(Promise(kind.alpha, delta, missed), costs, kind.labels)


def simulate(kind: Kind, streams: int, delta: float, seed: int) -> Row:
    """Live many lives of one kind."""
    began = time.perf_counter()
    rule = rule_of(kind, delta)
    truth, limits = Truth(kind, rule), rule.limits
    certified = broken = 0
    firsts: list[int] = []
    covers: list[float] = []
    risks: list[float] = []
    for number in range(streams):
        given = live(kind, rule, np.random.default_rng([seed, number]))
        true = [[truth.of(group) for group in tested] for _, tested in given]
        broken += any(
            loss > limits.loss or missed > limits.missed
            for groups in true
            for loss, missed, _ in groups
        )
        if given:
            certified += 1
            firsts.append(given[0][0])
            covers.append(sum(share for _, _, share in true[-1]))
            risks.append(
                sum(loss * share for loss, _, share in true[-1])
                / covers[-1]
                * rule.costs.dearest
            )
    return Row(
        name=kind.name,
        streams=streams,
        certified=certified,
        broken=broken,
        share=broken / streams,
        least=lower_bound(broken, streams, 0.025),
        delta=delta,
        cases=float(np.median(firsts)) if firsts else None,
        coverage=float(np.mean(covers)) if covers else None,
        risk=float(np.mean(risks)) if risks else None,
        seconds=time.perf_counter() - began,
    )


def line(row: Row) -> str:
    """One row of the table."""
    cases = "-" if row.cases is None else f"{row.cases:.0f}"
    coverage = "-" if row.coverage is None else f"{row.coverage:.2f}"
    risk = "-" if row.risk is None else f"{row.risk:.2%}"
    return (
        f"{row.name:28} {row.certified:9} {row.broken:6}  {row.share:6.1%} "
        f"{row.least:6.1%} {cases:>7} {coverage:>8} {risk:>9} {row.seconds:5.0f}"
    )


def main(arguments: Sequence[str]) -> int:
    """Run every kind and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--delta", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    print(about())
    print(f"{asked.streams} streams of {LONGEST} windows each, delta {asked.delta:.0%}")
    print(
        f"{'stream':28} certified broken   share  least   cases coverage true risk  s"
    )
    rows = []
    for kind in KINDS:
        if asked.only in kind.name:
            rows.append(simulate(kind, asked.streams, asked.delta, asked.seed))
            print(line(rows[-1]), flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    holds = all(row.least <= row.delta for row in rows)
    print("the claim holds" if holds else "THE CLAIM DOES NOT HOLD")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
