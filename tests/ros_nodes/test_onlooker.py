"""A station that only watches: it judges what the robot does, and asks it nothing."""

from pathlib import Path

import pytest

from andon.v1 import cell_pb2
from coordinator import config as coordinator_config
from ros_nodes.clock import SECOND_NS
from ros_nodes.effects import (
    CallHold,
    CallResume,
    CutNow,
    Effect,
    GiveLeave,
    SendWindow,
    TellStarted,
)
from ros_nodes.onlooker import Onlooker
from ros_nodes.permission import Permission
from ros_nodes.terms import HoldReason, Purpose, Stand, StepMoment
from tests.ros_nodes.cells import cell_up, free_domain
from tests.ros_nodes.node_builders import at, step
from tests.ros_nodes.scripted_coordinator import ScriptedCoordinator, serving
from tests.ros_nodes.station_rig import MOVED, Rig, kinds, make_window


class Watching(Rig):
    def __init__(self) -> None:
        super().__init__()
        self.station = Onlooker(Permission(maximum_execution_ns=60 * SECOND_NS))

    def cycle(self, number: int, moment: float) -> list[Effect]:
        """The robot works a cycle; what the node does about it."""
        begin = step(StepMoment.BEGIN, number, stamp_ns=at(moment), permit_id="own")
        end = step(StepMoment.END, number, stamp_ns=at(moment + 0.1))
        effects = self.station.began(begin, at(moment))
        effects += self.station.ended(end, at(moment + 0.1))
        if any(isinstance(effect, CutNow) for effect in effects):
            effects += self.station.judged(make_window(number), MOVED)
        return effects


def test_a_robot_that_works_without_leave_is_not_accused() -> None:
    rig = Watching().connected()

    assert rig.cycle(0, 0.2) == []
    assert rig.station.scene.stand is Stand.AT_START


def test_after_a_permit_the_next_step_is_judged_though_nobody_gave_leave() -> None:
    rig = Watching().connected()

    started = rig.offer(Purpose.START, 0.1)
    effects = rig.cycle(7, 0.2)

    assert kinds(started) == ["TellStarted"]
    assert kinds(effects) == ["CutNow", "SendWindow"]
    assert rig.station.scene.stand is Stand.DECIDING
    assert rig.station.scene.cycle == 7


def test_steps_pass_unseen_while_one_waits_for_its_decision() -> None:
    rig = Watching().connected()
    rig.offer(Purpose.START, 0.1)
    rig.cycle(0, 0.2)
    pending = rig.station.pending

    assert rig.cycle(1, 0.4) == rig.cycle(2, 0.6) == []
    assert rig.station.pending is pending
    rig.beat(0.8)
    [started] = rig.offer(Purpose.NEXT_STEP, 0.9, positions=MOVED)
    assert isinstance(started, TellStarted)
    assert kinds(rig.cycle(3, 1.0)) == ["CutNow", "SendWindow"]


def test_a_step_that_was_under_way_at_the_permit_is_not_judged() -> None:
    rig = Watching().connected()
    begin = step(StepMoment.BEGIN, 4, stamp_ns=at(0.05))
    assert rig.station.began(begin, at(0.05)) == []
    rig.offer(Purpose.START, 0.1)
    end = step(StepMoment.END, 4, stamp_ns=at(0.2))

    assert rig.station.ended(end, at(0.2)) == []
    assert kinds(rig.cycle(5, 0.3)) == ["CutNow", "SendWindow"]


def test_a_robot_may_take_its_time_to_begin() -> None:
    rig = Watching().connected()
    rig.offer(Purpose.START, 0.1)
    for moment in range(1, 200):
        rig.beat(float(moment))

        assert rig.look(moment + 0.5) == []


@pytest.mark.parametrize("reason", list(HoldReason))
def test_a_hold_asks_the_robot_for_nothing(reason: HoldReason) -> None:
    rig = Watching().connected()
    rig.offer(Purpose.START, 0.1)
    rig.station.began(step(StepMoment.BEGIN, 0, stamp_ns=at(0.2)), at(0.2))

    effects = rig.station.withdrawn(reason, "hold", at(0.3))
    effects += rig.station.safety_said("PROTECTIVE_STOP", at(0.4))
    effects += rig.station.closed("gone", at(0.5)) + rig.station.hold_at_boot(at(0.6))

    asks = [e for e in effects if isinstance(e, CallHold | CallResume | GiveLeave)]
    assert asks == []
    assert "TellSafetyStop" in kinds(effects)


def test_what_it_waits_for_is_offered_again_wherever_the_robot_is() -> None:
    rig = Watching().connected()
    rig.offer(Purpose.START, 0.1)
    rig.cycle(0, 0.2)
    rig.station.closed("gone", at(0.5))
    rig.connected(1.0, epoch=2)

    [offered] = rig.station.reoffer(at(1.1), MOVED)

    assert isinstance(offered, SendWindow)
    assert offered.offered_again


@pytest.mark.ros
@pytest.mark.slow
async def test_a_twin_that_is_only_watched_works_on_and_is_judged(
    tmp_path: Path,
) -> None:
    pytest.importorskip("rclpy")
    coordinator = ScriptedCoordinator()
    async with serving(coordinator) as (_, port):
        text = coordinator_config.template()
        text = text.replace("127.0.0.1:50551", f"127.0.0.1:{port}")
        text = text.replace("domain_id = 42", f"domain_id = {free_domain(6)}")
        text = text.replace('adapter = "trigger"', 'adapter = "none"')
        path = tmp_path / "andon.toml"
        path.write_text(text, encoding="utf-8")
        async with cell_up(tmp_path, config=path) as cell:
            session = await coordinator.session()
            await cell.until(lambda: len(cell.motions("end")) >= 2, within=30.0)
            assert session.windows == []
            await session.permit("START")
            await session.until(lambda: session.windows, within=30.0)
            ended = len(cell.motions("end"))
            await cell.until(lambda: len(cell.motions("end")) >= ended + 2, within=30.0)
            assert len(session.windows) == 1
            await session.permit_for(session.windows[0], permit_id="p-next")
            await session.until(lambda: len(session.windows) == 2, within=30.0)

            assert cell.motions("pause") == []
            assert session.robot == cell_pb2.ROBOT_HOLD_FREE
            log = (tmp_path / "nodes.log").read_text(encoding="utf-8")
            assert "MONITOR ONLY" in log
