import numpy as np
import pytest

from ros_nodes.twin.cell import FaultMix, Twin, TwinSample
from ros_nodes.twin.physics import MEASURED
from ros_nodes.twin.scenario import SENSOR_FAULTS
from ros_nodes.twin.sensors import Sensors, draw_sensor_fault

STILL = np.zeros((10, MEASURED))


def flat(sample: TwinSample):
    parts = (sample.position, sample.velocity, sample.effort, sample.wrench)
    return np.concatenate(parts)


def cycle_with(kind: str, cycle: int):
    """Samples of a cycle in which nothing moves and one sensor fails."""
    sensors = Sensors(3, "press-1")
    sensors.begin_cycle(cycle, kind)
    return [sensors.sample(STILL, 0.02 * n, n / 300) for n in range(300)]


def failing_channel(kind: str, cycle: int):
    fault = draw_sensor_fault(kind, 3, "press-1", cycle)
    assert fault is not None
    return fault


def test_a_healthy_sensor_is_noisy_but_whole() -> None:
    values = np.stack([flat(sample) for sample in cycle_with("", 0)])

    assert np.isfinite(values).all()
    assert (np.diff(values, axis=0) != 0.0).all()
    assert values[:, 21:24].std(axis=0) == pytest.approx(0.35 / np.sqrt(10), rel=0.2)


@pytest.mark.parametrize("cycle", range(4))
def test_a_stuck_channel_repeats_itself_and_then_recovers(cycle: int) -> None:
    fault = failing_channel("stuck", cycle)
    values = np.stack([flat(sample) for sample in cycle_with("stuck", cycle)])

    still = np.diff(values[:, fault.channel]) == 0.0

    assert still.sum() >= 0.14 * 300
    assert not still[-5:].any()
    assert np.isfinite(values).all()


@pytest.mark.parametrize("cycle", range(4))
def test_a_channel_that_is_no_number_is_one_channel_for_a_while(cycle: int) -> None:
    fault = failing_channel("nan", cycle)
    values = np.stack([flat(sample) for sample in cycle_with("nan", cycle)])

    spoiled = np.isnan(values)

    assert list(np.flatnonzero(spoiled.any(axis=0))) == [fault.channel]
    assert 0.14 * 300 <= spoiled.sum() <= 0.37 * 300


@pytest.mark.parametrize("cycle", range(4))
def test_a_spike_is_one_sample_of_one_channel(cycle: int) -> None:
    fault = failing_channel("spike", cycle)
    values = np.stack([flat(sample) for sample in cycle_with("spike", cycle)])
    healthy = np.stack([flat(sample) for sample in cycle_with("", cycle)])

    rows, channels = np.nonzero(values != healthy)

    assert list(channels) == [fault.channel]
    assert values[rows[0], channels[0]] - healthy[rows[0], channels[0]] == (
        pytest.approx(fault.jump)
    )


@pytest.mark.parametrize("cycle", range(6))
def test_a_drop_out_silences_one_driver_and_leaves_the_other(cycle: int) -> None:
    fault = failing_channel("dropout", cycle)
    samples = cycle_with("dropout", cycle)

    joints = np.array([sample.joints_sent for sample in samples])
    wrench = np.array([sample.wrench_sent for sample in samples])
    silent, heard = (wrench, joints) if fault.takes_wrench else (joints, wrench)

    assert heard.all()
    assert 0.14 * 300 <= (~silent).sum() <= 0.37 * 300
    assert silent[-1]


def test_the_failure_ends_with_its_cycle() -> None:
    sensors = Sensors(3, "press-1")
    sensors.begin_cycle(0, "nan")
    sensors.end_cycle(0)

    assert np.isfinite(flat(sensors.sample(STILL, 0.0, 0.3))).all()


def test_drift_is_slow_within_its_size_and_differs_between_cells() -> None:
    sensors = Sensors(3, "press-1")
    drift = np.stack([sensors.drift(cycle) for cycle in range(3000)])

    assert drift[:, 21:24].std(axis=0) == pytest.approx(0.6, rel=0.35)
    assert np.abs(np.diff(drift[:, 21:24], axis=0)).max() < 0.15
    assert (drift[:, :14] == 0.0).all()
    assert not np.allclose(drift[:10], [Sensors(3, "b").drift(n) for n in range(10)])


def test_a_twin_fails_as_its_truth_says() -> None:
    mix = FaultMix(fault_share=0.0, sensor_fault_share=1.0)
    twin = Twin(seed=2, cell_id="press-1", mix=mix)
    seen: set[str] = set()
    for cycle in range(30):
        truth = twin.begin_cycle(cycle)
        if truth.sensor_fault in seen:
            continue
        seen.add(truth.sensor_fault)
        samples = []
        while (sample := twin.advance()) is not None:
            samples.append(sample)
        sent = [s for s in samples if s.joints_sent and s.wrench_sent]
        whole = all(np.isfinite(flat(s)).all() for s in sent)

        assert (len(sent) < len(samples)) is (truth.sensor_fault == "dropout")
        assert whole is (truth.sensor_fault != "nan")
        assert np.isfinite(flat(twin.idle())).all()
    assert seen == set(SENSOR_FAULTS)
