"""The timers that every cell lives by: when one dies, all cells hold and andon ends."""

import asyncio
from pathlib import Path

import grpc
import pytest

from andon.v1 import cell_pb2
from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.service import asking
from coordinator.service.sessions import Sessions
from coordinator.store import Store
from coordinator.terms import CellId, HoldReason
from tests.path.served import SOON_S, connect, heard, settings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ZeroDivisionError("a bug"), id="a-bug"),
        pytest.param(asyncio.CancelledError(), id="a-cancellation-of-something-else"),
    ],
)
@pytest.mark.parametrize("timer", ["tick", "pulse"])
async def test_a_timer_that_dies_holds_every_cell_and_ends_the_coordinator(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    timer: str,
    fault: BaseException,
):
    coordinator = Coordinator(settings(tmp_path), SystemClock())
    await coordinator.open()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(coordinator.run(ready.set_result))

    def broken(*_: object) -> None:
        raise fault

    async with asyncio.timeout(SOON_S), grpc.aio.insecure_channel(await ready) as link:
        call = await connect(link, cell_pb2.Scene(stand=cell_pb2.STAND_AT_START))
        await heard(call, "permit")
        if timer == "tick":
            monkeypatch.setattr(asking, "look_after", broken)
        else:
            monkeypatch.setattr(Sessions, "look", broken)
            monkeypatch.setattr(Sessions, "awake", broken)
        code = await running
    reasons = coordinator.plant.cells[CellId("press-1")].cell.holds.reasons
    await coordinator.close()
    store = await Store.open(tmp_path, clock=SystemClock())
    head = await store.head()
    (last,) = await store.entries(head.seq - 1, 1)
    remembered = (await store.cells())[CellId("press-1")].reasons
    await store.close()

    assert code == 9
    assert HoldReason.MODEL_FAULT in reasons
    assert HoldReason.MODEL_FAULT in remembered
    assert "fault" in last.payload_json
