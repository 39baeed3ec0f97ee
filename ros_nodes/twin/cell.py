"""One simulated cobot station, from the first cycle to the last."""

from typing import Final

import numpy as np

from ros_nodes.twin.disturbance import Disturbances
from ros_nodes.twin.motion import (
    CONTROL_PERIOD_S,
    OPEN_M,
    Motion,
    home_joints,
    plan_motion,
)
from ros_nodes.twin.physics import MEASURED, Station
from ros_nodes.twin.scenario import CycleTruth, FaultMix, Shift, plan_cycle
from ros_nodes.twin.sensors import Sensors, TwinSample

__all__ = ["CycleTruth", "FaultMix", "Shift", "Twin", "TwinSample"]

_HOME_RAD: Final = 0.02
_STOPPING_STEPS: Final = 50  # 0.1 s from full rate to standing, and back
_GUARD_N: Final = 45.0
_READINGS_HZ: Final = round(1.0 / CONTROL_PERIOD_S)
_FZ: Final = 23


class Twin:
    """A station that does one cycle after another. Not thread-safe.

    Time is simulated time: it passes in `advance` and `idle` and nowhere else.
    """

    JOINT_NAMES: Final[tuple[str, ...]] = (
        "shoulder_pan_joint",
        "shoulder_lift_joint",
        "elbow_joint",
        "wrist_1_joint",
        "wrist_2_joint",
        "wrist_3_joint",
        "gripper_joint",
    )

    def __init__(
        self,
        *,
        seed: int,
        cell_id: str,
        rate_hz: float = 50.0,
        mix: FaultMix | None = None,
        shift: Shift | None = None,
    ) -> None:
        """Build the station at rest in its home pose.

        Args:
            seed: Of all chance; the same seed and cell give the same samples.
            cell_id: Cells of one seed differ.
            rate_hz: Published samples a simulated second; a divisor of 500.
            mix: What goes wrong how often; the demo's mix if not given.
            shift: A lasting change from the first cycle on.

        Raises:
            ValueError: the rate does not divide 500 Hz.
        """
        readings = _READINGS_HZ / rate_hz if rate_hz > 0.0 else 0.0
        if not (readings >= 1.0 and readings == round(readings)):
            raise ValueError(
                f"rate_hz must divide {_READINGS_HZ}, and {rate_hz} does not"
            )
        self._seed = seed
        self._cell_id = cell_id
        self._mix = mix or FaultMix()
        self._shift = shift or Shift.none()
        self._station = Station()
        self._sensors = Sensors(seed, cell_id)
        self._readings = np.empty((round(readings), MEASURED))
        self._target = home_joints()
        self._station.stand_at(self._target, OPEN_M)
        self._opening_m = OPEN_M
        self._motion: Motion | None = None
        self._disturbances: Disturbances | None = None
        self._truth: CycleTruth | None = None
        self._row = 0.0
        self._guard_row: int | None = None
        self._rate = 1.0
        self._paused = False
        self._steps = 0

    @property
    def truth(self) -> CycleTruth | None:
        """The truth about the newest cycle; None before the first."""
        return self._truth

    @property
    def phase(self) -> str:
        """home, pick, carry, insert or return."""
        return self._motion.phase(int(self._row)) if self._motion else "home"

    @property
    def progress(self) -> float:
        """Share of the cycle's motion that is done, in [0, 1]; 1 between cycles."""
        return self._row / len(self._motion.height_m) if self._motion else 1.0

    @property
    def time_s(self) -> float:
        """Simulated time since the twin began."""
        return self._steps * CONTROL_PERIOD_S

    @property
    def insertion_m(self) -> float:
        """How deep the part sits in the hole; 0 when it is not in the hole."""
        return self._station.insertion_m

    def apply_shift(self, shift: Shift) -> None:
        """Change the station for good, from the next cycle on."""
        self._shift = shift

    def begin_cycle(self, cycle: int) -> CycleTruth:
        """Put a new part into the nest and start its cycle.

        An arm that stands elsewhere, because its last cycle was stopped, drives home
        first.
        """
        plan = plan_cycle(self._seed, self._cell_id, cycle, self._mix, self._shift)
        home = home_joints()
        start = self._station.joints_rad
        self._station.furnish(
            payload_kg=plan.payload_kg,
            radius_m=plan.peg_radius_m,
            friction=plan.friction,
            joint_friction=plan.joint_friction,
            grip_n=plan.grip_n,
            place_m=plan.pick_offset_m,
        )
        if np.abs(start - home).max() <= _HOME_RAD:
            # Exactly home, so that a cycle does not remember the one before it.
            start = home
            self._station.stand_at(home, OPEN_M)
        self._motion = plan_motion(plan, start)
        self._disturbances = Disturbances(self._station, plan, self._motion)
        self._sensors.begin_cycle(cycle, plan.truth.sensor_fault)
        self._truth = plan.truth
        self._row = 0.0
        self._guard_row = None
        self._rate = 0.0 if self._paused else 1.0
        return plan.truth

    def advance(self) -> TwinSample | None:
        """Simulate up to the next published sample; None when the cycle has ended.

        While paused, samples of a standing arm come for as long as they are asked for.
        """
        if self._motion is None:
            return None
        if self._row >= len(self._motion.height_m):
            self._end_cycle()
            return None
        return self._run(moving=not self._paused)

    def idle(self) -> TwinSample:
        """Simulate one published sample of an arm that stands where it is."""
        return self._run(moving=False)

    def pause(self) -> None:
        """Stop where the arm is, within 0.1 s; the servos hold the pose."""
        self._paused = True

    def resume(self) -> None:
        """Go on from where the arm was paused."""
        self._paused = False

    def _end_cycle(self) -> None:
        if self._truth is not None:
            self._sensors.end_cycle(self._truth.cycle)
        self._motion = None
        self._disturbances = None

    def _run(self, *, moving: bool) -> TwinSample:
        progress = self.progress
        for reading in self._readings:
            self._control(moving=moving)
            self._station.step(self._target, self._opening_m)
            reading[:] = self._station.measured
        self._steps += len(self._readings)
        return self._sensors.sample(self._readings, self.time_s, progress)

    def _control(self, *, moving: bool) -> None:
        """Work out the servo targets of one control step, and what disturbs it."""
        motion = self._motion
        if motion is None or self._disturbances is None:
            return
        if moving:
            self._rate = min(1.0, self._rate + 1.0 / _STOPPING_STEPS)
        else:
            self._rate = max(0.0, self._rate - 1.0 / _STOPPING_STEPS)
        last = len(motion.height_m) - 1
        before = int(self._row)
        self._row = min(self._row + self._rate, last + 1.0)
        row = min(int(self._row), last)
        if row > before:
            self._pass_rows(motion, before, row)
        self._disturbances.step(row)
        reference = motion.reference_rad[row]
        part = self._row - row
        if part > 0.0 and row < last:  # slowed down: between two rows
            reference = reference + part * (motion.reference_rad[row + 1] - reference)
        if self._guard_row is not None and self._guarded(motion, row):
            self._target = motion.reference_rad[self._guard_row]
        else:
            self._target = reference + self._rate * motion.lead_rad[row]
        self._opening_m = float(motion.opening_m[row])

    def _pass_rows(self, motion: Motion, before: int, row: int) -> None:
        """Grasp, let go and stop a blocked insertion when their rows come."""
        starts = motion.starts
        if before < starts["lift"] <= row:
            self._station.grasp()
        if before < starts["release"] <= row:
            self._station.let_go()
        inserting = starts["insert"] < row < starts["release"]
        # A force that is no number stops the insertion too.
        pressed_hard = not self._station.measured[_FZ] <= _GUARD_N
        if inserting and pressed_hard and self._guard_row is None:
            self._guard_row = row

    def _guarded(self, motion: Motion, row: int) -> bool:
        """Whether the plan is deeper than where the insertion was stopped."""
        inside = motion.starts["insert"] <= row < motion.starts["home"]
        guard = self._guard_row
        if guard is None or not inside:
            return False
        return bool(motion.height_m[row] < motion.height_m[guard])
