"""Confusion, risk at coverage and reliability, against numbers worked out by hand."""

from dataclasses import dataclass

import pytest

from coordinator.insight.reports import POINTS, confusion, curve, reliability


@dataclass(frozen=True)
class Said:
    truth: str
    said: str
    confidence: float


CASES = [
    Said("ok", "ok", 0.99),
    Said("ok", "ok", 0.9),
    Said("slip", "ok", 0.9),
    Said("slip", "slip", 0.6),
]


def test_who_was_taken_for_whom():
    assert confusion(CASES) == {
        ("ok", "ok"): 2,
        ("slip", "ok"): 1,
        ("slip", "slip"): 1,
    }


def test_the_surest_come_first_and_equals_together():
    points = curve(CASES)

    assert [p.coverage for p in points] == [0.25, 0.75, 1.0]
    assert [p.risk for p in points] == [0.0, pytest.approx(1 / 3), 0.25]
    assert [p.confidence for p in points] == [0.99, 0.9, 0.6]


def test_a_long_curve_keeps_its_ends():
    points = curve([Said("ok", "ok", 1.0 - i / 1000) for i in range(500)])

    assert len(points) == POINTS
    assert points[0].coverage == 1 / 500
    assert points[-1].coverage == 1.0


def test_bins_hold_equal_counts():
    bins = reliability(
        [Said("ok", "ok" if i % 2 else "slip", i / 40) for i in range(40)]
    )

    assert [b.count for b in bins] == [4] * 10
    assert all(b.right == 0.5 for b in bins)
    assert bins[0].confidence < bins[-1].confidence


def test_no_cases_give_no_picture():
    assert curve([]) == []
    assert reliability([]) == []
