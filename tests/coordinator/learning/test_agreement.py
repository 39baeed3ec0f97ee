"""Agreement in numbers that are known from the literature, and promises about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.correction.agreement import (
    cohen,
    krippendorff,
    pairs,
    percent,
)
from coordinator.learning.correction.settle import settle

TABLE = (
    [{"a": "yes", "b": "yes"}] * 20
    + [{"a": "yes", "b": "no"}] * 5
    + [{"a": "no", "b": "yes"}] * 10
    + [{"a": "no", "b": "no"}] * 15
)
"""The usual example of two people who read fifty proposals: kappa 0.4."""

FOUR = [
    {name: mark for name, mark in zip("ABCD", column, strict=True) if mark != "."}
    for column in zip(
        "123321412...",
        "1233224125.3",
        ".3332342251.",
        "12332441251.",
        strict=True,
    )
]
"""Krippendorff (2011), four observers with gaps: alpha for names is 0.743."""

RATINGS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"), min_size=1),
    max_size=12,
)


def test_kappa_of_the_usual_example():
    assert cohen(TABLE) == pytest.approx(0.4)
    assert percent(TABLE) == pytest.approx(0.7)
    assert pairs(TABLE) == {("no", "yes"): 15, ("yes", "yes"): 20, ("no", "no"): 15}


def test_alpha_of_the_usual_example():
    assert krippendorff(FOUR) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize(
    "ratings",
    [
        pytest.param([], id="nobody said anything"),
        pytest.param([{"a": "ok"}], id="one opinion each"),
        pytest.param([{"a": "ok", "b": "ok"}] * 5, id="one label always"),
    ],
)
def test_without_variety_nothing_is_claimed(ratings):
    assert krippendorff(ratings) is None
    assert cohen(ratings) is None


def test_kappa_is_for_two_people():
    with pytest.raises(ValueError, match="two people"):
        cohen([{"a": "x", "b": "x", "c": "y"}])


@given(RATINGS)
def test_agreement_is_never_above_one_and_percent_never_outside(ratings):
    value, share = krippendorff(ratings), percent(ratings)

    assert value is None or value <= 1.0 + 1e-9
    assert share is None or 0.0 <= share <= 1.0


@given(RATINGS)
def test_names_of_people_do_not_matter(ratings):
    renamed = [{f"person-{who}": x for who, x in said.items()} for said in ratings]

    assert krippendorff(renamed) == krippendorff(ratings)
    assert pairs(renamed) == pairs(ratings)


@pytest.mark.parametrize(
    ("said", "decided", "label", "disputed"),
    [
        ({}, None, "", False),
        ({"ana": "ok"}, None, "ok", False),
        ({"ana": "ok", "ben": "ok"}, None, "ok", False),
        ({"ana": "ok", "ben": "slip"}, None, "", True),
        ({"ana": "ok", "ben": "slip", "cem": "slip"}, None, "slip", False),
        ({"ana": "ok", "ben": "slip", "cem": "bent"}, None, "", True),
        ({"ana": "ok", "ben": "ok", "cem": "slip", "dan": "slip"}, None, "", True),
        ({"ana": "ok", "ben": "slip"}, "ok", "ok", False),
        ({"ana": "ok", "ben": "slip"}, "", "", False),
    ],
)
def test_what_is_learned_of_a_window(said, decided, label, disputed):
    settled = settle(said, decided)

    assert (settled.label, settled.disputed) == (label, disputed)
