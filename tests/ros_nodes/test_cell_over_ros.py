"""A whole cell in real processes: ROS 2 below, gRPC above, a scripted coordinator."""

import os
import signal
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes.clock import SECOND_NS, SystemClock
from tests.ros_nodes.cells import Cell, cell_up, free_domain
from tests.ros_nodes.scripted_coordinator import (
    ScriptedCoordinator,
    Spoken,
    serving,
)

pytest.importorskip("rclpy")
pytestmark = [pytest.mark.ros, pytest.mark.slow]


async def first_window(session: Spoken, cell: Cell) -> terms_pb2.Window:
    """Start the cell and wait for the window of its first cycle."""
    await session.permit("START", permit_id="p-start")
    await session.until(lambda: session.windows)
    assert len(cell.motions("begin")) == 1
    return session.windows[0]


async def test_a_cell_holds_until_a_permit_and_a_permit_starts_one_cycle(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(tmp_path, port=port, domain=free_domain(0)) as cell,
    ):
        session = await coordinator.session()
        assert session.hello.scene.stand == cell_pb2.STAND_AT_START
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat >= beats + 2)
        assert cell.motions("begin") == []

        window = await first_window(session, cell)
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat >= beats + 2)

        assert [m["permit_id"] for m in cell.motions("begin")] == ["p-start"]
        assert len(session.windows) == 1
        assert (window.rows, window.channels) == (128, 24)
        assert window.gap_rows == 0
        ended_ns = cell.motions("end")[0]["mono_ns"]
        elapsed_ns = SystemClock().monotonic_ns() - ended_ns
        assert 0 < window.age.ToNanoseconds() < elapsed_ns
        assert session.scene.stand == cell_pb2.STAND_DECIDING
        assert session.scene.window_digest == window.window_digest
        assert cell.truth()[0]["part_id"] == window.part_id


async def test_a_permit_that_is_late_replayed_or_of_another_session_moves_nothing(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator(first_epoch=7)
    async with (
        serving(coordinator) as (_, port),
        cell_up(tmp_path, port=port, domain=free_domain(1)) as cell,
    ):
        session = await coordinator.session()
        window = await first_window(session, cell)

        await session.permit_for(window, permit_id="p-start")
        await session.permit_for(window, permit_id="p-old", session_epoch=6)
        await session.permit_for(window, permit_id="p-new", session_epoch=8)
        await session.permit_for(
            window, permit_id="p-late", start_within=Duration(nanos=1)
        )
        await session.until(lambda: len(session.of("permit_dropped")) == 4)
        tokens = {d.permit_id: d.token for d in session.of("permit_dropped")}
        good = await session.permit_for(window, permit_id="p-good")
        await session.until(lambda: len(session.windows) == 2)

        assert tokens == {
            "p-start": "ALREADY_USED",
            "p-old": "WRONG_EPOCH",
            "p-new": "WRONG_EPOCH",
            "p-late": "EXPIRED",
        }
        begun = [m["permit_id"] for m in cell.motions("begin")]
        assert begun == ["p-start", good.permit_id]
        assert session.of("permit_started")[-1].HasField("latency")


async def test_a_coordinator_that_falls_silent_is_held_by_the_nodes_own_clock(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(
            # Slow, so that the step outlasts the lease.
            tmp_path,
            port=port,
            domain=free_domain(2),
            options=("--time-factor", "1"),
        ) as cell,
    ):
        session = await coordinator.session()
        await session.permit("START")
        await cell.until(lambda: cell.motions("begin"))
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat > beats)
        session.acknowledge = False
        silent_ns = SystemClock().monotonic_ns()
        again = await coordinator.session(2)
        paused = cell.motions("pause")[-1]

        assert paused["mono_ns"] - silent_ns <= 2.1 * SECOND_NS
        assert len(cell.motions("end")) == 0
        assert again.epoch == 2
        assert again.hello.scene.stand == cell_pb2.STAND_PAUSED


async def test_a_coordinator_that_dies_holds_the_cell_and_is_found_again(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (server, port),
        cell_up(tmp_path, port=port, domain=free_domain(3)) as cell,
    ):
        session = await coordinator.session()
        window = await first_window(session, cell)
        died_ns = SystemClock().monotonic_ns()
        await server.stop(grace=None)
        await cell.until(
            lambda: [h for h in cell.trace("hold") if h["mono_ns"] > died_ns]
        )
        held_ns = [h["mono_ns"] for h in cell.trace("hold")][-1]

        async with serving(coordinator, port=port):
            again = await coordinator.session(2)
            assert again.hello.scene.window_digest == window.window_digest
            await again.say(reoffer=cell_pb2.Reoffer(session_epoch=again.epoch))
            await again.until(lambda: again.windows)
            offered = again.windows[0]
            await again.permit_for(offered, permit_id="p-again")
            await again.until(lambda: len(again.windows) == 2)

        assert held_ns - died_ns <= 2 * SECOND_NS
        assert offered.offered_again
        assert offered.samples == window.samples
        assert offered.window_digest == window.window_digest
        assert offered.seq == 1
        assert offered.age.ToNanoseconds() < held_ns - window.start_ns
        begun = [m["permit_id"] for m in cell.motions("begin")]
        assert begun == ["p-start", "p-again"]


async def test_withdrawing_pauses_a_step_and_a_resume_permit_lets_it_go_on(
    tmp_path: Path,
) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(
            # Slow, so that the step is still under way when it is withdrawn.
            tmp_path,
            port=port,
            domain=free_domain(4),
            options=("--time-factor", "2"),
        ) as cell,
    ):
        session = await coordinator.session()
        await session.permit("START")
        await cell.until(lambda: cell.motions("begin"))
        await session.say(
            withdraw=cell_pb2.Withdraw(
                reason=terms_pb2.HOLD_REASON_OPERATOR_HOLD, text="cord pulled"
            )
        )
        await session.until(lambda: session.scene.stand == cell_pb2.STAND_PAUSED)
        beats = session.last_heartbeat
        await session.until(lambda: session.last_heartbeat >= beats + 2)
        assert session.windows == []

        await session.permit("RESUME", permit_id="p-resume")
        await session.until(lambda: session.windows)

        begin, pause, resume, end = cell.motions("begin", "pause", "resume", "end")[-4:]
        assert [m["event"] for m in (begin, pause, resume, end)] == [
            "begin",
            "pause",
            "resume",
            "end",
        ]
        assert len(cell.motions("begin")) == 1
        # The pause is not part of the evidence.
        [window] = session.windows
        worked_ns = end["mono_ns"] - begin["mono_ns"]
        paused_ns = resume["mono_ns"] - pause["mono_ns"]
        assert window.gap_rows == 0
        assert window.rows * window.period_ns < worked_ns - paused_ns // 2


async def test_a_node_that_is_killed_comes_back_held(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(
            tmp_path,
            port=port,
            domain=free_domain(5),
            options=("--time-factor", "1"),
        ) as cell,
    ):
        session = await coordinator.session()
        await session.permit("START")
        await cell.until(lambda: cell.motions("begin"))
        os.kill(_node_pid(cell), signal.SIGKILL)
        killed_ns = SystemClock().monotonic_ns()
        again = await coordinator.session(2)
        await cell.until(lambda: cell.motions("pause")[-1]["mono_ns"] > killed_ns)

        assert again.hello.node_id != session.hello.node_id
        assert again.hello.scene.stand == cell_pb2.STAND_AT_START
        assert cell.motions("end") == []


async def test_ending_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(tmp_path, port=port, domain=free_domain(6)) as cell,
    ):
        await coordinator.session()
        assert len(cell.processes()) == 2
        cell.process.send_signal(signal.SIGTERM)
        code = await cell.process.wait()

        assert code == 0
        assert cell.processes() == []


async def test_a_killed_supervisor_takes_its_nodes_with_it(tmp_path: Path) -> None:
    coordinator = ScriptedCoordinator()
    async with (
        serving(coordinator) as (_, port),
        cell_up(tmp_path, port=port, domain=free_domain(7)) as cell,
    ):
        await coordinator.session()
        cell.process.kill()
        await cell.process.wait()

        await cell.until(lambda: cell.processes() == [])


def _node_pid(cell: Cell) -> int:
    for pid in cell.processes():
        if b"cell_node" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return pid
    raise AssertionError("no node is running")
