import numpy as np
import pytest

from ros_nodes.twin.dataset import CHANNELS, channels_of, cycles, window_of
from ros_nodes.twin.sensors import TwinSample


def make_sample(time_s: float, *, wrench: float = 1.0, sent: bool = True) -> TwinSample:
    return TwinSample(
        time_s=time_s,
        position=np.arange(7.0),
        velocity=np.arange(7.0) + 10.0,
        effort=np.arange(7.0) + 20.0,
        wrench=np.full(6, wrench if sent else np.nan),
        wrench_sent=sent,
    )


def test_channels_come_in_the_order_of_the_family() -> None:
    order = [*range(6), 10, 11, 12, 13, *range(20, 26), *[1] * 6, 6, 26]

    assert list(channels_of(make_sample(0.0))) == order


def test_a_bin_is_the_mean_of_its_samples() -> None:
    samples = [make_sample(0.02 * n, wrench=float(n)) for n in range(1, 9)]

    window = window_of(samples, rows=4)

    assert list(window[:, 16]) == [1.5, 3.5, 5.5, 7.5]


def test_a_bin_without_samples_lies_between_its_neighbours() -> None:
    samples = [make_sample(0.02 * n, wrench=float(n)) for n in range(9)]
    samples[4] = make_sample(0.08, sent=False)

    window = window_of(samples, rows=9)

    assert window[:, 16] == pytest.approx(np.arange(9.0))
    assert np.isfinite(window_of(samples, rows=40)).all()


def test_a_reading_that_is_no_number_stays_one() -> None:
    samples = [make_sample(0.02 * n) for n in range(20)]
    samples[7] = make_sample(0.14, wrench=float("nan"))

    assert np.isnan(window_of(samples, rows=10)[:, 16]).sum() == 1


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([], id="no-samples"),
        pytest.param([make_sample(0.0, sent=False)], id="a-driver-never-heard"),
    ],
)
def test_a_window_is_not_made_of_nothing(samples) -> None:
    with pytest.raises(ValueError, match="window"):
        window_of(samples)


def test_cycles_are_labelled_windows() -> None:
    data = cycles(4, "press-1", 2)

    assert data.windows.shape == (2, 128, CHANNELS)
    assert data.windows.dtype == np.float32
    assert data.labels == tuple(cycle.label for cycle in data.truth)
