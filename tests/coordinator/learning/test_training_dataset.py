"""Who learns from what: no copy on both sides of a split, no contradiction inside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.clock import ManualClock
from coordinator.errors import TrainingError
from coordinator.learning.correction.accept import Refusal, accept, refusal
from coordinator.learning.training.dataset import (
    FROZEN_SHARE,
    folds,
    frozen,
    sift,
    snapshot,
)
from coordinator.learning.training.fit import Plan, fit
from coordinator.learning.training.trigger import Trigger
from coordinator.terms import (
    Actor,
    CellId,
    DecisionId,
    Digest,
    Example,
    ExampleId,
    ExampleSource,
    OperatorRequest,
    PersonId,
    RequestId,
    RequestKind,
    SensorWindow,
    TimeoutOutcome,
)
from tests.coordinator.model_builders import (
    FAMILY,
    make_snapshot,
    make_window,
    samples_of,
)


def example(
    number: int, label: str = "ok", *, like: int | None = None, **changes: Any
) -> tuple[Example, SensorWindow]:
    window = make_window(samples_of(2, number if like is None else like), number=number)
    made = Example(
        example_id=ExampleId(f"e-{number}"),
        family=FAMILY.family_id,
        cell_id=CellId("press-1"),
        window_id=window.window_id,
        window_digest=window.digest,
        group=f"press-1/{number}",
        label=label,
        person=PersonId("ana"),
        device="",
        labelled_at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        source=ExampleSource.QUESTION,
        propensity=1.0,
        model_digest=Digest(""),
        guess="",
    )
    return replace(made, **changes), window


def test_the_same_evidence_said_twice_counts_once() -> None:
    kept, conflicts = sift([example(1), example(2), example(3, like=1)], FAMILY)

    assert [e.example_id for e, _ in kept] == ["e-1", "e-2"]
    assert conflicts == []


def test_contradictions_are_put_aside_and_both_named() -> None:
    pairs = [
        example(1),
        example(2, "slip", like=1, person=PersonId("ben")),
        example(3),
    ]

    kept, conflicts = sift(pairs, FAMILY)

    assert [e.example_id for e, _ in kept] == ["e-3"]
    assert {c.example_id for c in conflicts} == {"e-1", "e-2"}
    assert conflicts[0].reason == ("ana said ok and ben said slip of the same window.")


def test_what_the_family_does_not_know_is_not_learned() -> None:
    other = example(2)
    short = replace(other[1], samples=other[1].samples[:5])

    kept, _ = sift([example(1, "gone"), (other[0], short), example(3)], FAMILY)

    assert [e.example_id for e, _ in kept] == ["e-3"]


def test_rare_evidence_weighs_more_but_not_without_limit() -> None:
    pairs = [example(1), example(2, propensity=0.5), example(3, propensity=0.01)]

    frozen_now = snapshot(pairs, FAMILY, weight_cap=5.0)

    assert frozen_now.weights.tolist() == [1.0, 2.0, 5.0]
    assert frozen_now.labels == ("collision", "slip", "ok")
    assert frozen_now.tolerated == ("grip",)
    assert frozen_now.samples.dtype == np.float32


def test_a_snapshot_is_named_after_what_is_in_it() -> None:
    pairs = [example(1), example(2)]
    relabelled = [example(1), example(2, "slip")]

    assert (
        snapshot(pairs, FAMILY, weight_cap=5.0).digest
        == snapshot(pairs, FAMILY, weight_cap=5.0).digest
        != snapshot(relabelled, FAMILY, weight_cap=5.0).digest
    )
    with pytest.raises(TrainingError):
        snapshot([], FAMILY, weight_cap=5.0)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=40))
def test_windows_of_a_group_stay_together(groups: list[str]) -> None:
    doubled = groups + groups

    kept, fold = frozen(doubled), folds(doubled, 5)

    assert (kept[: len(groups)] == kept[len(groups) :]).all()
    assert (fold[: len(groups)] == fold[len(groups) :]).all()
    assert ((fold >= 0) & (fold < 5)).all()


def test_what_is_kept_from_training_depends_on_nothing_but_its_name() -> None:
    names = [f"press-1/{i}" for i in range(4000)]

    assert frozen(names).mean() == pytest.approx(FROZEN_SHARE, abs=0.02)
    assert (frozen(names)[100:200] == frozen(names[100:200])).all()
    assert np.bincount(folds(names, 5)) == pytest.approx([800] * 5, rel=0.1)


@pytest.mark.parametrize("labels", [[2] * 30, [0, 2] * 2])
def test_too_little_to_learn_from_is_said(labels: list[int], tmp_path: Path) -> None:
    whole = make_snapshot(len(labels))
    poor = replace(whole, label_index=np.array(labels))

    with pytest.raises(TrainingError, match="too few"):
        fit(poor, Plan(), tmp_path, parent=None, tick=lambda share: None)


# -- when ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("examples", "trained_on", "missing"),
    [
        pytest.param(0, 0, 40, id="nothing-yet"),
        pytest.param(40, 0, 0, id="first"),
        pytest.param(59, 40, 1, id="one-short"),
        pytest.param(60, 40, 0, id="by-count"),
        pytest.param(220, 200, 10, id="by-share"),
        pytest.param(30, 40, 30, id="after-retractions"),
    ],
)
def test_the_trigger(examples: int, trained_on: int, missing: int) -> None:
    trigger = Trigger(40, 20, 0.15, 10)

    assert trigger.until_training(examples, trained_on) == missing


def test_the_cooldown_starts_when_a_training_ends() -> None:
    trigger = Trigger(40, 20, 0.15, cooldown_ns=10)

    assert trigger.wait_ns(100, None) == 0
    assert trigger.wait_ns(104, 100) == 6
    assert trigger.wait_ns(110, 100) == 0


# -- what an answer teaches ------------------------------------------------------------


def request(**changes: Any) -> OperatorRequest:
    window = make_window(samples_of(0, 1), number=1)
    asked = OperatorRequest(
        request_id=RequestId("r-1"),
        cell_id=CellId("press-1"),
        family=FAMILY.family_id,
        kind=RequestKind.QUESTION,
        decision_id=DecisionId("d-1"),
        window_id=window.window_id,
        window_digest=window.digest,
        session_epoch=1,
        cycle=12,
        part_id="part-1",
        guess="ok",
        reason="confidence 0.70 < 0.90",
        propensity=1.0,
        raised_at=datetime(2025, 1, 1, tzinfo=UTC),
        deadline_ns=1,
        time_allowed_ns=1,
        on_timeout=TimeoutOutcome.HOLD,
    )
    return replace(asked, **changes)


ANA = Actor(PersonId("ana"), "panel-1")


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (RequestKind.QUESTION, ExampleSource.QUESTION),
        (RequestKind.AUDIT, ExampleSource.AUDIT),
    ],
)
def test_an_answer_becomes_an_example_with_its_provenance(
    kind: RequestKind, source: ExampleSource
) -> None:
    made = accept(request(kind=kind), ANA, "collision", clock=ManualClock())

    assert made is not None
    assert made.source is source
    assert (made.person, made.device, made.label) == ("ana", "panel-1", "collision")
    assert (made.group, made.guess) == ("press-1/12", "ok")


@pytest.mark.parametrize(
    ("changes", "actor", "label", "why"),
    [
        ({}, Actor(PersonId("")), "ok", Refusal.NOBODY),
        ({}, Actor(PersonId("policy:autostart")), "ok", Refusal.NOT_A_PERSON),
        ({}, ANA, "", Refusal.NO_LABEL),
        ({"window_digest": Digest("")}, ANA, "ok", Refusal.NO_EVIDENCE),
        ({"propensity": 0.0}, ANA, "ok", Refusal.NO_PROPENSITY),
        ({"propensity": float("nan")}, ANA, "ok", Refusal.NO_PROPENSITY),
        ({"propensity": 1.5}, ANA, "ok", Refusal.NO_PROPENSITY),
    ],
)
def test_an_answer_that_teaches_nothing_says_why(
    changes: dict[str, Any], actor: Actor, label: str, why: Refusal
) -> None:
    assert refusal(request(**changes), actor, label) is why
    assert accept(request(**changes), actor, label, clock=ManualClock()) is None
