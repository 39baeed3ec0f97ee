import numpy as np
import pytest

from ros_nodes.twin.scenario import (
    FAULTS,
    OK,
    SENSOR_FAULTS,
    CyclePlan,
    FaultMix,
    SeverityBand,
    Shift,
    called_fault_probability,
    plan_cycle,
)

DEMO = FaultMix()


def plans(count: int, mix: FaultMix = DEMO, shift: Shift | None = None):
    shift = shift or Shift.none()
    return [plan_cycle(7, "press-1", cycle, mix, shift) for cycle in range(count)]


def fingerprint(plan: CyclePlan) -> tuple[object, ...]:
    return (plan.truth, plan.payload_kg, plan.friction, *plan.insert_offset_m)


@pytest.mark.parametrize(
    ("severity", "probability"),
    [
        pytest.param(0.30, 0.5, id="half-of-all-people-at-the-limit"),
        pytest.param(0.05, 0.0067, id="nobody-calls-a-touch-a-fault"),
        pytest.param(0.55, 0.9933, id="everybody-calls-this-one"),
    ],
)
def test_people_disagree_around_the_limit(severity: float, probability: float) -> None:
    assert called_fault_probability(severity) == pytest.approx(probability, abs=1e-4)


def test_labels_are_drawn_with_the_probability_of_their_severity() -> None:
    band = (SeverityBand(0.33, 0.33, 1.0),)
    mix = FaultMix(fault_share=1.0, bands=band)

    called = np.mean([plan.truth.label != OK for plan in plans(2000, mix)])

    assert called == pytest.approx(called_fault_probability(0.33), abs=0.035)


def test_a_cycle_is_the_same_whatever_was_planned_before_it() -> None:
    alone = plan_cycle(7, "press-1", 41, DEMO, Shift.none())

    assert fingerprint(plans(42)[41]) == fingerprint(alone)


def test_two_cells_of_one_seed_differ() -> None:
    other = plan_cycle(7, "press-2", 3, DEMO, Shift.none())

    assert fingerprint(plans(4)[3]) != fingerprint(other)


def test_the_demo_shows_half_faults_of_every_kind_and_some_failing_sensors() -> None:
    truth = [plan.truth for plan in plans(3000)]
    faults = [cycle.fault for cycle in truth if cycle.fault != OK]
    failing = [cycle.sensor_fault for cycle in truth if cycle.sensor_fault]

    assert len(faults) / 3000 == pytest.approx(0.5, abs=0.03)
    assert {name: faults.count(name) > 300 for name in FAULTS} == dict.fromkeys(
        FAULTS, True
    )
    assert len(failing) / 3000 == pytest.approx(0.02, abs=0.01)
    assert set(failing) == set(SENSOR_FAULTS)


def test_severities_follow_their_bands_and_doubt_is_declared() -> None:
    truth = [plan.truth for plan in plans(3000) if plan.truth.fault != OK]
    severity = np.array([cycle.severity for cycle in truth])
    doubtful = np.array([cycle.ambiguous for cycle in truth])

    assert np.mean(severity >= 0.5) == pytest.approx(0.6, abs=0.05)
    assert severity.min() >= 0.02
    assert severity.max() <= 1.0
    assert np.array_equal(doubtful, np.abs(severity - 0.3) < 0.05 * np.log(19.0))


def test_the_spread_of_a_cycle_does_not_depend_on_its_fault() -> None:
    calm = plans(30, FaultMix(fault_share=0.0))
    rough = plans(30, FaultMix(fault_share=1.0, weights={"collision": 1.0}))

    assert [plan.friction for plan in calm] == [plan.friction for plan in rough]
    assert [plan.payload_kg for plan in calm] == [plan.payload_kg for plan in rough]


def test_a_shift_changes_every_part_that_follows() -> None:
    shifted = plans(40, FaultMix(fault_share=0.0), Shift(payload_kg=1.25, friction=0.4))

    assert np.mean([plan.payload_kg for plan in shifted]) == pytest.approx(
        1.25, rel=0.04
    )
    assert np.median([plan.friction for plan in shifted]) == pytest.approx(
        0.4, rel=0.15
    )


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param({"fault_share": 1.5}, "share of cycles", id="more-than-all"),
        pytest.param({"fault_share": float("nan")}, "share of cycles", id="no-number"),
        pytest.param({"weights": {"rust": 1.0}}, "rust", id="unknown-fault"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(broken, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FaultMix(**broken)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_shift_to_something_impossible_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Shift(payload_kg=value)
