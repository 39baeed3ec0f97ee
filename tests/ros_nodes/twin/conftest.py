"""A twin in which exactly one thing goes wrong, and one cycle of it as arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from ros_nodes.twin.cell import CycleTruth, FaultMix, Shift, Twin, TwinSample
from ros_nodes.twin.scenario import OK, SeverityBand


@dataclass(frozen=True, eq=False)
class Recorded:
    """One cycle, sample by sample."""

    truth: CycleTruth
    samples: list[TwinSample]
    phases: list[str]
    insertion_m: float

    @property
    def duration_s(self) -> float:
        return self.samples[-1].time_s - self.samples[0].time_s

    @property
    def wrench(self) -> NDArray[np.float64]:
        return np.stack([sample.wrench for sample in self.samples])

    @property
    def gripper_m(self) -> NDArray[np.float64]:
        return np.array([sample.position[6] for sample in self.samples])

    @property
    def gripper_n(self) -> NDArray[np.float64]:
        return np.array([sample.effort[6] for sample in self.samples])

    def during(self, phase: str) -> NDArray[np.bool_]:
        return np.array([here == phase for here in self.phases])


@pytest.fixture
def stage() -> Callable[..., Twin]:
    """Build a twin with one fault at one severity in every cycle; `ok` for none."""

    def build(
        fault: str = OK,
        severity: float = 0.0,
        *,
        seed: int = 5,
        cell_id: str = "press-1",
        shift: Shift | None = None,
        rate_hz: float = 50.0,
    ) -> Twin:
        if fault == OK:
            mix = FaultMix(fault_share=0.0, sensor_fault_share=0.0)
        else:
            mix = FaultMix(
                fault_share=1.0,
                weights={fault: 1.0},
                bands=(SeverityBand(severity, severity, 1.0),),
                sensor_fault_share=0.0,
            )
        return Twin(seed=seed, cell_id=cell_id, mix=mix, shift=shift, rate_hz=rate_hz)

    return build


@pytest.fixture
def record() -> Callable[..., Recorded]:
    """Run one cycle to its end."""

    def run(twin: Twin, cycle: int = 0) -> Recorded:
        truth = twin.begin_cycle(cycle)
        samples: list[TwinSample] = []
        phases: list[str] = []
        while (sample := twin.advance()) is not None:
            samples.append(sample)
            phases.append(twin.phase)
        return Recorded(truth, samples, phases, twin.insertion_m)

    return run
