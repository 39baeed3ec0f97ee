"""The words: ids, digests, and what follows from them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.terms import (
    HoldReason,
    Prediction,
    is_id,
    new_id,
    schema_digest,
    window_digest,
)
from tests.builders import (
    CHANNELS,
    FAMILY,
    MODEL,
    make_prediction,
    make_request,
    make_samples,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("press-1", True),
        ("a", True),
        ("a" * 63, True),
        ("0.x_y-z", True),
        ("", False),
        ("a" * 64, False),
        ("A1", False),
        ("-a", False),
        (".", False),
        ("../x", False),
        ("a\n", False),
        ("a\x00b", False),
        ("\u0661", False),
    ],
)
def test_what_an_id_is(text, expected):
    assert is_id(text) is expected


def test_new_ids_are_ids_and_new():
    made = {new_id("w") for _ in range(1000)}

    assert len(made) == 1000
    assert all(is_id(one) for one in made)


def test_the_schema_digest_knows_order_and_units():
    pairs = [(c.name, c.unit) for c in CHANNELS]

    assert schema_digest(pairs) == FAMILY.schema_digest
    assert schema_digest(pairs[::-1]) != FAMILY.schema_digest
    assert schema_digest([(n, "mm") for n, _ in pairs]) != FAMILY.schema_digest


@given(st.integers(0, 15), st.integers(0, 3), st.integers(0, 31))
def test_one_bit_anywhere_changes_a_windows_digest(row, column, bit):
    samples, present = make_samples(), np.ones(4, dtype=np.bool_)
    other = samples.copy()
    other.view(np.uint32)[row, column] ^= np.uint32(1 << bit)
    before = window_digest(FAMILY.schema_digest, samples, present)

    assert window_digest(FAMILY.schema_digest, other, present) != before
    present[column] = False
    assert window_digest(FAMILY.schema_digest, samples, present) != before


def test_reasons_are_ordered_by_severity():
    assert max(HoldReason) is HoldReason.INTEGRITY
    assert HoldReason.LOW_CONFIDENCE < HoldReason.LINK_LOST < HoldReason.OPERATOR_HOLD
    assert min(HoldReason) is HoldReason.LOW_CONFIDENCE


def test_a_prediction_names_its_first_guess():
    prediction = make_prediction("misaligned", 0.7)

    assert prediction.label == "misaligned"
    assert prediction.confidence == pytest.approx(0.7)
    broken = Prediction(MODEL, ("a", "b"), (0.0, 0.0), (math.nan, 0.5), 0.0)
    assert math.isnan(broken.confidence)


def test_a_request_is_open_until_it_has_an_outcome():
    assert make_request().is_open


def test_a_family_knows_its_labels():
    assert FAMILY.label("ok") is FAMILY.labels[-1]
    assert FAMILY.label("strange") is None
