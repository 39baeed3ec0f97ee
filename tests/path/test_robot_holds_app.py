"""What a terminal sees of a robot's hold, from the whole coordinator."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from andon.v1 import cell_pb2, operator_pb2, operator_pb2_grpc
from tests.path.served import ANA, connect, heard, serving, settings

pytestmark = pytest.mark.slow
AT_START = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)


async def watched(channel: Any) -> Any:
    operators = operator_pb2_grpc.OperatorServiceStub(channel)
    call = operators.Watch(operator_pb2.WatchRequest(actor=ANA))
    picture = (await call.read()).snapshot
    call.cancel()
    return picture.cells[0]


async def beat(call: Any, seq: int, robot: cell_pb2.RobotHold.ValueType) -> None:
    heartbeat = cell_pb2.Heartbeat(seq=seq, scene=AT_START, robot=robot)
    await call.write(cell_pb2.NodeMessage(heartbeat=heartbeat))
    await heard(call, "heartbeat_ack")


async def test_a_hold_that_is_not_confirmed_outlives_the_coordinator(tmp_path: Path):
    async with serving(tmp_path) as (_, channel):
        call = await connect(channel, AT_START)
        await heard(call, "welcome")
        await beat(call, 1, cell_pb2.ROBOT_HOLD_UNCONFIRMED)
        assert (await watched(channel)).hold_unconfirmed
        await asyncio.sleep(0)

    async with serving(tmp_path) as (_, channel):
        assert (await watched(channel)).hold_unconfirmed
        call = await connect(channel, AT_START)
        await heard(call, "welcome")
        await beat(call, 1, cell_pb2.ROBOT_HOLD_HELD)

        assert not (await watched(channel)).hold_unconfirmed


async def test_a_cell_that_is_only_watched_is_shown_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    changed = settings(tmp_path).model_dump()
    changed["cells"]["press-1"]["ros"]["robot"]["adapter"] = "none"
    monkeypatch.setattr(
        "tests.path.served.settings",
        lambda *_, **__: type(settings(tmp_path)).model_validate(changed),
    )
    async with serving(tmp_path) as (_, channel):
        call = await connect(channel, AT_START)
        await heard(call, "welcome")
        await beat(call, 1, cell_pb2.ROBOT_HOLD_UNCONFIRMED)
        cell = await watched(channel)

    assert cell.monitor_only
    assert not cell.hold_unconfirmed
