"""A standing as people are shown it; pure."""

from __future__ import annotations

from coordinator.live.gate.plan import GatePlan
from coordinator.live.gate.standing import Standing
from coordinator.terms import FamilyId, GateLine, GateState, GateStatus


def line_of(standing: Standing, state: GateState, text: str) -> GateLine:
    """What is always shown.

    Args:
        standing: Whose counts.
        state: On what the gate rests now.
        text: One sentence about that.
    """
    opened = {
        GateState.CERTIFIED: standing.certificate,
        GateState.PROVISIONAL: standing.permission,
    }.get(state)
    return GateLine(
        state=state,
        text=text,
        audited=standing.audited,
        needed=standing.needed,
        until=None if opened is None else opened.until,
    )


def status_of(
    standing: Standing, line: GateLine, family: FamilyId, plan: GatePlan, share: float
) -> GateStatus:
    """All that is known.

    Args:
        standing: Whose.
        line: What is always shown of it.
        family: Whose gate.
        plan: What is promised.
        share: Probability with which the next window is audited.
    """
    certified = line.state is GateState.CERTIFIED
    provisional = line.state is GateState.PROVISIONAL
    return GateStatus(
        family=family,
        state=line.state,
        text=line.text,
        alpha=plan.promise.alpha,
        delta=plan.promise.delta,
        audited=line.audited,
        needed=line.needed,
        audit_share=share,
        error=standing.error(),
        model_digest=standing.model_digest,
        certificate=standing.certificate if certified else None,
        permission=standing.permission if provisional else None,
    )
