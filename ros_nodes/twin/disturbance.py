"""What happens to a cycle from outside: pushes on the tool, a part that slips.

A disturbance begins when the motion reaches its row, and then runs on simulated time:
pausing the arm neither freezes a push at its peak nor keeps a part from falling.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ros_nodes.twin.motion import CONTROL_PERIOD_S, Motion
from ros_nodes.twin.physics import Station
from ros_nodes.twin.scenario import CyclePlan, Push, Slip

Floats = NDArray[np.float64]

_GRIP_DIP_N_M: Final = 800.0
"""How far the grip weakens while a part slips, for each metre it goes."""


@dataclass(slots=True)
class _Pushing:
    force_n: Floats
    lever_m: Floats
    steps: int
    done: int = 0


class Disturbances:
    """Everything that disturbs one cycle. Not thread-safe."""

    def __init__(self, station: Station, plan: CyclePlan, motion: Motion) -> None:
        self._station = station
        self._plan = plan
        self._motion = motion
        self._waiting: list[tuple[int, Push | Slip]] = [
            (motion.row(push.segment, push.share), push) for push in plan.pushes
        ]
        if plan.payload_kg > 0.0:
            self._waiting.append((motion.row("carry", plan.slip.share), plan.slip))
        self._waiting.sort(key=lambda entry: entry[0], reverse=True)
        self._pushing: _Pushing | None = None
        self._slipped = -1

    def step(self, row: int) -> None:
        """Apply what disturbs the control step that comes next."""
        while self._waiting and self._waiting[-1][0] <= row:
            self._begin(*self._waiting.pop())
        if self._pushing is not None:
            self._push(self._pushing)
        if self._slipped > 0:
            self._slip()

    def _begin(self, row: int, disturbance: Push | Slip) -> None:
        match disturbance:
            case Slip():
                self._slipped = round(disturbance.duration_s / CONTROL_PERIOD_S)
            case Push():
                against = -self._motion.heading[row]
                sideways = np.cross(against, (0.0, 0.0, 1.0))
                frame = np.stack([against, sideways, np.array([0.0, 0.0, 1.0])])
                heading = np.asarray(disturbance.heading) @ frame  # (3,)
                self._pushing = _Pushing(
                    heading / np.linalg.norm(heading) * disturbance.peak_n,
                    np.asarray(disturbance.lever_m),
                    round(disturbance.duration_s / CONTROL_PERIOD_S),
                )

    def _push(self, pushing: _Pushing) -> None:
        pushing.done += 1
        wave = math.sin(math.pi * pushing.done / pushing.steps)
        self._station.push(pushing.force_n * max(wave, 0.0), pushing.lever_m)
        if pushing.done >= pushing.steps:
            self._pushing = None

    def _slip(self) -> None:
        slip = self._plan.slip
        steps = round(slip.duration_s / CONTROL_PERIOD_S)
        self._slipped -= 1
        share = 1.0 - self._slipped / steps
        dip_n = _GRIP_DIP_N_M * slip.distance_m * math.sin(math.pi * share)
        self._station.grip_force(self._plan.grip_n - max(dip_n, 0.0))
        self._station.slip(slip.distance_m * share, slip.tilt_rad * share)
        if self._slipped == 0 and slip.drops:
            self._station.let_go()
