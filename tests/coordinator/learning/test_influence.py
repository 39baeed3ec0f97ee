"""No one person moves the model alone, from three people on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.training.dataset import sift, snapshot
from coordinator.learning.training.influence import alone, capped, levelled
from coordinator.terms import (
    NO_DIGEST,
    Example,
    ExampleId,
    ExampleSource,
    PersonId,
)
from tests.builders import FAMILY, NOON, PEG, make_window


def said(number: int, person: str, label: str, guess: str = "") -> Example:
    window = make_window()
    return Example(
        example_id=ExampleId(f"e-{number}"),
        family=PEG,
        cell_id=window.cell_id,
        window_id=window.window_id,
        window_digest=window.digest,
        group=f"press-1/{number}",
        label=label,
        person=PersonId(person),
        device="desk",
        labelled_at=NOON,
        source=ExampleSource.TEACH,
        propensity=1.0,
        model_digest=NO_DIGEST,
        guess=guess,
    )


def shares(people: Sequence[str], weights: np.ndarray) -> dict[str, float]:
    total = weights.sum()
    names = sorted(set(people))
    return {n: weights[[p == n for p in people]].sum() / total for n in names}


@given(st.lists(st.integers(1, 500), min_size=1, max_size=9), st.data())
def test_nobody_is_above_the_share_and_nobody_gains(each, data):
    least = 1 / data.draw(st.integers(1, len(each)))
    share = max(0.2, least)

    left = levelled(np.array(each, float), share)

    assert (left <= np.array(each) + 1e-9).all()
    assert left.max() <= share * left.sum() * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize(
    ("counts", "largest"),
    [
        pytest.param({"ana": 200, "ben": 30, "cem": 30}, 1 / 3, id="three"),
        pytest.param(
            {"ana": 200, "ben": 40, "cem": 40, "dan": 40, "eva": 40}, 0.2, id="five"
        ),
        pytest.param({"ana": 200, "ben": 30}, 200 / 230, id="two are not capped"),
        pytest.param(
            {"ana": 200, "ben": 30, "cem": 9}, 200 / 239, id="a third with a few is no"
        ),
    ],
)
def test_a_person_weighs_no_more_than_the_share_of_a_class(counts, largest):
    people = [name for name, n in counts.items() for _ in range(n)]
    labels = np.zeros(len(people), np.int64)

    weights = capped(people, labels, np.ones(len(people)))

    assert shares(people, weights)["ana"] == pytest.approx(largest)


def test_a_class_keeps_its_weight_among_the_classes():
    people = ["ana"] * 60 + ["ben"] * 20 + ["cem"] * 20
    labels = np.zeros(100, np.int64)

    weights = capped(people, labels, np.ones(100))

    assert weights.sum() == pytest.approx(100.0)
    assert shares(people, weights) == pytest.approx(
        {"ana": 1 / 3, "ben": 1 / 3, "cem": 1 / 3}
    )


def test_the_cap_reaches_the_snapshot():
    examples = []
    number = 0
    for person, count in (("ana", 40), ("ben", 10), ("cem", 10)):
        for _ in range(count):
            number += 1
            example, window = said(number, person, "ok"), make_window()
            digest, window_id = window.digest, window.window_id
            example = replace(example, window_digest=digest, window_id=window_id)
            examples.append((example, window))
    kept, _ = sift(examples, FAMILY)

    frozen = snapshot(kept, FAMILY, weight_cap=5.0)

    people = [example.person for example, _ in kept]
    assert max(shares(people, frozen.weights).values()) == pytest.approx(1 / 3)


def plant(flips: int, of: int, others: int = 15, wrong: int = 1) -> list[Example]:
    """Three people see windows that the model calls misaligned; ana says ok of some."""
    found = [
        said(i, "ana", "ok" if i < flips else "misaligned", "misaligned")
        for i in range(of)
    ]
    for person in ("ben", "cem"):
        found += [
            said(1000 * ord(person[0]) + i, person, label, "misaligned")
            for i in range(others)
            for label in ["ok" if i < wrong else "misaligned"]
        ]
    return found


def test_what_one_person_alone_says_waits_for_another():
    held = alone(plant(15, 15), ())

    assert sorted(held) == sorted(ExampleId(f"e-{i}") for i in range(15))
    assert all(why.endswith(" of the same window.") for why in held.values())


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(plant(2, 15), id="a few are no habit"),
        pytest.param(plant(15, 15, wrong=15), id="all others say so too"),
        pytest.param(
            [e for e in plant(15, 15) if e.person != "cem"], id="only two people"
        ),
        pytest.param(
            [replace(e, guess="") for e in plant(15, 15)], id="no model had spoken"
        ),
    ],
)
def test_an_honest_person_is_not_held_back(examples):
    assert alone(examples, ()) == {}


def test_what_another_person_has_confirmed_is_learned():
    examples = plant(15, 15)
    confirmed = {examples[0].window_digest}

    held = alone(examples, confirmed)

    assert examples[0].example_id not in held
    assert examples[1].example_id in held


def test_held_back_examples_leave_the_snapshot_by_name():
    examples = []
    for example in plant(15, 15):
        window = make_window()
        examples.append(
            (
                replace(
                    example, window_digest=window.digest, window_id=window.window_id
                ),
                window,
            )
        )

    kept, conflicts = sift(examples, FAMILY)

    assert len(conflicts) == 15
    assert all("ana says ok" in conflict.reason for conflict in conflicts)
    assert "ok" in {e.label for e, _ in kept if e.person != "ana"}
    assert not any(e.person == "ana" for e, _ in kept)
