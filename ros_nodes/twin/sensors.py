"""What the sensors say about the physics: block averages, noise, slow drift, failures.

Noise is given for single readings at 500 Hz and shrinks with the square root of the
block that is averaged into one published sample, as it would in a real driver.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.twin.scenario import Stream, chance

Floats = NDArray[np.float64]

POSITION: Final = slice(0, 7)
VELOCITY: Final = slice(7, 14)
EFFORT: Final = slice(14, 21)
WRENCH: Final = slice(21, 27)
_CHANNELS: Final = 27

_NOISE: Final = np.concatenate(
    [
        np.full(7, 2e-5),  # rad, m
        np.full(6, 2e-3),  # rad/s
        np.full(1, 5e-4),  # m/s
        np.full(6, 0.4),  # N*m
        np.full(1, 0.3),  # N
        np.full(3, 0.35),  # N
        np.full(3, 0.02),  # N*m
    ]
)
"""(27,) standard deviation of one reading."""

_DRIFT: Final = np.concatenate(
    [np.zeros(14), np.full(6, 0.8), np.full(1, 0.2), np.full(3, 0.6), np.full(3, 0.05)]
)
"""(27,) standard deviation of the slow drift over many cycles."""

_WAVES: Final = 8
_SHORTEST_WAVE: Final = 120.0  # cycles
_LONGEST_WAVE: Final = 1200.0

# What a failing channel jumps by: large against the work, small against the sensor's
# range.
_SPIKE: Final = np.concatenate(
    [
        np.full(6, 0.8),  # rad
        np.full(1, 0.02),  # m
        np.full(6, 3.0),  # rad/s
        np.full(1, 0.2),  # m/s
        np.full(6, 90.0),  # N*m
        np.full(1, 60.0),  # N
        np.full(3, 150.0),  # N
        np.full(3, 12.0),  # N*m
    ]
)

# Channels that a window of the peg family holds; the others could fail unseen.
_SEEN: Final = np.array([*range(11), *range(14, 27)])


@dataclass(frozen=True, eq=False, slots=True)
class TwinSample:
    """One published sample, averaged over the time since the one before."""

    time_s: float
    """Simulated time since the twin began."""
    position: Floats
    """(7,) joint angles in rad; gripper travel in m."""
    velocity: Floats
    """(7,) rad/s; gripper in m/s."""
    effort: Floats
    """(7,) N*m; gripper in N."""
    wrench: Floats
    """(6,) fx fy fz tx ty tz of the tool on the wrist, in the tool's frame: N, N*m."""
    joints_sent: bool = True
    """False while the joint driver is silent: publish nothing; values are NaN."""
    wrench_sent: bool = True
    """False while the wrench driver is silent: publish nothing; values are NaN."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One failure of one sensor in one cycle."""

    kind: str
    """One of scenario.SENSOR_FAULTS."""
    channel: int
    """Which of the 27 readings; a drop-out takes the whole message it travels in."""
    begins: float
    """Share of the cycle that has passed when it begins."""
    ends: float
    """Share of the cycle that has passed when it ends; a spike lasts one sample."""
    jump: float
    """Height of a spike."""

    @property
    def takes_wrench(self) -> bool:
        """Whether the failing channel travels in the wrench message."""
        return self.channel >= WRENCH.start


def draw_sensor_fault(
    kind: str, seed: int, cell_id: str, cycle: int
) -> SensorFault | None:
    """Decide when and where a sensor fails; None for the empty kind."""
    if not kind:
        return None
    rng = chance(seed, cell_id, cycle, Stream.SENSOR_FAULT)
    begins = rng.uniform(0.1, 0.6)
    lasts = rng.uniform(0.15, 0.35)
    channel = int(rng.choice(_SEEN))
    sign = rng.choice([-1.0, 1.0])
    jump = _SPIKE[channel] * sign * rng.lognormal(0.0, 0.5)
    return SensorFault(kind, channel, begins, begins + lasts, float(jump))


class Sensors:
    """One cell's sensors over all its cycles: readings in, samples out."""

    def __init__(self, seed: int, cell_id: str) -> None:
        self._seed = seed
        self._cell_id = cell_id
        rng = chance(seed, cell_id, 0, Stream.DRIFT)
        low, high = np.log(_SHORTEST_WAVE), np.log(_LONGEST_WAVE)
        self._wave_length = np.exp(rng.uniform(low, high, size=(_WAVES, _CHANNELS)))
        self._wave_phase = rng.uniform(0.0, 2 * np.pi, size=(_WAVES, _CHANNELS))
        self._noise = chance(seed, cell_id, 0, Stream.STANDING)
        self._drift = self.drift(0)
        self._fault: SensorFault | None = None
        self._frozen = float("nan")
        self._spiked = False

    def drift(self, cycle: int) -> Floats:
        """(27,) offset of every channel in a cycle.

        A sum of slow waves rather than a random walk: cycle n drifts the same whatever
        was run before it.
        """
        turn = 2 * np.pi * cycle / self._wave_length + self._wave_phase  # (waves, 27)
        drift: Floats = np.sin(turn).sum(axis=0) * _DRIFT * np.sqrt(2.0 / _WAVES)
        return drift

    def begin_cycle(self, cycle: int, sensor_fault: str) -> None:
        """Start the noise, the drift and the failure of a cycle."""
        self._noise = chance(self._seed, self._cell_id, cycle, Stream.NOISE)
        self._drift = self.drift(cycle)
        self._fault = draw_sensor_fault(sensor_fault, self._seed, self._cell_id, cycle)
        self._frozen = float("nan")
        self._spiked = False

    def end_cycle(self, cycle: int) -> None:
        """Let the failure pass, and let standing about draw from its own noise."""
        self._fault = None
        self._noise = chance(self._seed, self._cell_id, cycle + 1, Stream.STANDING)

    def sample(self, readings: Floats, time_s: float, progress: float) -> TwinSample:
        """Publish one sample.

        Args:
            readings: True readings since the last sample, shape (readings, 27).
            time_s: Simulated time now.
            progress: Share of the cycle that has passed, in [0, 1].
        """
        values = readings.mean(axis=0)  # (27,)
        values[WRENCH] *= -1.0  # a wrist sensor tells what the tool does to it
        values += self._drift
        values += self._noise.standard_normal(_CHANNELS) * (
            _NOISE / np.sqrt(len(readings))
        )
        joints_sent = wrench_sent = True
        fault = self._fault
        if fault is not None and fault.begins <= progress:
            silent = self._spoil(values, fault, progress)
            wrench_sent = not (silent and fault.takes_wrench)
            joints_sent = not (silent and not fault.takes_wrench)
        return TwinSample(
            time_s=time_s,
            position=values[POSITION],
            velocity=values[VELOCITY],
            effort=values[EFFORT],
            wrench=values[WRENCH],
            joints_sent=joints_sent,
            wrench_sent=wrench_sent,
        )

    def _spoil(self, values: Floats, fault: SensorFault, progress: float) -> bool:
        """Apply a failure that has begun; answers whether its message stays away."""
        lasts = progress < fault.ends
        match fault.kind:
            case "spike" if not self._spiked:
                values[fault.channel] += fault.jump
                self._spiked = True
            case "stuck" if lasts:
                if np.isnan(self._frozen):
                    self._frozen = float(values[fault.channel])
                values[fault.channel] = self._frozen
            case "nan" if lasts:
                values[fault.channel] = np.nan
            case "dropout" if lasts:
                gone = WRENCH if fault.takes_wrench else slice(0, WRENCH.start)
                values[gone] = np.nan
                return True
            case _:
                pass
        return False
