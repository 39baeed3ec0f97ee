"""One audited case in a store, and what the gate would read of it after a restart."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from coordinator.terms import AuditCoin, GateCase, RequestKind, SensorWindow, events
from tests.builders import ANA, MODEL, PEG, make_prediction, make_request, make_window
from tests.coordinator.learning.teach_world import TeachWorld, judged


async def audited_case(
    world: TeachWorld,
) -> tuple[SensorWindow, Callable[[], Awaitable[Sequence[GateCase]]]]:
    window = make_window()
    decided = judged(
        window, make_prediction("ok", 0.97), coin=AuditCoin(0.05, drawn=True)
    )
    request = replace(
        make_request(kind=RequestKind.AUDIT, propensity=0.05),
        window_id=window.window_id,
        window_digest=window.digest,
        decision_id=decided.decision_id,
    )
    await world.store.commit(decided, events.RequestOpened(request), window=window)
    await world.store.commit(events.RequestClaimed(request.request_id, ANA, 1))
    answered = events.RequestAnswered(
        request_id=request.request_id,
        cell_id=request.cell_id,
        actor=ANA,
        claim_epoch=1,
        label="ok",
        correction=False,
        view_digest=MODEL,
    )
    await world.store.commit(answered)
    await world.answered(window, "ok", ANA)
    return window, lambda: world.store.gate_cases(PEG, MODEL, 0)
