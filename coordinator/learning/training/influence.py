"""No one person decides alone what a label means, from three people on; pure.

No one's examples of a class weigh more than a share of all its examples. And where one
person says B of what the model calls A far more often than everybody else who was shown
such windows, those examples are held back until another person says the same. So one
who is wrong throughout, or means harm, cannot move the model alone; neither can one who
is the only one to be right, but a second look is all it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from coordinator.terms import Digest, Example, ExampleId

SHARE: Final = 0.2
"""Most of a class that may rest on one person, where enough people label it."""
OPERATORS: Final = 3
"""So many people must label a class before anybody is capped."""
EARNEST: Final = 10
"""Examples of a class from which on a person counts among them: a number, not a share,
or whoever labels most could make the others too few to count."""
CHANCE: Final = 1e-4
"""Probability below which one person's habit is not chance."""
BOOST: Final = 5.0
"""What is left of a class is not weighed up by more, to keep its part in the whole."""


def capped(
    people: Sequence[str], label_index: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights with every person's share of each class capped.

    A class keeps its weight among the classes, as far as BOOST goes.

    Args:
        people: Who said it, one an example.
        label_index: int64, shape (examples,): what was said.
        weights: float64, shape (examples,), above zero.
    """
    found = weights.copy()
    who = np.asarray(people)
    for label in np.unique(label_index):
        rows = np.flatnonzero(label_index == label)
        names, which = np.unique(who[rows], return_inverse=True)
        each = np.bincount(which, weights[rows], len(names)).astype(np.float64)
        earnest = int((np.bincount(which) >= EARNEST).sum())
        if earnest < OPERATORS:
            continue
        left = levelled(each, max(SHARE, 1.0 / earnest))
        boost = min(each.sum() / left.sum(), BOOST)
        found[rows] *= (boost * left / each)[which]
    return found


def levelled(each: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Cut the largest to one level, so that none is above a share of what is left.

    Args:
        each: Weight of each person, above zero, shape (people,).
        share: At least 1 / people.
    """
    ordered = np.sort(each)[::-1]
    level = float(ordered[-1])
    for cut in range(len(ordered)):
        # With so many cut to it, the level is this share of them and the rest together.
        free = 1.0 - share * cut
        if free <= 0.0:
            break
        found = share * float(ordered[cut:].sum()) / free
        if ordered[cut] <= found:
            level = max(found, float(ordered[0])) if cut == 0 else found
            break
    left: NDArray[np.float64] = np.minimum(each, level)
    return left


def alone(
    examples: Sequence[Example], confirmed: Collection[Digest]
) -> dict[ExampleId, str]:
    """Say which examples one person stands alone with, and why they wait.

    Args:
        examples: One a window.
        confirmed: Evidence of which two people or more said the same.

    Returns:
        A sentence for each example to be held back.
    """
    unseen = [e for e in examples if e.guess and e.window_digest not in confirmed]
    shown = Counter((str(e.person), e.guess) for e in unseen)
    said = Counter((str(e.person), e.guess, e.label) for e in unseen)
    if len({e.person for e in examples}) < OPERATORS:
        return {}
    habits = {
        key
        for key, count in said.items()
        if key[1] != key[2] and count > 1
        if _beyond_chance(key, shown, said)
    }
    return {
        e.example_id: (
            f"{e.person} says {e.label} where the model says {e.guess}, far more often "
            "than others do; it waits until another person says the same of the same "
            "window."
        )
        for e in unseen
        if (str(e.person), e.guess, e.label) in habits
    }


def _beyond_chance(
    key: tuple[str, str, str],
    shown: Counter[tuple[str, str]],
    said: Counter[tuple[str, str, str]],
) -> bool:
    """Fisher's exact test, one-sided: this person against everybody else."""
    person, guess, label = key
    mine, of_mine = said[key], shown[person, guess]
    everybody = sum(n for (_, g), n in shown.items() if g == guess)
    alike = sum(n for (_, g, x), n in said.items() if (g, x) == (guess, label))
    if everybody == of_mine:
        return False
    return not float(hypergeom.sf(mine - 1, everybody, alike, of_mine)) > CHANCE
