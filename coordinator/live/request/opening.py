"""From a judged window to its journal event and its question; pure."""

from __future__ import annotations

from datetime import datetime

from coordinator.live.request.rules import cause_of
from coordinator.terms import (
    Decision,
    FamilyId,
    Judged,
    OperatorRequest,
    RequestId,
    RequestKind,
    SensorWindow,
    TimeoutOutcome,
    events,
    new_id,
)


def decided(
    window: SensorWindow, judged: Judged, family: FamilyId
) -> events.WindowDecided:
    """The journal's record of one judged window."""
    return events.WindowDecided(
        decision_id=judged.decision_id,
        window_id=window.window_id,
        cell_id=window.cell_id,
        family=family,
        epoch=window.session_epoch,
        kind=window.kind,
        cycle=window.cycle,
        step=window.step,
        part_id=window.part_id,
        window_digest=window.digest,
        verdict=judged.verdict,
        coin=judged.coin,
        gate_digest=judged.gate_digest,
        age_ns=window.age_ns,
    )


def opened(  # noqa: PLR0913 - a request is born complete
    window: SensorWindow,
    judged: Judged,
    kind: RequestKind,
    *,
    family: FamilyId,
    raised_at: datetime,
    now_ns: int,
    time_allowed_ns: int,
    on_timeout: TimeoutOutcome,
) -> OperatorRequest:
    """The question about one judged window.

    The propensity is the probability with which this window could come before a person:
    one for what the gate asks, the audit coin's for what it does not.
    """
    prediction = judged.verdict.prediction
    asked = judged.verdict.decision is Decision.ASK
    return OperatorRequest(
        request_id=RequestId(new_id("r")),
        cell_id=window.cell_id,
        family=family,
        kind=kind,
        decision_id=judged.decision_id,
        window_id=window.window_id,
        window_digest=window.digest,
        session_epoch=window.session_epoch,
        cycle=window.cycle,
        part_id=window.part_id,
        guess="" if prediction is None else prediction.label,
        reason=judged.verdict.reason,
        code=judged.verdict.code,
        propensity=1.0 if asked else judged.coin.probability,
        raised_at=raised_at,
        deadline_ns=now_ns + time_allowed_ns,
        time_allowed_ns=time_allowed_ns,
        on_timeout=on_timeout,
        priority=1 if kind is RequestKind.QUESTION else 9,
        cause=(
            ""
            if prediction is None or kind is not RequestKind.QUESTION
            else cause_of(
                family, prediction.model_digest, judged.verdict.code, prediction.label
            )
        ),
    )
