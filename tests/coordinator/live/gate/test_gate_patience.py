"""When the gate would lose by another model: certified, or nearer than any other."""

from coordinator.live.gate.patience import reason_to_stay
from coordinator.live.gate.plan import GatePlan, Mode
from coordinator.terms import Closing, GateState, events
from tests.builders import PEG
from tests.coordinator.live.gate.standing_world import PLAN, StandingWorld


def reason(world: StandingWorld, plan: GatePlan = PLAN) -> str:
    return reason_to_stay(world.standing, plan, world.state())


def audited(count: int, *, wrong: int = 0, plan: GatePlan = PLAN) -> StandingWorld:
    """A world after so many audited cases; the first ones were wrong."""
    world = StandingWorld(plan)
    for number in range(count):
        world.window(drawn=True, truth="misaligned" if number < wrong else None)
    return world


def test_at_the_beginning_nothing_speaks_for_the_serving_model():
    assert reason(StandingWorld()) == ""
    assert reason(audited(71)) == ""


def test_from_half_way_on_it_stays_and_the_reason_counts():
    assert reason(audited(73)) == (
        "the serving model has 73 of about 144 audited cases for a certificate, and "
        "another begins at none"
    )


def test_what_has_further_to_go_than_any_other_at_best_does_not_stay():
    world = audited(160, wrong=9)
    assert world.standing.needed is None or (
        world.standing.needed - world.standing.audited >= world.standing.least
    )

    assert reason(world) == ""


def test_a_certified_model_stays_until_the_gate_shuts():
    world = StandingWorld()
    world.certify()
    assert "certified" in reason(world)

    world.standing.close(events.GateClosed(PEG, Closing.DRIFT, "it moved."))
    world.carry()
    assert world.state() is GateState.CLOSED
    assert reason(world) == ""


def test_on_a_word_or_without_a_promise_a_better_model_never_waits():
    world = audited(100)
    assert reason(world) != ""
    world.grant()
    assert reason(world) == ""

    for mode in (Mode.ASK_ALL, Mode.PROVISIONAL):
        plan = GatePlan(mode=mode, promise=PLAN.promise)
        assert reason(audited(100, plan=plan), plan) == ""
