"""How far people agree: percent, Cohen's kappa for two, Krippendorff's alpha for more.

Pure. Kappa and alpha say how much of the agreement is more than chance: 1 is perfect, 0
is what people would reach who label by their habits alone and never look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

Ratings = Sequence[Mapping[str, str]]
"""For each window: who said what. Windows with fewer than two opinions say nothing."""


def pairs(ratings: Ratings) -> Counter[tuple[str, str]]:
    """Count the pairs of opinions about one window, the two labels in their order."""
    found: Counter[tuple[str, str]] = Counter()
    for said in ratings:
        for one, other in combinations(sorted(said.values()), 2):
            found[one, other] += 1
    return found


def percent(ratings: Ratings) -> float | None:
    """Share of the pairs of opinions that are alike, in [0, 1]; None without a pair."""
    counted = pairs(ratings)
    total = counted.total()
    if not total:
        return None
    return sum(n for (one, other), n in counted.items() if one == other) / total


def cohen(ratings: Ratings) -> float | None:
    """Return Cohen's kappa of two people, over the windows that both labelled.

    None when there is no such window, or when both said one label always.

    Raises:
        ValueError: there are more than two people.

    Source:
        Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 1960.
    """
    people = sorted({who for said in ratings for who in said})
    if len(people) > 2:
        raise ValueError("kappa is for two people")
    both = [(s[people[0]], s[people[1]]) for s in ratings if len(s) == 2]
    if not both:
        return None
    observed = sum(one == other for one, other in both) / len(both)
    first, second = (Counter(pair[i] for pair in both) for i in (0, 1))
    chance = sum(first[label] * second[label] for label in first) / len(both) ** 2
    return None if chance == 1.0 else (observed - chance) / (1.0 - chance)


def krippendorff(ratings: Ratings) -> float | None:
    """Return Krippendorff's alpha for labels without an order; opinions may be missing.

    None when no window has two opinions, or when all opinions are the same label.

    Source:
        Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011.
    """
    weights: dict[tuple[str, str], float] = {}
    for said in ratings:
        if len(said) < 2:
            continue
        votes = Counter(said.values())
        for one in votes:
            for other in votes:
                n = votes[one] * (votes[other] - (one == other))
                key = (one, other)
                weights[key] = weights.get(key, 0.0) + n / (len(said) - 1)
    margins: dict[str, float] = {}
    for (one, _), weight in weights.items():
        margins[one] = margins.get(one, 0.0) + weight
    total = sum(margins.values())
    if len(margins) < 2 or total <= 1.0:
        return None
    disagreed = sum(w for (one, other), w in weights.items() if one != other) / total
    alike = sum(n * (n - 1.0) for n in margins.values())
    expected = (total * (total - 1.0) - alike) / (total * (total - 1.0))
    return 1.0 - disagreed / expected
