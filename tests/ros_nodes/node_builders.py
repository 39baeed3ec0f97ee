"""Values that the nodes' tests start from."""

from pathlib import Path
from typing import Any

from ros_nodes.clock import SECOND_NS
from ros_nodes.config import CellConfig, ChannelSpec, RosNames, Source
from ros_nodes.permission import Permission
from ros_nodes.terms import Action, Permit, Purpose, Scene, Stand, StepEvent, StepMoment

TEMPLATE = Path(__file__).resolve().parents[2] / "coordinator/profiles/twin.toml"
DIGEST = "d" * 64
STORE = "store"
T0 = 1_000 * SECOND_NS


def at(seconds: float) -> int:
    """A moment on the node's clock, in seconds after the tests' beginning."""
    return T0 + round(seconds * SECOND_NS)


def make_permit(**facts) -> Permit:
    defaults: dict[str, Any] = {
        "permit_id": "p-1",
        "purpose": Purpose.NEXT_STEP,
        "session_epoch": 1,
        "cycle": 7,
        "heartbeat_seq": 1,
        "start_within_ns": SECOND_NS,
        "maximum_execution_ns": 60 * SECOND_NS,
        "action": Action.CONTINUE,
        "window_digest": DIGEST,
    }
    return Permit(**(defaults | facts))


def deciding(**facts) -> Scene:
    defaults: dict[str, Any] = {
        "stand": Stand.DECIDING,
        "cycle": 7,
        "step": "insert",
        "part_id": "part-7",
        "window_digest": DIGEST,
    }
    return Scene(**(defaults | facts))


def leased_permission(*, epoch: int = 1) -> Permission:
    """Permission in a session whose first heartbeat, sent at T0, was acknowledged."""
    permission = Permission(maximum_execution_ns=60 * SECOND_NS)
    permission.greet(T0)
    assert (
        permission.open(epoch=epoch, store_id=STORE, lease_ns=2 * SECOND_NS, now_ns=T0)
        is None
    )
    seq = permission.heartbeat_sent(T0)
    assert permission.acked(seq=seq, epoch=epoch, now_ns=at(0.01))
    return permission


def step(
    moment: StepMoment, cycle: int = 0, *, stamp_ns: int = T0, permit_id: str = ""
) -> StepEvent:
    return StepEvent(moment, cycle, f"part-{cycle}", "insert", stamp_ns, permit_id)


def make_config(*, rows: int = 8, target: str = "127.0.0.1:1", **facts) -> CellConfig:
    """A cell with one joint, one effort and one force."""
    channels = (
        ChannelSpec("elbow_pos", "rad", Source("joints", "position", "elbow")),
        ChannelSpec("elbow_effort", "N*m", Source("joints", "effort", "elbow")),
        ChannelSpec("force_z", "N", Source("wrench", "force", "z")),
    )
    defaults: dict[str, Any] = {
        "cell_id": "press-1",
        "target": target,
        "channels": channels,
        "rows": rows,
        "monitor_rows": 4,
        "maximum_step_s": 60.0,
        "monitor_every_s": 0.0,
        "ros": RosNames(),
    }
    return CellConfig(**(defaults | facts))
