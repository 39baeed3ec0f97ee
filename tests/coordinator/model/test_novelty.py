"""Novelty: a declared share of false questions, and none where the world changed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.model import novelty
from coordinator.model.novelty import FALSE_ASK, Familiar

ROWS, CHANNELS = 20, 4
Windows = tuple[torch.Tensor, torch.Tensor]


def windows(count: int, seed: int, *, heavy: bool = False) -> Windows:
    """Windows of one station: steps of several heights, and noise."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0.0, 1.0, (count, ROWS, CHANNELS))
    samples[:, ROWS // 2 :] += rng.integers(0, 3, (count, 1, CHANNELS))
    if heavy:
        samples *= np.exp(rng.normal(0.0, 1.5, (count, 1, 1)))
    return torch.tensor(samples, dtype=torch.float32), torch.ones(
        count, CHANNELS, dtype=torch.bool
    )


def learned(count: int, seed: int, *, heavy: bool = False) -> Familiar:
    return novelty.fit(*windows(count, seed, heavy=heavy), torch.arange(count))


@pytest.mark.parametrize("count", [30, 60, 250])
@pytest.mark.parametrize("heavy", [False, True])
def test_familiar_windows_are_asked_about_no_more_often_than_declared(
    count: int, heavy: bool
) -> None:
    # Over many trainings: the promise is about the mean of a training and its windows.
    asked = []
    for trial in range(60):
        familiar = learned(count, 2 * trial, heavy=heavy)
        fresh = windows(100, 2 * trial + 1, heavy=heavy)
        asked.append(float((familiar.novelty(*fresh) > 1.0).float().mean()))

    error = float(np.std(asked) / len(asked) ** 0.5)
    assert np.mean(asked) - 2.0 * error <= FALSE_ASK


def test_windows_of_one_part_that_are_alike_do_not_hide_that_parts_differ() -> None:
    # Fifty parts with ten nearly equal windows each: what counts is the next part.
    asked = []
    for trial in range(40):
        rng = np.random.default_rng(trial)
        base, _ = windows(60, 100 + trial)
        all_alike = base.repeat_interleave(10, dim=0)
        all_alike = all_alike + torch.tensor(
            rng.normal(0.0, 0.01, all_alike.shape), dtype=torch.float32
        )
        there = torch.ones(600, CHANNELS, dtype=torch.bool)
        group = torch.arange(60).repeat_interleave(10)
        familiar = novelty.fit(all_alike[:500], there[:500], group[:500])
        fresh = familiar.novelty(all_alike[500:], there[500:])
        asked.append(float((fresh > 1.0).float().mean()))

    error = float(np.std(asked) / len(asked) ** 0.5)
    assert np.mean(asked) - 2.0 * error <= FALSE_ASK


@pytest.mark.parametrize("heavy", [False, True])
def test_another_robot_is_asked_about(heavy: bool) -> None:
    familiar = learned(120, 0, heavy=heavy)
    samples, present = windows(200, 1, heavy=heavy)
    other = {
        "stronger": samples * 8.0 if not heavy else samples * 200.0,
        "shifted": samples + (6.0 if not heavy else 500.0),
    }

    for name, changed in other.items():
        share = float((familiar.novelty(changed, present) > 1.0).float().mean())
        assert share > 0.9, name


def test_farther_out_is_never_more_familiar() -> None:
    familiar = learned(120, 0)
    samples, present = windows(1, 1)

    found = [
        float(familiar.novelty(samples + far, present))
        for far in (0.0, 2.0, 5.0, 20.0, 100.0)
    ]

    assert found == sorted(found)
    assert found[-1] > 1.0


@given(st.lists(st.floats(0.0, 10.0, width=32), min_size=2, max_size=30))
@settings(deadline=None)
def test_novelty_rises_with_the_score_and_is_never_below_zero(
    scores: list[float],
) -> None:
    found = learned(60, 3)._scaled(torch.tensor(sorted(scores)))

    assert bool((found.diff() >= -1e-6).all())
    assert bool((found >= 0.0).all())


def test_the_edge_is_the_declared_p_value() -> None:
    familiar = replace(
        learned(60, 3),
        scores=torch.tensor([1.0, 2.0]),
        novelties=torch.tensor([0.0, 1.0]),
    )

    assert familiar._scaled(torch.tensor([2.0])).tolist() == [1.0]
    assert float(familiar._scaled(torch.tensor([2.001]))) > 1.0
    assert float(familiar._scaled(torch.tensor([1.5]))) == pytest.approx(0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_window_that_is_not_finite_is_never_familiar(value: float) -> None:
    familiar = learned(60, 0)
    samples, present = windows(1, 1)
    samples[0, 3, 2] = value

    assert not bool((familiar.novelty(samples, present) <= 1.0).any())


def test_an_absent_channel_says_nothing() -> None:
    familiar = learned(60, 0)
    samples, present = windows(50, 1)
    masked = present.clone()
    masked[:, 2] = False
    absurd = samples.clone()
    absurd[:, :, 2] = 1e6

    found = familiar.novelty(absurd, masked)

    assert torch.equal(found, familiar.novelty(samples, masked))
    assert bool((familiar.novelty(absurd, present) > found).all())


def test_a_channel_that_no_example_had_is_new() -> None:
    samples, present = windows(60, 0)
    without = present.clone()
    without[:, 1] = False
    familiar = novelty.fit(samples, without, torch.arange(60))

    assert bool((familiar.novelty(samples, present) > 1.0).all())
    assert bool((familiar.novelty(samples, without) <= 1.0).all())


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_handful_of_examples_has_an_edge_too(count: int) -> None:
    familiar = learned(count, 0)
    samples, present = windows(count, 0)

    assert bool((familiar.novelty(samples * 30.0 + 50.0, present) > 1.0).all())
    assert bool(torch.isfinite(familiar.novelty(samples, present)).all())


def test_the_same_examples_give_the_same_answer() -> None:
    first, second = learned(60, 0), learned(60, 0)

    assert torch.equal(first.scores, second.scores)
    assert torch.equal(first.low, second.low)
