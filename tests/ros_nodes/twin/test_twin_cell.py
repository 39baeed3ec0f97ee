from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from ros_nodes.twin.cell import Shift, Twin
from ros_nodes.twin.motion import home_joints

Stage = Callable[..., Twin]
HOME = home_joints()


def everything(recorded):
    return np.stack(
        [
            np.concatenate([s.position, s.velocity, s.effort, s.wrench])
            for s in recorded.samples
        ]
    )


def test_a_normal_cycle_inserts_the_part_and_comes_home(stage: Stage, record) -> None:
    recorded = record(stage())

    assert recorded.insertion_m > 0.045
    assert np.allclose(recorded.samples[-1].position[:6], HOME, atol=2e-3)
    assert [
        phase for phase, after in pairwise([*recorded.phases, ""]) if phase != after
    ] == ["home", "pick", "carry", "insert", "return", "home"]


def test_a_cycle_takes_between_four_and_eight_seconds(stage: Stage, record) -> None:
    twin = stage()

    durations = [record(twin, cycle).duration_s for cycle in range(3)]

    assert 4.0 < min(durations) <= max(durations) < 8.0
    assert len(set(durations)) > 1


def test_samples_come_at_the_published_rate(stage: Stage, record) -> None:
    times = [sample.time_s for sample in record(stage(rate_hz=100.0)).samples]

    assert np.allclose(np.diff(times), 0.01)


@pytest.mark.parametrize("rate_hz", [0.0, -50.0, 60.0, 1000.0, float("nan")])
def test_a_rate_that_does_not_divide_the_readings_is_refused(
    stage: Stage, rate_hz: float
) -> None:
    with pytest.raises(ValueError, match="rate_hz"):
        stage(rate_hz=rate_hz)


def test_the_same_seed_gives_the_same_samples_whatever_ran_before(
    stage: Stage, record
) -> None:
    fresh = everything(record(stage("misaligned", 0.6), 9))
    twin = stage("misaligned", 0.6)
    record(twin, 3)
    twin.idle()
    later = everything(record(twin, 9))

    assert np.array_equal(fresh, later)


def test_another_cell_of_the_same_seed_is_another_station(stage: Stage, record) -> None:
    one = everything(record(stage()))
    other = everything(record(stage(cell_id="press-2")))

    assert not np.allclose(one[:200], other[:200], atol=0.05)


def test_a_carried_part_is_felt_at_the_wrist(stage: Stage, record) -> None:
    recorded = record(stage())
    lifted = recorded.during("carry")
    before, held = recorded.wrench[:5, 2].mean(), recorded.wrench[lifted, 2].mean()

    assert held - before == pytest.approx(0.8 * 9.81, abs=1.2)


def test_a_missing_part_leaves_no_weight_and_nothing_between_the_fingers(
    stage: Stage, record
) -> None:
    recorded = record(stage("missing_part", 0.95))
    lifted = recorded.during("carry")

    assert recorded.insertion_m == 0.0
    assert (
        abs(np.diff([recorded.wrench[:5, 2].mean(), recorded.wrench[lifted, 2].mean()]))
        < 1.0
    )
    assert recorded.gripper_m[lifted].max() < 0.002


def test_a_part_that_lacks_something_is_too_light(stage: Stage, record) -> None:
    normal, light = record(stage()), record(stage("missing_part", 0.6))
    lifted = normal.during("carry")[: len(light.samples)]

    lighter_n = normal.wrench[lifted, 2].mean() - light.wrench[lifted, 2].mean()

    assert lighter_n == pytest.approx(0.6 * 0.8 * 9.81, rel=0.15)


@pytest.mark.parametrize("cycle", range(3))
def test_a_collision_is_a_peak_of_force(stage: Stage, record, cycle: int) -> None:
    normal = record(stage(), cycle)
    hit = record(stage("collision", 0.8), cycle)

    peak_n = np.linalg.norm(hit.wrench[:, :3] - normal.wrench[:, :3], axis=1)

    assert peak_n.max() > 30.0
    assert np.sum(peak_n > 15.0) * 0.02 < 0.3


def test_a_misaligned_insertion_is_a_force_from_the_side(stage: Stage, record) -> None:
    normal, aside = record(stage()), record(stage("misaligned", 0.8))
    inserting = normal.during("insert")

    sideways_n = np.linalg.norm(aside.wrench[inserting, :2], axis=1).max()

    assert np.linalg.norm(normal.wrench[inserting, :2], axis=1).max() < 8.0
    assert sideways_n > 12.0


def test_a_slipping_part_weakens_the_grip_and_meets_the_floor_early(
    stage: Stage, record
) -> None:
    normal, slipped = record(stage()), record(stage("grip_slip", 0.6))
    lifted, inserting = normal.during("carry"), normal.during("insert")

    assert np.ptp(normal.gripper_n[lifted]) < 4.0
    assert np.ptp(slipped.gripper_n[lifted]) > 6.0
    assert normal.wrench[inserting, 2].min() > 0.0
    assert slipped.wrench[inserting, 2].min() < -30.0


def test_a_dropped_part_is_gone_from_fingers_and_wrist(stage: Stage, record) -> None:
    recorded = record(stage("grip_slip", 0.9))
    end = np.flatnonzero(recorded.during("carry"))[-1]

    assert recorded.insertion_m == 0.0
    assert recorded.gripper_m[end] < 0.005
    assert recorded.wrench[end, 2] < 12.0


def test_a_paused_arm_stands_and_goes_on_to_the_end(stage: Stage, record) -> None:
    twin = stage()
    twin.begin_cycle(0)
    for _ in range(140):  # in the middle of the carry, at full speed
        assert twin.advance() is not None
    assert twin.phase == "carry"
    twin.pause()
    stopping = [twin.advance() for _ in range(25)]
    standing = [twin.advance() for _ in range(100)]
    joints = np.stack([sample.position[:6] for sample in standing if sample])
    twin.resume()
    rest = 0
    while twin.advance() is not None:
        rest += 1

    assert all(stopping)
    assert np.ptp(joints, axis=0).max() < 2e-3
    assert rest > 100
    assert twin.insertion_m > 0.045


def test_time_goes_on_while_the_arm_stands(stage: Stage) -> None:
    twin = stage()

    first, second = twin.idle(), twin.idle()

    assert second.time_s - first.time_s == pytest.approx(0.02)
    assert np.allclose(second.position[:6], HOME, atol=1e-3)
    assert not np.array_equal(first.wrench, second.wrench)
    assert twin.advance() is None


def test_a_new_cycle_in_mid_motion_drives_home_without_a_jump(
    stage: Stage, record
) -> None:
    twin = stage()
    twin.begin_cycle(0)
    last = None
    for _ in range(160):
        last = twin.advance()
    recorded = record(twin, 1)
    joints = np.stack([sample.position[:6] for sample in recorded.samples])

    assert last is not None
    assert np.abs(joints[0] - last.position[:6]).max() < 0.05
    assert np.abs(np.diff(joints, axis=0)).max() < 0.08
    assert recorded.phases[0] == "return"
    assert recorded.insertion_m > 0.045


def test_a_shift_is_felt_from_the_next_cycle_on(stage: Stage, record) -> None:
    twin = stage()
    before = record(twin, 0)
    twin.apply_shift(Shift(payload_kg=1.25, friction=0.4))
    after = record(twin, 1)

    heavier_n = (
        after.wrench[after.during("carry"), 2].mean()
        - before.wrench[before.during("carry"), 2].mean()
    )

    assert heavier_n == pytest.approx(0.45 * 9.81, abs=1.5)


def test_there_is_one_name_for_each_joint(stage: Stage) -> None:
    assert len(Twin.JOINT_NAMES) == len(stage().idle().position) == 7
