"""Windows that look like a peg being picked, carried and inserted, well or badly."""

from __future__ import annotations

import hashlib
import math
import random
import struct

from andon.v1 import terms_pb2

ROWS = 128
PERIOD_NS = 50_000_000

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")
CHANNELS = [
    *((f"{joint}_pos", "rad") for joint in JOINTS),
    *((f"{joint}_vel", "rad/s") for joint in JOINTS[:4]),
    *((f"{joint}_effort", "N*m") for joint in JOINTS),
    *((f"force_{axis}", "N") for axis in "xyz"),
    *((f"torque_{axis}", "N*m") for axis in "xyz"),
    ("gripper_pos", "m"),
    ("gripper_effort", "N"),
]
LABELS = [
    ("collision", terms_pb2.ACTION_STOP, "collision"),
    ("misaligned", terms_pb2.ACTION_REWORK, "misaligned insertion"),
    ("grip_slip", terms_pb2.ACTION_REWORK, "part slipped in the gripper"),
    ("missing_part", terms_pb2.ACTION_REJECT, "no part"),
    ("ok", terms_pb2.ACTION_CONTINUE, "good"),
]

TELLING = {
    "collision": {"force_x": 0.6, "force_y": 0.22, "elbow_effort": 0.08},
    "misaligned": {"force_z": 0.55, "torque_x": 0.2, "wrist_1_effort": 0.1},
    "grip_slip": {"gripper_effort": 0.5, "gripper_pos": 0.28, "force_z": 0.1},
    "missing_part": {"gripper_effort": 0.7, "gripper_pos": 0.2, "force_z": 0.05},
    "ok": {"force_z": 0.2, "torque_y": 0.15, "wrist_2_effort": 0.1},
}
SUSPICIOUS = {
    "collision": (58, 66),
    "misaligned": (84, 104),
    "grip_slip": (46, 72),
    "missing_part": (30, 118),
    "ok": (88, 96),
}


def channels() -> list[terms_pb2.Channel]:
    return [terms_pb2.Channel(name=name, unit=unit) for name, unit in CHANNELS]


def labels() -> list[terms_pb2.Label]:
    return [
        terms_pb2.Label(
            name=name, action=action, text=text, must_never_miss=name == "collision"
        )
        for name, action, text in LABELS
    ]


def weights(label: str, share: float = 1.0) -> dict[str, float]:
    return {channel: share * weight for channel, weight in TELLING[label].items()}


def rows(label: str, weight: float) -> list[float]:
    """How much each row counts: most in the middle of what is suspicious."""
    first, last = SUSPICIOUS[label]
    top = weight / max(TELLING[label].values())
    middle, width = (first + last) / 2, (last - first) / 2
    return [top * _bump(row, middle, width) for row in range(ROWS)]


def window(label: str, cycle: int, seed: int = 0) -> terms_pb2.Window:
    """One window of a cycle that went as the label says."""
    dice = random.Random(f"{label}/{cycle}/{seed}")  # noqa: S311 - a play
    rows = [
        [_sample(name, row, label, dice) for name, _ in CHANNELS] for row in range(ROWS)
    ]
    samples = struct.pack(
        f"<{ROWS * len(CHANNELS)}f", *(v for row in rows for v in row)
    )
    return terms_pb2.Window(
        window_id=f"w-{cycle}-{dice.getrandbits(32):08x}",
        kind=terms_pb2.WINDOW_KIND_DECISION,
        cycle=cycle,
        step="insert",
        period_ns=PERIOD_NS,
        rows=ROWS,
        channels=len(CHANNELS),
        samples=samples,
        window_digest=hashlib.sha256(samples).hexdigest(),
    )


def _bump(row: int, middle: float, width: float) -> float:
    return math.exp(-(((row - middle) / width) ** 2))


def _sample(name: str, row: int, label: str, dice: random.Random) -> float:
    first, last = SUSPICIOUS[label]
    middle, width = (first + last) / 2, (last - first) / 3
    wrong = _bump(row, middle, width)
    noise = dice.gauss(0, 1)
    holding = 1.0 if 24 <= row <= 108 and label != "missing_part" else 0.0
    match name:
        case "force_x" | "force_y":
            pulse = 62.0 * wrong if label == "collision" else 0.0
            return pulse + 1.5 * math.sin(row / 9) + 0.6 * noise
        case "force_z":
            push = 22.0 if label == "misaligned" else 6.0
            return -8.0 * holding - push * _bump(row, 94, 9) + 0.5 * noise
        case "torque_x" | "torque_y" | "torque_z":
            twist = 1.8 * wrong if label == "misaligned" else 0.0
            return 0.3 * math.sin(row / 11) + twist + 0.03 * noise
        case "gripper_pos":
            slip = 0.004 * max(0.0, (row - first) / 60) if label == "grip_slip" else 0.0
            return 0.085 - 0.055 * holding - slip + 0.0002 * noise
        case "gripper_effort":
            loss = 14.0 * wrong if label == "grip_slip" else 0.0
            return 38.0 * holding - loss + 0.5 * noise
        case _ if name.endswith("_pos"):
            return math.sin(row / 20 + len(name)) + 0.001 * noise
        case _ if name.endswith("_vel"):
            return 0.8 * math.cos(row / 20 + len(name)) + 0.01 * noise
        case _:
            return 18.0 * math.sin(row / 16 + len(name)) + 0.4 * noise
