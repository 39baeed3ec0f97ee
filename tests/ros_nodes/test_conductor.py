"""One node against a real gRPC stream, with a robot that obeys at once; no ROS."""

import asyncio
import json
from pathlib import Path

import pytest

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes.clock import SECOND_NS
from ros_nodes.terms import HoldReason, Stand, StepMoment
from ros_nodes.window_bytes import schema_digest
from tests.ros_nodes.conducted import running, started
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving


async def test_hello_says_who_speaks_and_what_it_measures(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port), running(port, tmp_path):
        hello = (await coordinator.session()).hello

    assert hello.cell_id == "press-1"
    assert list(hello.channels) == ["elbow_pos", "elbow_effort", "force_z"]
    assert hello.schema_digest == schema_digest(
        [("elbow_pos", "rad"), ("elbow_effort", "N*m"), ("force_z", "N")]
    )
    assert hello.boot_id
    assert hello.software == "test"


async def test_the_robot_is_held_before_anything_else(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port), running(port, tmp_path) as cell:
        await coordinator.session()

        assert cell.robot.asked == ["hold"]


async def test_a_cycle_becomes_one_window_and_waits(tmp_path: Path) -> None:
    async with started(tmp_path) as (cell, session):
        cell.play(0)
        await session.until(lambda: session.windows)
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat > beats)

        [window] = session.windows
        assert (window.rows, window.channels, window.gap_rows) == (8, 3, 0)
        assert window.kind == terms_pb2.WINDOW_KIND_DECISION
        assert session.scene.stand == cell_pb2.STAND_DECIDING
        assert cell.robot.leaves == ["p-1"]


async def test_a_decision_reaches_the_robot_as_leave(tmp_path: Path) -> None:
    async with started(tmp_path) as (cell, session):
        cell.play(0)
        await session.until(lambda: session.windows)
        cell.feel(cell.clock.monotonic_ns())
        await session.permit_for(session.windows[0], permit_id="p-2")
        await session.until(lambda: len(session.of("permit_started")) == 2)

        assert cell.robot.leaves == ["p-1", "p-2"]
        latency = session.of("permit_started")[-1].latency
        assert 0 < latency.ToNanoseconds() < 10 * SECOND_NS


async def test_a_robot_that_begins_by_itself_is_held_and_told(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port), running(port, tmp_path) as cell:
        session = await coordinator.session()
        asked = len(cell.robot.asked)
        cell.say(StepMoment.BEGIN, 0, cell.clock.monotonic_ns())
        await session.until(lambda: session.of("node_held"))

        [held] = session.of("node_held")
        assert held.reason == terms_pb2.HOLD_REASON_IDENTITY
        assert held.confirmed
        # It stood held from the beginning; it need not be asked twice.
        assert len(cell.robot.asked) == asked


async def test_monitor_windows_are_sent_while_the_robot_works(tmp_path: Path) -> None:
    async with started(tmp_path, monitor_every_s=0.05) as (cell, session):
        begin_ns = cell.clock.monotonic_ns()
        cell.say(StepMoment.BEGIN, 0, begin_ns)
        while len(session.windows) < 2:
            cell.feel(cell.clock.monotonic_ns())
            await asyncio.sleep(0.005)

        assert {w.kind for w in session.windows} == {terms_pb2.WINDOW_KIND_MONITOR}
        assert session.windows[0].rows == 4
        assert [w.seq for w in session.windows[:2]] == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(
            {"withdraw": cell_pb2.Withdraw(reason=terms_pb2.HOLD_REASON_STOP_LABEL)},
            id="withdraw",
        ),
        pytest.param(
            {
                "withdraw": cell_pb2.Withdraw(
                    reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, session_epoch=99
                )
            },
            id="withdraw-of-another-session",
        ),
        pytest.param({"draining": cell_pb2.Draining()}, id="draining"),
    ],
)
async def test_whoever_says_stop_is_obeyed(tmp_path: Path, message) -> None:
    async with started(tmp_path) as (cell, session):
        cell.say(StepMoment.BEGIN, 0, cell.clock.monotonic_ns())
        cell.feel(cell.clock.monotonic_ns())
        cell.robot.asked.clear()
        await session.say(**message)
        await cell.until(lambda: cell.robot.asked == ["hold"])
        await session.until(lambda: session.scene.stand == cell_pb2.STAND_PAUSED)

        assert session.of("node_held") == []


async def test_a_node_that_slept_blames_the_link_and_not_the_robot(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as (cell, session):
        begun_ns = cell.clock.monotonic_ns()
        cell.clock.asleep_ns = 5 * SECOND_NS
        # What the robot said meanwhile is heard before the node looks at its clock.
        cell.say(StepMoment.BEGIN, 0, begun_ns)
        await session.until(session.over.is_set)

        held = cell.conductor.station.permission.held
        assert held is not None
        assert held.reason is HoldReason.LINK_LOST
        assert cell.conductor.station.scene.stand is Stand.PAUSED
        assert cell.robot.asked[-1] == "hold"


async def test_the_trace_says_when_the_node_was_late_to_look_at_its_clock(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as (cell, session):
        beats = session.last_heartbeat
        cell.clock.asleep_ns = SECOND_NS
        await session.until(lambda: session.last_heartbeat > beats + 1)
    text = (tmp_path / "node.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(one) for one in text.splitlines()]

    gaps = [line["gap_ns"] for line in lines if line["event"] == "late"]
    assert any(gap >= SECOND_NS for gap in gaps)
    sent = {line["seq"]: line["sent_ns"] for line in lines if line["event"] == "beat"}
    acks = {line["seq"]: line["mono_ns"] for line in lines if line["event"] == "ack"}
    assert all(acks[seq] > sent[seq] for seq in acks)
    assert len(acks) >= 2


async def test_a_robot_that_does_not_obey_is_reported(tmp_path: Path) -> None:
    async with started(tmp_path) as (cell, session):
        cell.say(StepMoment.BEGIN, 0, cell.clock.monotonic_ns())
        cell.feel(cell.clock.monotonic_ns())
        cell.robot.obeys = False
        await session.say(withdraw=cell_pb2.Withdraw())
        await session.until(lambda: session.of("node_held"))

        assert not session.of("node_held")[0].confirmed


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"permit": terms_pb2.Permit(permit_id="p-9")}, id="permit"),
        pytest.param({"refusal": terms_pb2.Refusal(text="stale")}, id="refusal"),
        pytest.param({"window_outcome": cell_pb2.WindowOutcome()}, id="outcome"),
        pytest.param({"clip_wanted": cell_pb2.ClipWanted()}, id="clip"),
        pytest.param({"reoffer": cell_pb2.Reoffer(session_epoch=99)}, id="reoffer"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_what_permits_nothing_moves_nothing(tmp_path: Path, message) -> None:
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port), running(port, tmp_path) as cell:
        session = await coordinator.session()
        await session.say(**message)
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat > beats)

        assert cell.robot.leaves == []
        assert not session.over.is_set()


async def test_nonsense_on_the_steps_topic_is_counted_and_told(tmp_path: Path) -> None:
    async with started(tmp_path) as (cell, session):
        cell.conductor.step_said("nonsense")
        await session.until(
            lambda: session.of("heartbeat")[-1].dropped.get("malformed_step") == 1
        )


async def test_a_hung_event_loop_is_noticed_from_outside(tmp_path: Path) -> None:
    async with started(tmp_path) as (cell, _):
        now_ns = cell.clock.monotonic_ns()

        assert not cell.conductor.overdue(now_ns)
        assert cell.conductor.overdue(now_ns + 3 * SECOND_NS)
