"""What teams caught: faults, errors of the model, known cases; never a person's; pure.

A team of one or two is no team here: whoever reads its numbers reads a person's. What
such people caught counts for all together alone, and may not be told by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from coordinator.history import PastAnswer
from coordinator.terms import Action, FamilyId, RequestKind

LEAST_TEAM: Final = 3
"""People a team has at least, to be shown apart."""
ActionOf = Callable[[FamilyId, str], Action | None]
"""What a label of a family lets a cell do; None for a label that is gone."""


def no_action(family: FamilyId, label: str) -> Action | None:
    """Know no label."""
    del family, label
    return None


@dataclass(slots=True)
class Catches:
    """What was caught.

    Attributes:
        faults: Questions that people called a fault where the model had guessed none.
        errors: Audits that found the model wrong.
        known: Known cases that were answered.
        known_right: Of those, as people had agreed before.
    """

    faults: int = 0
    errors: int = 0
    known: int = 0
    known_right: int = 0

    def note(self, answer: PastAnswer, action_of: ActionOf) -> None:
        """Count one final answer."""
        if answer.known_label:
            self.known += 1
            self.known_right += answer.label == answer.known_label
        elif answer.kind is RequestKind.AUDIT:
            self.errors += answer.label != answer.guess
        else:
            said = action_of(answer.family, answer.label)
            unseen = action_of(answer.family, answer.guess) is Action.CONTINUE
            self.faults += unseen and said not in (None, Action.CONTINUE)

    def as_mapping(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "faults": self.faults,
            "errors": self.errors,
            "known": self.known,
            "known_right": self.known_right,
        }


@dataclass(slots=True)
class Board:
    """A team board.

    Attributes:
        all: Every answer.
        teams: By team, of those that are large enough.
    """

    all: Catches = field(default_factory=Catches)
    teams: dict[str, Catches] = field(default_factory=dict)


def shown_apart(sizes: Mapping[str, int]) -> frozenset[str]:
    """The teams that are large enough, and leave enough others.

    All together less the teams that are shown are the rest: they must not be one or two
    people either.
    """
    large = {team for team, size in sizes.items() if team and size >= LEAST_TEAM}
    rest = sum(size for team, size in sizes.items() if team not in large)
    if large and 0 < rest < LEAST_TEAM:
        large.remove(min(large, key=lambda team: (sizes[team], team)))
    return frozenset(large)


def board(
    answers: Iterable[PastAnswer], sizes: Mapping[str, int], action_of: ActionOf
) -> Board:
    """Count what was caught.

    Args:
        answers: Final ones.
        sizes: How many people each team has; "" is those without one.
        action_of: What a label lets a cell do.
    """
    found, shown = Board(), shown_apart(sizes)
    for answer in answers:
        found.all.note(answer, action_of)
        if answer.team in shown:
            mine = found.teams.setdefault(answer.team, Catches())
            mine.note(answer, action_of)
    return found
