"""A coordinator is killed under many nodes: all come back, not all at one moment."""

import asyncio
import signal
import time
from itertools import pairwise
from pathlib import Path

import grpc.aio
import pytest

from andon.v1 import operator_pb2, operator_pb2_grpc
from tests.link.cuts import judge
from tests.link.judge import SECOND_NS, Findings
from tests.link.storm import Bare, all_open
from tests.link.world import PERSON, plant

pytestmark = pytest.mark.slow
NODES = 40
BACK_WITHIN_S = 10.0
HOLD_WITHIN_S = 2.0


async def test_after_a_kill_every_node_has_a_session_again_and_people_come_first(
    tmp_path: Path,
) -> None:
    cells = [f"bare-{n}" for n in range(NODES)]
    found = Findings()
    async with plant(tmp_path, [*cells, "c0"], seed=25) as world:
        address = f"127.0.0.1:{world.port}"
        nodes = [Bare(address, cell) for cell in cells]
        living = [asyncio.create_task(node.live()) for node in nodes]
        await world.crowd({"c0": "c0"})
        await all_open(nodes, within_s=BACK_WITHIN_S)
        await world.at_work("c0")
        assert world.coordinator is not None

        killed_ns = time.monotonic_ns()
        await world.coordinator.end(signal.SIGKILL)
        await world.serve()
        serves_ns = time.monotonic_ns()
        async with grpc.aio.insecure_channel(address) as channel:
            stub = operator_pb2_grpc.OperatorServiceStub(channel)
            await stub.Hold(
                operator_pb2.HoldRequest(cell_id=cells[0], actor=PERSON),
                timeout=HOLD_WITHIN_S,
            )
        await all_open(nodes, within_s=BACK_WITHIN_S)
        await world.at_work("c0", after_epoch=1)
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
    judge(world, found, away=[(killed_ns, serves_ns)])

    assert found.violations == []
    assert all(
        after > before for node in nodes for before, after in pairwise(node.epochs)
    )
    back = sorted(node.welcomed_ns - serves_ns for node in nodes)
    assert back[-1] < BACK_WITHIN_S * SECOND_NS
    # Jitter: half of them do not come in one tenth of a second.
    assert back[3 * NODES // 4] - back[NODES // 4] > SECOND_NS // 10
