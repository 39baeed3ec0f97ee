"""Whether the serving model had better go on although a better one waits. Pure.

Another model voids what was proven of this one and begins at no case at all. While this
one is certified, or nearer to it than any other can be, that costs people more answers
than a slightly better model spares them. In the other states nothing is lost.
"""

from __future__ import annotations

from coordinator.live.gate.plan import GatePlan, Mode
from coordinator.live.gate.standing import Standing
from coordinator.terms import GateState


def reason_to_stay(standing: Standing, plan: GatePlan, state: GateState) -> str:
    """Return why the serving model goes on; "" when nothing speaks for it.

    Args:
        standing: What is proven of it, or how far the proof is.
        plan: What is promised.
        state: On what the gate rests now.
    """
    if state is GateState.CERTIFIED:
        return "the serving model is certified, and another has to prove itself anew"
    audited, needed = standing.audited, standing.needed
    if (
        plan.mode is not Mode.CERTIFIED
        or state is GateState.PROVISIONAL
        or needed is None
        or needed - audited >= min(audited, standing.least)
    ):
        return ""
    return (
        f"the serving model has {audited} of about {needed} audited cases for a "
        "certificate, and another begins at none"
    )
