"""The whole coordinator, as `andon serve` builds it: over gRPC, with files, twice."""

import asyncio
from pathlib import Path

import pytest

from andon.v1 import cell_pb2, terms_pb2
from coordinator.config import Settings
from coordinator.errors import StoreDegradedError
from coordinator.service import asking, convert
from coordinator.service.plant import Plant
from coordinator.terms import CellId, CellState, RequestId
from tests.builders import make_window
from tests.path.served import SOON_S, answer, connect, heard, offer, serving

pytestmark = pytest.mark.slow


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
    async with serving(tmp_path) as (_, channel):
        call = await connect(channel, at_start)
        await heard(call, "permit")

        async def slow(_plant: Plant, _settings: Settings) -> None:
            await asyncio.sleep(2.6)

        monkeypatch.setattr(asking, "look_after", slow)
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
