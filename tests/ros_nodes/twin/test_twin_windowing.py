"""What a model trains on and what a node cuts are the same numbers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_nodes.cdr import JointWriter, write_wrench
from ros_nodes.clock import ManualClock
from ros_nodes.config import read_cell
from ros_nodes.evidence import CutWindow, Evidence, WindowKind, Work
from ros_nodes.twin.cell import Twin
from ros_nodes.twin.dataset import window_of
from ros_nodes.twin.scenario import FaultMix
from ros_nodes.twin.sensors import TwinSample
from ros_nodes.windowing import Span
from tests.ros_nodes.node_builders import TEMPLATE


def cut_by_a_node(samples: Sequence[TwinSample], rows: int) -> CutWindow:
    """Send samples as a robot would, and cut the cycle as a node does."""
    clock = ManualClock()
    config = replace(read_cell(TEMPLATE, "press-1"), rows=rows)
    evidence = Evidence(config, clock)
    writer = JointWriter(Twin.JOINT_NAMES)
    begin_ns = clock.monotonic_ns()
    stamps = [
        begin_ns + round((sample.time_s - samples[0].time_s) * 1e9)
        for sample in samples
    ]
    for sample, stamp_ns in zip(samples, stamps, strict=True):
        clock.advance((stamp_ns - clock.monotonic_ns()) / 1e9)
        if sample.joints_sent:
            message = writer.write(
                stamp_ns, sample.position, sample.velocity, sample.effort
            )
            evidence.take("joints", [(message, {})])
        if sample.wrench_sent:
            evidence.take("wrench", [(write_wrench(stamp_ns, sample.wrench), {})])
    span = Span(stamps[0], stamps[-1])
    return evidence.cut(Work(WindowKind.DECISION, 0, "insert", "part-0", span))


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [50.0, 500.0])
def test_a_cycle_of_the_twin_is_the_same_window_to_the_node(
    stage, record, rate_hz
) -> None:
    samples = record(stage(rate_hz=rate_hz)).samples

    window = cut_by_a_node(samples, 128)

    assert window.gap_rows == 0
    assert window.present.all()
    np.testing.assert_allclose(
        window.samples, window_of(samples, 128), rtol=1e-6, atol=1e-6
    )


@pytest.mark.slow
def test_where_a_sensor_fails_they_agree_or_the_node_counts_a_gap() -> None:
    mix = FaultMix(sensor_fault_share=1.0)
    twin = Twin(seed=11, cell_id="press-1", rate_hz=50.0, mix=mix)
    agreed = 0
    for cycle in range(6):
        twin.begin_cycle(cycle)
        samples = list(iter(twin.advance, None))
        window = cut_by_a_node(samples, 128)
        if window.gap_rows == 0 and window.present.all():
            agreed += 1
            np.testing.assert_allclose(
                window.samples, window_of(samples, 128), rtol=1e-6, atol=1e-6
            )

    assert agreed > 0


@given(
    st.integers(3, 200),
    st.integers(2, 64),
    st.sampled_from([0.002, 0.01, 0.02, 1 / 3, 0.1]),
)
def test_every_sample_falls_into_the_same_bin_for_both(count, rows, period_s) -> None:
    samples = [
        TwinSample(
            time_s=n * period_s,
            position=np.full(7, float(n)),
            velocity=np.zeros(7),
            effort=np.zeros(7),
            wrench=np.full(6, float(n)),
        )
        for n in range(count)
    ]

    window = cut_by_a_node(samples, rows)

    if window.gap_rows == 0:
        np.testing.assert_allclose(
            window.samples, window_of(samples, rows), rtol=1e-6, atol=1e-6
        )
    else:
        assert rows > count / 2
