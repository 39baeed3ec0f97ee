"""The whole coordinator, as `andon serve` builds it, and a node by raw gRPC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from andon.v1 import cell_pb2, cell_pb2_grpc, operator_pb2, operator_pb2_grpc
from coordinator.app import Coordinator
from coordinator.clock import SystemClock
from coordinator.config import from_mapping
from tests.builders import CHANNELS, FAMILY, LABELS

SOON_S = 20.0
ANA = operator_pb2.Actor(person="ana", device="panel-1")


def settings(folder: Path, listen: str = "127.0.0.1:0", **requests: Any):
    return from_mapping(
        {
            "coordinator": {
                "listen": listen,
                "data_dir": folder,
                "device": "cpu",
            },
            "gate": {"maximum_age_s": 5.0, "audit_share": 0.0},
            "policies": {"autostart": True},
            "requests": {"undo_s": 0.0, **requests},
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
async def serving(
    folder: Path, listen: str = "127.0.0.1:0", **requests: Any
) -> AsyncIterator[tuple[Any, Any]]:
    coordinator = Coordinator(settings(folder, listen, **requests), SystemClock())
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
