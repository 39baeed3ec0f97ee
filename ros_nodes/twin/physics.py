"""The station in MuJoCo: arm, gripper, part, fixture, and what can be done to them.

Knows no cycles and no faults; it can hold a part, let it slip, push the tool and
measure.
"""

import math
from importlib import resources
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS_A_CONTROL: Final = 2
"""Physics steps of 1 ms between two targets of the servos."""

MEASURED: Final = 27
"""Numbers in one measurement: 7 positions, 7 velocities, 7 efforts, force, torque.

Force and torque are what the wrist puts on the tool, as MuJoCo measures them.
"""

_NEST_M: Final = np.array([0.45, -0.22, 0.075])
_NOWHERE_M: Final = np.array([-0.6, 0.0, 0.075])
_UPRIGHT: Final = np.array([1.0, 0.0, 0.0, 0.0])
_PEG_HALF_M: Final = 0.045
_MOUTH_M: Final = np.array([0.45, 0.22, 0.080])


class Station:
    """One cobot station, stepped by hand. Not thread-safe.

    Holding is a weld, not friction, so that a part slips when and how far the scenario
    says; the pads still touch the part, which is what the gripper feels.
    """

    def __init__(self) -> None:
        source = resources.files("ros_nodes.twin").joinpath("cell.xml")
        self._model = mujoco.MjModel.from_xml_string(source.read_text("utf-8"))
        self._data = mujoco.MjData(self._model)
        self._scratch = mujoco.MjData(self._model)
        model = self._model
        self._peg = int(model.body("peg").id)
        self._peg_geom = int(model.geom("peg").id)
        self._peg_qpos = int(model.joint("peg_joint").qposadr[0])
        self._tool = int(model.body("tool").id)
        self._nest = int(model.equality("nest").id)
        self._grasp = int(model.equality("grasp").id)
        self._gripper = int(model.actuator("gripper").id)
        self._arm = slice(0, 6)
        # Nominal values, because every cycle scales them anew.
        self._peg_mass = float(model.body_mass[self._peg])
        self._peg_inertia = model.body_inertia[self._peg].copy()
        self._friction_loss = model.dof_frictionloss[:6].copy()
        self._damping = model.dof_damping[:6].copy()
        self._pose_held = np.zeros(7)
        self.measured: Floats = self._data.sensordata
        """(27,) the newest measurement; a view that the next step overwrites."""
        self._control = self._data.ctrl
        self._push = self._data.xfrc_applied[self._tool]

    @property
    def joints_rad(self) -> Floats:
        """(6,) true joint angles now."""
        return np.array(self._data.qpos[self._arm])

    @property
    def insertion_m(self) -> float:
        """How deep the part's tip is below the mouth of the hole.

        Zero when the part is beside the hole or lies down.
        """
        offset = np.array(self._data.xpos[self._peg]) - _MOUTH_M
        upright = float(self._data.xmat[self._peg][8])
        if not (np.hypot(offset[0], offset[1]) < 0.006 and upright > 0.97):
            return 0.0
        return max(0.0, _PEG_HALF_M - float(offset[2]))

    def furnish(
        self,
        *,
        payload_kg: float,
        radius_m: float,
        friction: float,
        joint_friction: Floats,
        grip_n: float,
        place_m: Floats,
    ) -> None:
        """Put a new part into the nest and set what differs from cycle to cycle.

        Args:
            payload_kg: Mass of the part; 0 leaves the nest empty.
            radius_m: Of the part.
            friction: Between part and fixture.
            joint_friction: (6,) factors on friction and damping of the joints.
            grip_n: Force that the fingers close with.
            place_m: (2,) where the part stands, from its nominal place.
        """
        model, data = self._model, self._data
        share = payload_kg / self._peg_mass if payload_kg > 0.0 else 1.0
        model.body_mass[self._peg] = self._peg_mass * share
        model.body_inertia[self._peg] = self._peg_inertia * share
        model.geom_size[self._peg_geom, 0] = radius_m
        model.geom_friction[self._peg_geom, 0] = friction
        model.dof_frictionloss[:6] = self._friction_loss * joint_friction
        model.dof_damping[:6] = self._damping * joint_friction
        mujoco.mj_setConst(model, self._scratch)
        self.grip_force(grip_n)

        position = (
            _NOWHERE_M if payload_kg <= 0.0 else _NEST_M + np.append(place_m, 0.0)
        )
        data.qpos[self._peg_qpos : self._peg_qpos + 3] = position
        data.qpos[self._peg_qpos + 3 : self._peg_qpos + 7] = _UPRIGHT
        data.qvel[8:14] = 0.0
        self._weld(self._nest, position, _UPRIGHT)
        data.eq_active[self._nest] = 1
        data.eq_active[self._grasp] = 0
        data.qacc_warmstart[:] = 0.0
        self.push(np.zeros(3), np.zeros(3))

    def stand_at(self, joints_rad: Floats, opening_m: float) -> None:
        """Put the arm at rest into a pose, as if it had always stood there."""
        data = self._data
        data.qpos[self._arm] = joints_rad
        data.qpos[6:8] = opening_m
        data.qvel[:8] = 0.0
        data.ctrl[:6] = joints_rad
        data.ctrl[6] = opening_m

    def step(self, target_rad: Floats, opening_m: float) -> None:
        """Run one control period (2 ms) towards a target, and measure."""
        self._control[:6] = target_rad
        self._control[6] = opening_m
        mujoco.mj_step(self._model, self._data, STEPS_A_CONTROL)

    def grip_force(self, force_n: float) -> None:
        """Limit the force of the fingers."""
        self._model.actuator_forcerange[self._gripper] = (-force_n, force_n)

    def grasp(self) -> None:
        """Hold the part where it is; nothing between the fingers is no error."""
        data = self._data
        position = np.zeros(3)
        turn = np.zeros(4)
        back = np.zeros(4)
        mujoco.mju_negQuat(back, data.xquat[self._tool])
        apart = data.xpos[self._peg] - data.xpos[self._tool]
        mujoco.mju_rotVecQuat(position, apart, back)
        mujoco.mju_mulQuat(turn, back, data.xquat[self._peg])
        data.eq_active[self._nest] = 0
        if not np.linalg.norm(position) < 0.2:
            data.eq_active[self._nest] = 1  # nothing there: the spare part stays away
            return
        self._pose_held = np.concatenate([position, turn])
        self._weld(self._grasp, position, turn)
        data.eq_active[self._grasp] = 1

    def slip(self, distance_m: float, tilt_rad: float) -> None:
        """Let the part sit lower and tilted in the fingers, measured from its grasp."""
        position = self._pose_held[:3] + np.array([0.0, 0.0, distance_m])
        tilt = np.array([math.cos(tilt_rad / 2), math.sin(tilt_rad / 2), 0.0, 0.0])
        turn = np.zeros(4)
        mujoco.mju_mulQuat(turn, tilt, self._pose_held[3:])
        self._weld(self._grasp, position, turn)

    def let_go(self) -> None:
        """Stop holding the part."""
        self._data.eq_active[self._grasp] = 0

    def push(self, force_n: Floats, lever_m: Floats) -> None:
        """Push the tool until told otherwise: (3,), (3,) in the arm's base."""
        self._push[:3] = force_n
        self._push[3:] = np.cross(lever_m, force_n)

    def _weld(self, weld: int, position_m: Floats, turn: Floats) -> None:
        row = self._model.eq_data[weld]
        row[0:3] = 0.0
        row[3:6] = position_m
        row[6:10] = turn
