"""What is learned of a window that several people have labelled; pure.

All say the same: that. They contradict each other: nothing, until more than half of at
least three people say the same, or a named engineer decides. Then that, and what the
others said is kept apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from coordinator.terms import Example, PersonId
from coordinator.terms.events import ExampleQuarantined
from coordinator.terms.teaching import ExampleReinstated

DISAGREE: Final = " of the same window."
"""Ends every reason that a contradiction is; other reasons are left alone."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What people make of one window.

    Attributes:
        label: What is learned; "" for nothing.
        disputed: Whether people contradict each other and nobody has decided.
    """

    label: str
    disputed: bool


def settle(said: Mapping[PersonId, str], decided: str | None) -> Settled:
    """Say what is learned of a window.

    Args:
        said: Who said what; those who cannot tell are not among them.
        decided: What an engineer decided; "" for "nobody can tell"; None for nothing.
    """
    if decided is not None:
        return Settled(decided, disputed=False)
    votes = Counter(said.values()).most_common()
    if not votes:
        return Settled("", disputed=False)
    label, count = votes[0]
    if len(votes) == 1 or (count >= 2 and 2 * count > len(said)):
        return Settled(label, disputed=False)
    return Settled("", disputed=True)


def amendments(
    examples: Iterable[Example], settled: Settled
) -> list[ExampleQuarantined | ExampleReinstated]:
    """Return what must be recorded so that exactly what is settled is learned.

    Args:
        examples: All of one window, taken back ones too.
        settled: What people make of it.
    """
    found: list[ExampleQuarantined | ExampleReinstated] = []
    standing = [example for example in examples if not example.retracted]
    for example in standing:
        ours = not example.quarantine or example.quarantine.endswith(DISAGREE)
        if not ours:
            continue
        if example.label == settled.label:
            if example.quarantine:
                why = f"{settled.label} is settled."
                found.append(ExampleReinstated(example.example_id, why))
        elif not example.quarantine:
            why = _reason(example, standing, settled)
            found.append(ExampleQuarantined(example.example_id, why))
    return found


def _reason(example: Example, standing: Iterable[Example], settled: Settled) -> str:
    if not settled.disputed:
        what = settled.label or "that nobody can tell"
        return f"{example.person} said {example.label}; settled is {what}{DISAGREE}"
    other = next(one for one in standing if one.label != example.label)
    return (
        f"{example.person} said {example.label} and {other.person} said "
        f"{other.label}{DISAGREE}"
    )
