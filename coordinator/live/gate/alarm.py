"""What takes an opening of the gate back: errors among audits, or nobody auditing.

Bettors watch the audited cases that were decided alone: one all of them, one each group
of labels, one the labels that must never be missed. Together they raise a false alarm
with probability delta at most while the promise holds, however long it is in force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from coordinator.live.gate.cases import SILENT, Case
from coordinator.model.risk.betting import Bettor, is_rich
from coordinator.model.risk.costs import Costs
from coordinator.model.risk.spending import Promise

MOST_SILENT: Final = 20
"""Audits in a row that may go unanswered; the next one closes the gate."""
SHOWN: Final = 3
"""Places that are named, at most."""
LEAST_WRONG: Final = 2
"""One error in one place says nothing about the place."""
PLACES: Final = ("lot", "shift", "cell")


class Alarm:
    """Watches one opening of the gate."""

    def __init__(
        self, promise: Promise, costs: Costs, groups: Sequence[Sequence[str]]
    ) -> None:
        """Watch from here on.

        Args:
            promise: What is said to hold.
            costs: What mistakes cost.
            groups: Labels that were certified together; none when nothing was.
        """
        limit = promise.limit(costs.dearest)
        self._costs = costs
        self._all = Bettor.against(limit)
        self._missed = Bettor.against(promise.missed)
        self._groups = [(frozenset(group), Bettor.against(limit)) for group in groups]
        self._silent = 0

    def see(self, case: Case) -> None:
        """Look at one settled case that was decided alone."""
        truth = case.truth or SILENT
        if truth == SILENT:
            self._silent += 1
            return
        self._silent = 0
        loss = self._costs.loss(case.said, truth)
        self._all = self._all.see(loss)
        self._missed = self._missed.see(self._costs.missed(case.said, truth))
        self._groups = [
            (labels, bettor.see(loss) if case.said in labels else bettor)
            for labels, bettor in self._groups
        ]

    def rings(self, delta: float) -> bool:
        """Whether more is wrong than was stated; falsely with probability delta."""
        bettors = [self._all, *(bettor for _, bettor in self._groups)]
        if self._costs.must_never_miss:
            bettors.append(self._missed)
        return is_rich((float(bettor.log_capital) for bettor in bettors), delta)

    def unheard(self) -> bool:
        """Whether so many audits went unanswered that nobody measures any more."""
        return self._silent > MOST_SILENT


def where(cases: Iterable[Case]) -> list[str]:
    """Sentences about the places in which errors gather, the worst first."""
    answered = [case for case in cases if case.truth]
    wrong = [case for case in answered if case.said != case.truth]
    found: list[tuple[float, str]] = []
    for i, kind in enumerate(PLACES):
        of = Counter(case.place[i] for case in answered)
        bad = Counter(case.place[i] for case in wrong)
        for place, errors in bad.items():
            others = len(answered) - of[place]
            if not place or errors < LEAST_WRONG or not others:
                continue
            share, elsewhere = errors / of[place], (len(wrong) - errors) / others
            if share > 2.0 * elsewhere:
                text = (
                    f"{kind} {place}: {errors} of {of[place]} audits wrong, "
                    f"elsewhere {len(wrong) - errors} of {others}"
                )
                found.append((share - elsewhere, text))
    found.sort(key=lambda place: (-place[0], place[1]))
    return [text for _, text in found[:SHOWN]]
