"""The whole coordinator, as `andon serve` builds it: over gRPC, with files, twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from andon.v1 import cell_pb2, cell_pb2_grpc, operator_pb2, operator_pb2_grpc, terms_pb2
from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.config import from_mapping
from coordinator.errors import StoreDegradedError
from coordinator.service import convert
from coordinator.terms import CellId, CellState, RequestId
from tests.builders import CHANNELS, FAMILY, LABELS, make_window

pytestmark = pytest.mark.slow
SOON_S = 20.0
ANA = operator_pb2.Actor(person="ana", device="panel-1")


def settings(folder: Path, **requests: Any):
    return from_mapping(
        {
            "coordinator": {
                "listen": "127.0.0.1:0",
                "data_dir": folder,
                "device": "cpu",
            },
            "gate": {"maximum_age_s": 5.0, "audit_share": 0.0},
            "policies": {"autostart": True},
            "requests": requests,
            "families": {
                "peg": {
                    "rows": FAMILY.rows,
                    "monitor_rows": FAMILY.monitor_rows,
                    "default_label": "ok",
                    "labels": [
                        {"name": x.name, "action": x.action.value} for x in LABELS
                    ],
                    "channels": [
                        {
                            "name": c.name,
                            "unit": c.unit,
                            "minimum": c.minimum,
                            "maximum": c.maximum,
                            "policy": c.policy.value,
                            "stuck_rows": c.stuck_rows,
                        }
                        for c in CHANNELS
                    ],
                }
            },
            "cells": {"press-1": {"family": "peg"}},
        }
    )


@asynccontextmanager
async def serving(folder: Path, **requests: Any) -> AsyncIterator[tuple[Any, Any]]:
    coordinator = Coordinator(settings(folder, **requests), SystemClock())
    await coordinator.open()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(coordinator.run(ready.set_result))
    async with asyncio.timeout(SOON_S):
        address = await ready
    channel = grpc.aio.insecure_channel(address)
    try:
        yield coordinator, channel
    finally:
        await channel.close()
        coordinator.stop()
        async with asyncio.timeout(SOON_S):
            assert await running == 0
            await coordinator.close()


async def heard(call: Any, kind: str) -> Any:
    async with asyncio.timeout(SOON_S):
        while True:
            message = await call.read()
            assert message is not grpc.aio.EOF
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)


async def connect(channel: Any, scene: cell_pb2.Scene) -> Any:
    call: Any = cell_pb2_grpc.CellServiceStub(channel).Session()
    hello = cell_pb2.Hello(
        cell_id="press-1",
        node_id="node-1",
        schema_digest=FAMILY.schema_digest,
        channels=[c.name for c in CHANNELS],
        scene=scene,
    )
    await call.write(cell_pb2.NodeMessage(hello=hello))
    return call


async def offer(call: Any, window: Any) -> None:
    windows = cell_pb2.Windows(windows=[window])
    await call.write(cell_pb2.NodeMessage(windows=windows))


async def answer(channel: Any, request_id: str) -> Any:
    operators = operator_pb2_grpc.OperatorServiceStub(channel)
    got = await operators.GetRequest(
        operator_pb2.GetRequestRequest(request_id=request_id)
    )
    claimed = await operators.Claim(
        operator_pb2.ClaimRequest(
            request_id=request_id, actor=ANA, idempotency_key=f"c-{request_id}"
        )
    )
    return await operators.Answer(
        operator_pb2.AnswerRequest(
            request_id=request_id,
            actor=ANA,
            claim_epoch=claimed.claim_epoch,
            idempotency_key=f"a-{request_id}",
            view_digest=got.view_digest,
            label="ok",
        )
    )


async def test_a_question_survives_a_restart_and_its_answer_permits(tmp_path: Path):
    at_start = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
    window = convert.window(make_window(seq=1))
    async with serving(tmp_path) as (_, channel):
        call = await connect(channel, at_start)
        assert (await heard(call, "permit")).session_epoch == 1
        await offer(call, window)
        asked = (await heard(call, "window_outcome")).request_id

    async with serving(tmp_path) as (coordinator, channel):
        assert [r.request_id for r in coordinator.plant.requests.all_open()] == [asked]
        waiting = cell_pb2.Scene(
            stand=cell_pb2.STAND_DECIDING,
            cycle=window.cycle,
            window_digest=window.window_digest,
        )
        call = await connect(channel, waiting)
        await heard(call, "reoffer")
        window.offered_again = True
        await offer(call, window)
        outcome = await heard(call, "window_outcome")
        assert outcome.request_id == asked
        reply = await answer(channel, asked)
        permit = await heard(call, "permit")

    assert reply.cell_moves_on
    assert permit.session_epoch == 2
    assert permit.window_digest == window.window_digest
    assert permit.action == terms_pb2.ACTION_CONTINUE


async def test_a_disk_that_takes_its_time_ends_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Only a loop that stood still knows nothing any more; a slow disk is no sleep."""
    at_start = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
    async with serving(tmp_path) as (coordinator, channel):
        call = await connect(channel, at_start)
        await heard(call, "permit")

        async def slow() -> None:
            await asyncio.sleep(2.6)

        monkeypatch.setattr(coordinator, "_expire", slow)
        for seq in range(1, 13):
            beat = cell_pb2.Heartbeat(seq=seq, scene=at_start)
            await call.write(cell_pb2.NodeMessage(heartbeat=beat))
            assert (await heard(call, "heartbeat_ack")).seq == seq
            await asyncio.sleep(0.25)


async def test_a_full_disk_holds_the_cells_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    at_start = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
    async with serving(tmp_path, deadline_s=1.0) as (coordinator, channel):
        call = await connect(channel, at_start)
        await heard(call, "permit")
        await offer(call, convert.window(make_window(seq=1)))
        asked = RequestId((await heard(call, "window_outcome")).request_id)
        store = coordinator.plant.store

        async def full(*_events: object, **_more: object) -> None:
            raise StoreDegradedError("the disk is full; nothing was kept.")

        with monkeypatch.context() as patched:
            patched.setattr(store, "commit", full)
            await asyncio.sleep(2.0)  # the deadline passes, and cannot be recorded
            assert coordinator.plant.requests.get(asked) is not None

        path = coordinator.plant.cells[CellId("press-1")]
        async with asyncio.timeout(SOON_S):
            while coordinator.plant.requests.get(asked) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert path.cell.state in {CellState.HELD, CellState.ASKING}
        ended = await store.request(asked)
        assert ended.outcome.value == "timed_out"
