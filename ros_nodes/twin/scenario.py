"""What happens in a cycle: spread between parts, faults by severity, the truth.

Every draw comes from (seed, cell, cycle) alone, so cycle 412 is the same cycle whatever
was run before it. Faults live on a severity scale from 0 (nothing) to 1 (nobody could
miss it); between about .15 and .45 honest people disagree, and the truth is a draw with
that disagreement.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

OK: Final = "ok"
FAULTS: Final = ("grip_slip", "missing_part", "collision", "misaligned")
SENSOR_FAULTS: Final = ("dropout", "stuck", "spike", "nan")

CALLED_AT: Final = 0.30
"""Severity at which half of all honest people call it a fault."""
CALLED_WIDTH: Final = 0.05
"""Width of that doubt; at .05 two honest people disagree on about 4 % of all cycles."""

DROPPED_FROM: Final = 0.8
"""A slip of this severity ends with the part on the table."""
ABSENT_FROM: Final = 0.9
"""From this severity there is no part at all; below, it is only too light."""


class Stream(Enum):
    """Independent sources of chance, so that a new draw in one never moves another."""

    SCENARIO = 0
    """What a cycle does."""
    NOISE = 1
    """Sensor noise within a cycle."""
    DRIFT = 2
    """Slow drift over all cycles of a cell."""
    SENSOR_FAULT = 3
    """When and where a sensor fails."""
    STANDING = 4
    """Sensor noise between cycles."""


def chance(seed: int, cell_id: str, cycle: int, stream: Stream) -> np.random.Generator:
    """The generator for one stream of one cycle of one cell."""
    cell = zlib.crc32(cell_id.encode())
    return np.random.default_rng([seed, cell, cycle, stream.value])


def called_fault_probability(severity: float) -> float:
    """Share of honest people who would call this severity a fault, in (0, 1)."""
    return 1.0 / (1.0 + math.exp(-(severity - CALLED_AT) / CALLED_WIDTH))


@dataclass(frozen=True, slots=True)
class SeverityBand:
    """One part of the severity scale and how often faults come from it."""

    low: float
    high: float
    weight: float


@dataclass(frozen=True, slots=True)
class FaultMix:
    """How often something goes wrong, and how badly.

    The defaults are far more faults than a real station has: a demo of minutes must
    show a person each of them many times.
    """

    fault_share: float = 0.5
    """Share of cycles with a process fault, in [0, 1]."""
    weights: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(FAULTS, 1.0)
    )
    """Relative frequency of each fault."""
    bands: tuple[SeverityBand, ...] = (
        SeverityBand(0.50, 1.00, 0.60),
        SeverityBand(0.15, 0.50, 0.25),
        SeverityBand(0.02, 0.15, 0.15),
    )
    """Where severities come from; uniform within a band."""
    sensor_fault_share: float = 0.02
    """Share of cycles in which a sensor fails, in [0, 1]."""

    def __post_init__(self) -> None:
        for share in (self.fault_share, self.sensor_fault_share):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"a share of cycles is in [0, 1], not {share}")
        unknown = sorted(set(self.weights) - set(FAULTS))
        if unknown:
            raise ValueError(f"unknown faults {unknown}; known are {list(FAULTS)}")


@dataclass(frozen=True, slots=True)
class Shift:
    """A lasting change that no model has seen: heavier parts, a dry fixture."""

    payload_kg: float | None = None
    """Nominal mass of a part; None keeps the part's own .8 kg."""
    friction: float | None = None
    """Nominal friction between part and fixture; None keeps .25."""
    speed: float = 1.0
    """Factor on the speed of all moves."""

    def __post_init__(self) -> None:
        for name in ("payload_kg", "friction", "speed"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} of a shift is positive, not {value}")

    @classmethod
    def none(cls) -> "Shift":
        """The station as it was built."""
        return cls()


@dataclass(frozen=True, slots=True)
class CycleTruth:
    """What really happened in a cycle; for scoring and the simulated operator only."""

    cycle: int
    part_id: str
    fault: str
    """`ok` or one of FAULTS: what was done to the cycle, however weakly."""
    severity: float
    """How badly, in [0, 1]; 0 for an `ok` cycle."""
    label: str
    """What an honest person calls it: the fault, or `ok` if too weak to count."""
    sensor_fault: str
    """Empty, or one of SENSOR_FAULTS."""
    ambiguous: bool
    """Whether at least one honest person in twenty would call it differently."""


@dataclass(frozen=True, slots=True)
class Push:
    """A half-sine force on the tool, as when it meets something in its way."""

    segment: str
    """Part of the motion in which it comes."""
    share: float
    """When within that part, in [0, 1]."""
    peak_n: float
    duration_s: float
    heading: tuple[float, float, float]
    """Direction in the frame (against travel, sideways, up); not normalised."""
    lever_m: tuple[float, float, float]
    """Where it acts, from the middle of the tool, in the arm's base."""


@dataclass(frozen=True, slots=True)
class Slip:
    """The part moves in the fingers while it is carried."""

    share: float
    """When within the carry, in [0, 1]."""
    distance_m: float
    tilt_rad: float
    duration_s: float
    drops: bool


@dataclass(frozen=True, eq=False, slots=True)
class CyclePlan:
    """Everything that is decided before a cycle begins."""

    truth: CycleTruth
    payload_kg: float
    """Mass of the part; 0 when there is none."""
    peg_radius_m: float
    friction: float
    joint_friction: NDArray[np.float64]
    """(6,) factors on the joints' own friction and damping."""
    speed: float
    grip_n: float
    """Force that the fingers close with."""
    pick_offset_m: NDArray[np.float64]
    """(2,) where the part stands, from its nominal place; the arm knows it."""
    pick_error_m: NDArray[np.float64]
    """(2,) what the arm does not know about that place."""
    insert_offset_m: NDArray[np.float64]
    """(2,) how far the arm misses the middle of the hole."""
    slip: Slip
    pushes: tuple[Push, ...]


_MOVES: Final = ("carry", "approach", "lower", "home")
_MOVE_WEIGHTS: Final = (0.6, 0.15, 0.1, 0.15)


def plan_cycle(
    seed: int, cell_id: str, cycle: int, mix: FaultMix, shift: Shift
) -> CyclePlan:
    """Decide one cycle from its seed, its cell and its number alone."""
    rng = chance(seed, cell_id, cycle, Stream.SCENARIO)
    truth = _draw_truth(rng, cell_id, cycle, mix)

    # What follows is drawn in every cycle, used or not: the spread of a cycle then does
    # not depend on its fault.
    spread = rng.standard_normal(16)
    angle = rng.uniform(0.0, 2 * np.pi, size=2)
    bump = _draw_push(rng, rng.uniform(0.0, 10.0))
    has_bump = rng.random() < 0.3
    hit = _draw_push(rng, 4.0 + 76.0 * truth.severity)
    slip = Slip(
        share=rng.uniform(0.1, 0.5),
        distance_m=abs(spread[13]) * 0.0005,
        tilt_rad=0.0,
        duration_s=rng.uniform(0.12, 0.30),
        drops=False,
    )

    payload_kg = (shift.payload_kg or 0.8) * (1.0 + 0.05 * _within(spread[0]))
    miss = 0.0006 * spread[6:8]
    pushes = (bump,) if has_bump else ()
    match truth.fault:
        case "missing_part":
            payload_kg *= 1.0 - truth.severity
            if truth.severity >= ABSENT_FROM:
                payload_kg = 0.0
        case "misaligned":
            far = 0.0005 + 0.0075 * truth.severity
            miss = far * np.array([np.cos(angle[0]), np.sin(angle[0])])
        case "grip_slip":
            slip = Slip(
                share=slip.share,
                distance_m=0.030 * truth.severity,
                tilt_rad=0.10 * truth.severity * _within(spread[14]),
                duration_s=slip.duration_s,
                drops=truth.severity >= DROPPED_FROM,
            )
        case "collision":
            pushes = (hit,)
        case _:
            pass
    return CyclePlan(
        truth=truth,
        payload_kg=payload_kg,
        peg_radius_m=0.015 + 0.00005 * _within(spread[1]),
        friction=(shift.friction or 0.25) * math.exp(0.25 * _within(spread[2])),
        joint_friction=1.0 + 0.12 * rng.uniform(-1.0, 1.0, size=6),
        speed=shift.speed * (1.0 + 0.02 * _within(spread[3])),
        grip_n=40.0 * (1.0 + 0.04 * _within(spread[15])),
        pick_offset_m=0.001 * np.clip(spread[4:6], -2.0, 2.0),
        pick_error_m=0.0002 * spread[8:10],
        insert_offset_m=np.asarray(miss, dtype=np.float64),
        slip=slip,
        pushes=pushes,
    )


def _within(deviate: float) -> float:
    """A normal deviate without its tails: those would be faults, not spread."""
    return float(np.clip(deviate, -2.0, 2.0))


def _draw_truth(
    rng: np.random.Generator, cell_id: str, cycle: int, mix: FaultMix
) -> CycleTruth:
    names = [name for name in FAULTS if mix.weights.get(name, 0.0) > 0.0]
    weights = np.array([mix.weights[name] for name in names])
    band_weights = np.array([band.weight for band in mix.bands])
    broken, kind, place, called, failing, sensor = rng.random(6)
    band = mix.bands[
        int(rng.choice(len(mix.bands), p=band_weights / band_weights.sum()))
    ]

    fault, severity, probability = OK, 0.0, 0.0
    if names and broken < mix.fault_share:
        steps = np.cumsum(weights / weights.sum())
        fault = names[min(int(np.searchsorted(steps, kind)), len(names) - 1)]
        severity = float(band.low + place * (band.high - band.low))
        probability = called_fault_probability(severity)
    sensor_fault = ""
    if failing < mix.sensor_fault_share:
        sensor_fault = SENSOR_FAULTS[int(sensor * len(SENSOR_FAULTS))]
    return CycleTruth(
        cycle=cycle,
        part_id=f"{cell_id}-{cycle:06d}",
        fault=fault,
        severity=severity,
        label=fault if called < probability else OK,
        sensor_fault=sensor_fault,
        ambiguous=0.05 < probability < 0.95,
    )


def _draw_push(rng: np.random.Generator, peak_n: float) -> Push:
    side, up = rng.normal(0.0, 0.35, size=2)
    lever = rng.uniform(-0.04, 0.04, size=3)
    return Push(
        segment=_MOVES[int(rng.choice(len(_MOVES), p=_MOVE_WEIGHTS))],
        share=rng.uniform(0.2, 0.8),
        peak_n=peak_n,
        duration_s=rng.uniform(0.10, 0.28),
        heading=(1.0, float(side), float(up)),
        lever_m=(float(lever[0]), float(lever[1]), float(lever[2])),
    )
