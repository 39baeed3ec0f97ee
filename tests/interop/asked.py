"""A cell that waits for an answer, and a foreign client that shows its question."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from andon.v1 import cell_pb2, cell_pb2_grpc
from coordinator.service import convert
from tests.builders import make_window
from tests.interop.tablets import Tablet
from tests.link.world import free_port
from tests.path.served import connect, heard, offer, serving

AT_START = cell_pb2.Scene(stand=cell_pb2.STAND_AT_START, cycle=1)
PIECE = 64 << 10
HEARTBEAT_S = 0.5


class Asked:
    """A cell that waits for an answer, and a tablet that shows its question."""

    def __init__(self, channel: Any, call: Any, window: Any, address: str) -> None:
        self.channel = channel
        self.call = call
        self.window = window
        self.address = address
        self.request_id = ""
        self.tablet: Tablet

    async def heard(self, kind: str) -> Any:
        """Return the next message of this kind that the cell's node hears."""
        return await heard(self.call, kind)

    async def upload(self, content: bytes) -> str:
        """Bring the question's clip, as its node would."""
        header = cell_pb2.ClipHeader(
            cell_id="press-1",
            request_id=self.request_id,
            window_id=self.window.window_id,
            start_at=Timestamp(seconds=1_767_225_600),
            bytes=len(content),
            clip_digest=hashlib.sha256(content).hexdigest(),
        )

        async def each() -> AsyncIterator[cell_pb2.UploadClipRequest]:
            yield cell_pb2.UploadClipRequest(header=header)
            for at in range(0, len(content), PIECE):
                yield cell_pb2.UploadClipRequest(chunk=content[at : at + PIECE])

        call: Any = cell_pb2_grpc.CellServiceStub(self.channel).UploadClip(each())
        return str((await call).clip_id)

    async def claim_and_answer(self, **said: Any) -> Any:
        """Do what a person does who sees the question for the first time."""
        looked = await self.tablet.do("look", self.request_id)
        claimed = await self.tablet.do("claim", self.request_id)
        digest = looked["shown"]["view_digest"]
        return await self.tablet.do(
            "answer", self.request_id, claimed["claim_epoch"], digest, said
        )


@asynccontextmanager
async def asking(folder: Path, **requests: Any) -> AsyncIterator[Asked]:
    address = f"127.0.0.1:{free_port()}"
    requests = {"undo_s": 0.0} | requests
    async with serving(folder, address, **requests) as (_, channel):
        call = await connect(channel, AT_START)
        await heard(call, "permit")
        window = convert.window(make_window(seq=1, start_ns=(1 << 62) + 1))
        asked = Asked(channel, call, window, address)
        async with Tablet.on(address, "ana") as tablet:
            asked.tablet = tablet
            await tablet.until(lambda seen: seen["cells"])
            await offer(call, window)
            asked.request_id = (await heard(call, "window_outcome")).request_id
            beating = asyncio.create_task(_beat(call, window))
            await tablet.until(lambda seen: asked.request_id in seen["requests"])
            yield asked
            beating.cancel()


async def _beat(call: Any, window: Any) -> None:
    """Say again and again that the robot stands and waits for a decision."""
    scene = cell_pb2.Scene(
        stand=cell_pb2.STAND_DECIDING,
        cycle=window.cycle,
        step=window.step,
        part_id=window.part_id,
        window_digest=window.window_digest,
    )
    for seq in itertools.count(1):
        beat = cell_pb2.Heartbeat(seq=seq, scene=scene)
        await call.write(cell_pb2.NodeMessage(heartbeat=beat))
        await asyncio.sleep(HEARTBEAT_S)
